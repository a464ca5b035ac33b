"""The WebSocket server for stations: `ws://HOST:PORT/ocpp/{identity}`, on a port of its own."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

import structlog
from aiohttp import web

from commonwatt.adapters.station.admission import Admission, Policy, Verdict
from commonwatt.adapters.station.dialect import Dialect
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.websocket import WebSocket, accept, mend_upgrade
from commonwatt.kernel import Clock, Refused
from commonwatt.kit.database import Database
from commonwatt.stations import check_identity

_log = structlog.get_logger("stations")


class Listener:
    """A running server; `port` is the one it got, `close` ends it and all connections."""

    def __init__(self, runner: web.AppRunner, hub: Hub, host: str, port: int) -> None:
        """Hold what runs."""
        self._runner = runner
        self._hub = hub
        self.host = host
        self.port = port

    async def close(self) -> None:
        """Close all connections, then the port."""
        await self._hub.close()
        await self._runner.cleanup()


class _Door:
    """Answers handshakes."""

    def __init__(self, database: Database, clock: Clock, hub: Hub, policy: Policy, dialects: Sequence[Dialect]) -> None:
        self._admission = Admission(database, policy)
        self._clock = clock
        self._hub = hub
        self._dialects = {dialect.subprotocol: dialect for dialect in dialects}
        self._usual = dialects[0]

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """Judge, upgrade, and run the link until it closes."""
        identity = request.match_info["identity"]
        address = request.remote or ""
        try:
            check_identity(identity)
        except Refused as refused:
            return _refused(Verdict(404, refused.detail))
        offered = _offered(request)
        dialect = next((self._dialects[name] for name in offered if name in self._dialects), None)
        if offered and dialect is None:
            return _refused(Verdict(400, f"None of {', '.join(offered)} is spoken here: {', '.join(self._dialects)}."))
        verdict = await self._admission.judge(
            identity, request.headers.get("Authorization"), address, subprotocol=bool(offered)
        )
        if verdict.status != 101:  # noqa: PLR2004 (HTTP: switching protocols)
            _log.info(
                "station refused", station=identity, address=address, status=verdict.status, reason=verdict.reason
            )
            return _refused(verdict)
        if not await self._hub.claim(identity):
            return _refused(Verdict(409, "This identity is connected already."))
        socket = accept(tuple(self._dialects))
        mended = mend_upgrade(request)
        if not socket.can_prepare(request):
            return _refused(Verdict(426, "Stations connect here by WebSocket; this was a plain request."))
        if mended:
            self._hub.frames.flag(identity, "no-upgrade", "The handshake has no `Connection: Upgrade`.")
        if not offered:
            self._hub.frames.flag(identity, "no-subprotocol", "The handshake names no version; 1.6 is assumed.")
        await socket.prepare(request)
        await self._hub.attach(
            identity,
            WebSocket(socket),
            dialect or self._usual,
            admitted=verdict.admitted,
            trusted=verdict.trusted,
            waivers=verdict.waivers,
            address=address,
        )
        return socket


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what `wss` needs: TLS 1.2 and 1.3, as the OCPP 1.6 security whitepaper asks of profile 2.

    Raises OSError or ssl.SSLError when the PEM files cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


async def start_listener(
    host: str,
    port: int,
    *,
    database: Database,
    clock: Clock,
    hub: Hub,
    policy: Policy,
    dialects: Sequence[Dialect],
    tls: ssl.SSLContext | None = None,
) -> Listener:
    """Start the hub, then listen; port 0 takes a free one, with `tls` stations connect by wss.

    Raises OSError when the port is taken.
    """
    door = _Door(database, clock, hub, policy, dialects)
    application = web.Application()
    application.router.add_get("/ocpp/{identity}", door.enter, allow_head=False)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=2.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024, ssl_context=tls)
    await site.start()
    await hub.start()
    bound = runner.addresses[0][1]
    return Listener(runner, hub, host, bound)


def _offered(request: web.Request) -> list[str]:
    values = request.headers.getall("Sec-WebSocket-Protocol", [])
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _refused(verdict: Verdict) -> web.Response:
    headers = {"WWW-Authenticate": 'Basic realm="stations"'} if verdict.status == 401 else {}  # noqa: PLR2004 (HTTP)
    return web.Response(status=verdict.status, text=verdict.reason + "\n", headers=headers)
