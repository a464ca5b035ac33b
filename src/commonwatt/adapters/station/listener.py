"""The WebSocket server for stations: `ws://HOST:PORT/ocpp/{identity}`, on a port of its own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import structlog
from aiohttp import web

from commonwatt.adapters.station.admission import Admission, Policy, Verdict
from commonwatt.adapters.station.dialect import Dialect
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.vestibule import Vestibule
from commonwatt.adapters.station.websocket import WebSocket, accept, mend_upgrade
from commonwatt.kernel import Clock, Refused
from commonwatt.kit.crowd import HEAD_S, TLS_S, Crowd
from commonwatt.kit.database import Database
from commonwatt.stations import check_identity

CONNECTIONS_MAX = 20_000
"""Connections at once where the assembly says nothing else."""
_log = structlog.get_logger("stations")


class Listener:
    """A running server; `port` is the one it got, `close` ends it and all connections."""

    def __init__(
        self,
        runner: web.AppRunner,
        server: asyncio.AbstractServer,
        vestibule: Vestibule,
        hub: Hub,
        host: str,
        port: int,
    ) -> None:
        """Hold what runs."""
        self._runner = runner
        self._server = server
        self._vestibule = vestibule
        self._hub = hub
        self.host = host
        self.port = port

    async def close(self) -> None:
        """Close all connections, then the port."""
        await self._hub.close()
        self._server.close()
        self._vestibule.close()
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
            if verdict.flag:
                self._hub.frames.flag(identity, verdict.flag, verdict.reason)
            return _refused(verdict)
        if not await self._hub.take_identity(identity):
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
    crowd: Crowd | None = None,
) -> Listener:
    """Start the hub, then listen; port 0 takes a free one, with `tls` stations connect by wss.

    `crowd` says how many connections there may be. Raises OSError when the port is taken.
    """
    door = _Door(database, clock, hub, policy, dialects)
    application = web.Application()
    application.router.add_get("/ocpp/{identity}", door.enter, allow_head=False)
    application.on_response_prepare.append(_end_after_answer)
    runner = web.AppRunner(
        application, access_log=None, handle_signals=False, shutdown_timeout=2.0, keepalive_timeout=HEAD_S
    )
    await runner.setup()
    assert runner.server is not None  # noqa: S101 (`setup` made it)
    vestibule = Vestibule(runner.server, crowd if crowd is not None else Crowd(CONNECTIONS_MAX, name="stations"))
    try:
        server = await asyncio.get_running_loop().create_server(
            vestibule, host, port, backlog=1024, ssl=tls, ssl_handshake_timeout=TLS_S if tls else None
        )
    except OSError:
        await runner.cleanup()
        raise
    await hub.start()
    return Listener(runner, server, vestibule, hub, host, server.sockets[0].getsockname()[1])


async def _end_after_answer(_request: web.Request, response: web.StreamResponse) -> None:
    """Close after a refusal: nobody has a second question here."""
    if not isinstance(response, web.WebSocketResponse):
        response.force_close()


def _offered(request: web.Request) -> list[str]:
    values = request.headers.getall("Sec-WebSocket-Protocol", [])
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _refused(verdict: Verdict) -> web.Response:
    headers = {"WWW-Authenticate": 'Basic realm="stations"'} if verdict.status == 401 else {}  # noqa: PLR2004 (HTTP)
    return web.Response(status=verdict.status, text=verdict.reason + "\n", headers=headers)
