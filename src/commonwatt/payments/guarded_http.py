"""HTTP towards addresses that strangers gave us: only to the open internet, small, short, and without credentials.

An address in a wallet's hands could point at our own network. So names are checked after they were resolved, by the
resolver that the connection itself uses (no second look-up could differ), and every redirection is checked again.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from commonwatt.kernel import Done, Failed, Outcome, Unknown

SECONDS_MAX = 10
BYTES_MAX = 512 * 1024
REDIRECTS_MAX = 2
_DOWN, _TOO_MANY = 500, 429
"""Statuses of a service that is not well; the same question may have an answer later."""
_REDIRECTS = {301, 302, 303, 307, 308}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenTarget(OSError):
    """The address lies where strangers must not send us."""


def is_public(address: Address) -> bool:
    """Whether an address is on the open internet; addresses that carry another are judged by that one too."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


class GuardedResolver(AbstractResolver):
    """Resolves names as the system does and drops every answer that is not allowed."""

    def __init__(self, *, allow_loopback: bool) -> None:
        """Allow this very machine too, for a sandbox."""
        self._allow_loopback = allow_loopback
        self._system = aiohttp.ThreadedResolver()

    def allows(self, host: str) -> bool:
        """Whether a literal address may be connected to; names are judged when they are resolved."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return True
        return is_public(address) or (self._allow_loopback and address.is_loopback)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the allowed addresses of a name. Raises ForbiddenTarget when there are others only."""
        found = await self._system.resolve(host, port, family)
        allowed = [result for result in found if self.allows(result["host"].partition("%")[0])]
        if not allowed:
            msg = f"{host} lies in a private network"
            raise ForbiddenTarget(msg)
        return allowed

    async def close(self) -> None:
        """Let go of the system's resolver."""
        await self._system.close()


class GuardedHttp:
    """Fetches what strangers point at. Answers in three values, like everything that is outside."""

    def __init__(self, *, allow_loopback: bool = False) -> None:
        """Allow this very machine, also without TLS, for a sandbox."""
        self._allow_loopback = allow_loopback
        self._resolver = GuardedResolver(allow_loopback=allow_loopback)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str) -> Outcome[bytes]:
        """Fetch an address; `Failed(code="forbidden")` when we must not, `Unknown` when it is out of reach now."""
        for _ in range(REDIRECTS_MAX + 1):
            refusal = self._refusal(url)
            if refusal:
                return Failed(refusal, "forbidden")
            try:
                status, target, body = await self._fetch(url)
            except ForbiddenTarget as error:
                return Failed(str(error), "forbidden")
            except aiohttp.ClientConnectorError as error:
                if isinstance(error.os_error, ForbiddenTarget):
                    return Failed(str(error.os_error), "forbidden")
                return Unknown(f"{urlsplit(url).hostname} is out of reach")
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                return Unknown(f"{urlsplit(url).hostname} does not answer ({type(error).__name__})")
            if status >= _DOWN or status == _TOO_MANY:
                return Unknown(f"{urlsplit(url).hostname} cannot answer now ({status})")
            if status not in _REDIRECTS or not target:
                return Done(body) if body is not None else Failed("the answer is too large", "oversized")
            url = urljoin(url, target)
        return Failed("the address redirects again and again", "forbidden")

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _refusal(self, url: str) -> str | None:
        try:
            parts, host = urlsplit(url), URL(url).host or ""  # as the client below reads it: full-width digits too
        except ValueError:
            return "this is no address"
        here = host == "localhost" or host.endswith(".localhost") or _is_loopback(host)
        if parts.scheme != "https" and not (parts.scheme == "http" and here and self._allow_loopback):
            return "only addresses with TLS (https) are asked"
        if not host or not self._resolver.allows(host):
            return f"{host} lies in a private network"
        return None

    async def _fetch(self, url: str) -> tuple[int, str, bytes | None]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=self._resolver, limit=64),
                timeout=aiohttp.ClientTimeout(total=SECONDS_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "commonwatt"},
            )
        async with self._session.get(url, allow_redirects=False) as answer:
            body: Any = await answer.content.read(BYTES_MAX + 1) if answer.status not in _REDIRECTS else b""
            while len(body) <= BYTES_MAX and (more := await answer.content.read(BYTES_MAX + 1 - len(body))):
                body += more
            return answer.status, answer.headers.get("Location", ""), body if len(body) <= BYTES_MAX else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
