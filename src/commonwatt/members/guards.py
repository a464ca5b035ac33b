"""Guards of routes: who may come in. Programs without a valid token get 401, browsers the sign-in page."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.response import Redirect, Template
from litestar.types import ExceptionHandlersMap, Guard

from commonwatt.kernel import Clock, said
from commonwatt.kit.web import answer_problem, wants_page
from commonwatt.kit.web.forgery import FIELD
from commonwatt.members.errors import NotPermitted, NotSignedIn, ProveItIsYou
from commonwatt.members.model.actor import EVERYTHING, SCOPES, Actor, Role

HOME = "/overview"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def allow(*, role: Role | str | None = None, scope: str = EVERYTHING) -> Guard:
    """Let in members of at least a role, and tokens with a scope.

    Without a role, the one that the scope asks for; without a scope, only tokens with `*`. Raises KeyError at import
    time for a scope that does not exist.
    """
    least = Role(role) if role is not None else (Role.OWNER if scope == EVERYTHING else SCOPES[scope])
    if scope != EVERYTHING:
        SCOPES[scope]

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        actor = _actor_of(connection)
        if not actor.may(scope, least):
            lacks = (
                said("This needs the role %(role)s, which %(name)s does not have.", role=str(least), name=actor.name)
                if actor.role is not None
                else said("This needs the scope %(scope)s, which %(name)s does not have.", scope=scope, name=actor.name)
            )
            raise NotPermitted(lacks, needs=scope)

    return guard


def require(role: Role | str) -> Guard:
    """Let in members of at least a role, and tokens with `*`."""
    return allow(role=role)


def require_scope(scope: str) -> Guard:
    """Let in tokens with a scope, and members of the role that may do the same."""
    return allow(scope=scope)


async def require_proof(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Let in members who showed their passkey within the last quarter of an hour: for dangerous acts.

    Who did not is led to show it, and what was posted is posted again after that. Programs with a token pass.
    """
    clock: Clock = connection.app.state.clock
    if _actor_of(connection).has_proved(clock.now()):
        return
    asked = ProveItIsYou()
    if isinstance(connection, Request) and connection.headers.get("content-type", "").startswith(_FORMS):
        posted = (await connection.form()).multi_items()
        asked.form = tuple((name, value) for name, value in posted if isinstance(value, str) and name != FIELD)
    raise asked


def _actor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
    actor = connection.scope.get("user")
    if isinstance(actor, Actor):
        return actor
    with_token = "authorization" in connection.headers
    what = "The token is not valid: it may be mistyped, revoked or expired." if with_token else "Nobody is signed in."
    raise NotSignedIn(f"{what} Sign in, or send a token as `Authorization: Bearer cw_...`.")


def show_sign_in(request: Request[Any, Any, Any], error: NotSignedIn) -> Response[Any]:
    """Answer who is not signed in: a browser goes to the sign-in page and comes back, a program gets 401."""
    if not wants_page(request):
        answer = answer_problem(request, error)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="commonwatt"'
        return answer
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    there = f"/sign-in?next={quote(here, safe='/')}" if request.method == "GET" else "/sign-in"
    if request.headers.get("hx-request") == "true":
        return Response(b"", status_code=401, headers={"HX-Redirect": "/sign-in"})
    return Redirect(there, status_code=303)


def show_proof(request: Request[Any, Any, Any], error: ProveItIsYou) -> Response[Any]:
    """Ask a person for the passkey, on a page that then repeats what was wanted; a program gets 403.

    htmx puts nothing but an answer that went well into a page, so it gets the same page as one. A script that posted no
    form is led away to prove, and back to its page.
    """
    if not wants_page(request):
        return answer_problem(request, error)
    part = request.headers.get("hx-request") == "true"
    here = request.url.path
    if part and request.method != "GET" and not error.form:
        page = urlsplit(request.headers.get("referer", "")).path or HOME
        return Response(b"", status_code=error.status, headers={"HX-Redirect": f"/prove?next={quote(page)}"})
    context = {
        "action": here if request.method != "GET" else "",
        "fields": error.form,
        "next": here if request.method == "GET" else HOME,
    }
    headers = {"Cache-Control": "no-store"}
    if part:
        headers |= {"HX-Retarget": "body", "HX-Reswap": "innerHTML", "HX-Push-Url": "false"}
    template = Template("members/prove.html", context=context, status_code=200 if part else error.status)
    template.headers.update(headers)
    return template


EXCEPTION_HANDLERS: ExceptionHandlersMap = {NotSignedIn: show_sign_in, ProveItIsYou: show_proof}
