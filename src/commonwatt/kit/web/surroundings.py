"""What surrounds every request, whether its address exists or not: who asks, secure headers, one line of log.

The client's address is the socket's, unless the socket belongs to a proxy that the configuration names: then it is the
right-most address of `X-Forwarded-For` that is no such proxy. Such a proxy also tells the scheme and the host. Headers
follow the OWASP secure headers project: the content policy allows our own files only, no script or style inside a page.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from commonwatt.kernel import Clock, Ids
from commonwatt.kit.crowd import Network, read_address
from commonwatt.kit.metrics import histogram
from commonwatt.kit.web.hosts import host_of
from commonwatt.kit.web.methods import answers_head, whole_allow
from commonwatt.kit.web.site import Site

REQUESTS = histogram(
    "http_request_seconds",
    "How long requests took, from the first byte in to the last byte out.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    labels=["method", "route", "status"],
)
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
PERMISSIONS = "camera=(self), clipboard-write=(self), publickey-credentials-get=(self), geolocation=(), microphone=()"
_QUIET = ("/static/", "/healthz", "/readyz", "/metrics")
_SERVER_ERROR = 500
_log = structlog.get_logger("request")


def secure_headers(site: Site) -> list[tuple[bytes, bytes]]:
    """Return the headers that every answer carries."""
    headers = {
        "content-security-policy": CONTENT_POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "DENY",
        "permissions-policy": PERMISSIONS,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if site.https:
        headers["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


class Surroundings:
    """Wraps the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        site: Site,
        clock: Clock,
        ids: Ids,
        trusted: Sequence[Network] = (),
        methods: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """Take the networks of the proxies whose word about the client is believed, and each address's methods."""
        self._app = app
        self._headers = secure_headers(site)
        self._clock = clock
        self._ids = ids
        self._trusted = tuple(trusted)
        self._methods = methods or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        details: dict[str, Any] = scope  # type: ignore[assignment] # litestar's scope is a closed TypedDict
        reference = self._ids.new(self._clock.now())
        details["cw_reference"] = reference
        self._believe_proxies(details)
        details["headers"] = [pair for pair in details["headers"] if pair[0] != b"host" or _is_host(pair[1])]
        begun = time.perf_counter()
        status, method = 0, details["method"]
        headless = method == "HEAD" and answers_head(details["path"])
        if headless:
            # A copy, for the server minds whether it was asked for a head.
            details = {**details, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                said = {name.lower() for name, _ in message["headers"]}
                added = [(name, value) for name, value in self._headers if name not in said]
                message["headers"] = [*message["headers"], *added, (b"x-request-id", reference.encode())]
                if b"allow" in said:
                    message["headers"] = whole_allow(message["headers"], details, self._methods)
            elif headless and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        try:
            await self._app(details, receive, send_with_headers)  # type: ignore[arg-type]
        finally:
            self._note(details, method, status, time.perf_counter() - begun, reference)

    def _believe_proxies(self, scope: dict[str, Any]) -> None:
        peer = scope.get("client")
        if not self._trusted or peer is None or not self._is_trusted(peer[0]):
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        hops = [hop.strip() for hop in headers.get(b"x-forwarded-for", "").split(",") if hop.strip()]
        client = next((hop for hop in reversed(hops) if not self._is_trusted(hop)), None)
        if client is not None and read_address(client) is not None:
            scope["client"] = (client, 0)
        if headers.get(b"x-forwarded-proto") in {"http", "https"}:
            scope["scheme"] = headers[b"x-forwarded-proto"]
        host = headers.get(b"x-forwarded-host", "").rpartition(",")[2].strip()
        if host:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [(b"host", host.encode("latin-1")), *others]

    def _is_trusted(self, text: str) -> bool:
        address = read_address(text)
        return address is not None and any(address in network for network in self._trusted)

    def _note(self, scope: dict[str, Any], method: str, status: int, seconds: float, reference: str) -> None:
        """Write the canonical line; the route's template, never the path, which may hold a secret."""
        route = scope.get("path_template") or "(none)"
        method = method if method in _METHODS else "OTHER"
        REQUESTS.labels(method, route, status).observe(seconds)
        if status < _SERVER_ERROR and scope["path"].startswith(_QUIET):
            return
        user = scope.get("user")
        _log.info(
            "request",
            method=method,
            route=route,
            status=status or None,
            ms=round(seconds * 1000, 1),
            client=client_of(scope),
            actor=getattr(user, "id", None),
            reference=reference,
        )


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def client_of(scope: Any) -> str:
    """Return the address of whoever asks, as text; "unknown" where a test or a socket file gives none."""
    peer = scope.get("client")
    return str(peer[0]) if peer else "unknown"


def _is_host(value: bytes) -> bool:
    """Whether a `Host` can be read; what cannot would end in an error wherever an address is made of it."""
    return host_of(value.decode("latin-1")) != ""
