"""No other site's page may act in our visitor's name (CSRF), by three independent checks on unsafe methods.

1. The browser itself says where the request comes from: `Sec-Fetch-Site` (Fetch Metadata), else `Origin`.
2. The session cookie is SameSite=Lax.
3. Where the session cookie is used, the page must repeat a token that only our pages know: form field `csrf`, or the
   header `X-CSRF-Token` that HTMX sends. It is derived from the session's secret, so nothing is stored for it.

Requests with an `Authorization` header are exempt: no foreign page can add one, and beside it cookies count for
nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from commonwatt.kernel import said
from commonwatt.kit.web.errors import ForeignRequest
from commonwatt.kit.web.site import Site, session_cookie

FIELD = "csrf"
HEADER = "x-csrf-token"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def csrf_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return the token that this visitor's forms repeat; empty while nobody is signed in."""
    site: Site = connection.app.state.site
    secret = connection.cookies.get(session_cookie(site))
    return hashlib.sha256(b"csrf:" + secret.encode()).hexdigest() if secret else ""


class OwnPagesOnly(ASGIMiddleware):
    """Refuses unsafe requests that did not come from our own pages."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "from_anywhere"
    """Routes for foreign programs without credentials set `opt={"from_anywhere": True}`."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Check one request, then pass it on. Raises ForeignRequest."""
        if scope.get("method") not in _SAFE:
            request: Request[Any, Any, Any] = Request(scope, receive)
            if "authorization" not in request.headers:
                _check_origin(request)
                await _check_token(request)
        await next_app(scope, receive, send)


def _check_origin(request: Request[Any, Any, Any]) -> None:
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None and fetched not in {"same-origin", "none"}:
        raise ForeignRequest(said("Another site's page asked for this change; nothing was done."))
    origin = request.headers.get("origin")
    if origin is None or (fetched == "same-origin"):
        return
    site: Site = request.app.state.site
    if origin != site.base_url and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ForeignRequest(said("Another site's page asked for this change; nothing was done."))


async def _check_token(request: Request[Any, Any, Any]) -> None:
    expected = csrf_token(request)
    if not expected:
        return
    heard = request.headers.get(HEADER)
    if heard is None and request.headers.get("content-type", "").startswith(_FORMS):
        heard = (await request.form()).get(FIELD)
    if not isinstance(heard, str) or not hmac.compare_digest(heard.encode(), expected.encode()):
        raise ForeignRequest(said("This page is out of date: you signed in or out since. Open it anew and repeat."))
