"""We answer only to names of ours, so that no foreign page reaches us under its own name (DNS rebinding).

A page of somebody else may let its name point at this machine once it is open in a visitor's browser; to the browser we
are then that page's own server. The visitor's network, which we trust with nothing, would be its way in. What tells is
the name in `Host`: it is the foreign one. Addresses in figures are no names that could be pointed anywhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from commonwatt.kit.web.errors import UnknownHost

_SHOWN_MAX = 100
_NAME = re.compile(r"[a-z0-9_-][a-z0-9._-]*")
_PORT, _PORT_MAX = re.compile(r"[0-9]{0,5}"), 65535


def host_of(authority: str) -> str:
    """Return the host of `HOST` or `HOST:PORT` in one way of writing, IPv6 without brackets; empty when it is none."""
    text = authority.strip().lower()
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        if not closed or not (port == "" or port.startswith(":")):
            return ""
        port = port[1:]
    else:
        host, _, port = text.partition(":")
    if not _PORT.fullmatch(port) or int(port or 0) > _PORT_MAX:
        return ""
    address = _address(host)
    if address is not None:
        return str(address)
    return host.removesuffix(".") if _NAME.fullmatch(host) else ""


class KnownHosts(ASGIMiddleware):
    """Answers 421 to a request for a host that is none of ours."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "any_host"
    """Routes that probes ask by any address, and what holds nothing of anybody, set `opt={"any_host": True}`."""

    def __init__(self, names: Iterable[str], bound: str) -> None:
        """Take the names of this site, and the address that the port is bound to."""
        self._names = {host_of(f"[{name}]" if name.count(":") > 1 else name) for name in (*names, "localhost")} - {""}
        address = _address(bound)
        self._everywhere = bound == "" or (address is not None and address.is_unspecified)
        if not self._everywhere:
            self._names.add(str(address) if address is not None else bound.lower())

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Look at one request, then pass it on. Raises UnknownHost."""
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        host = host_of(given[0]) if len(given) == 1 else ""
        if not self._knows(host):
            said = host[:_SHOWN_MAX] or "no name"
            raise UnknownHost(
                f"This request asks for {said}, which is no name of this site; nothing was done. Whoever runs it can "
                "add the name to http.hosts, or write it in site.base_url when it is the one that people use.",
                host=host[:_SHOWN_MAX],
            )
        await next_app(scope, receive, send)

    def _knows(self, host: str) -> bool:
        if host in self._names:
            return True
        address = _address(host)
        return address is not None and (address.is_loopback or self._everywhere)


def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
