"""The real transport: an accepted WebSocket of aiohttp, without compression, with our own pings."""

from __future__ import annotations

import asyncio

from aiohttp import WSMsgType, web

from commonwatt.protocols.ocppj import FRAME_MAX

PONG_S = 3.0
"""How long a station may take to answer a ping."""
CLOSE_S = 2.0
"""How long we wait for a closing frame in return."""

_TEXT, _BINARY, _PING, _PONG = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG


def accept(protocols: tuple[str, ...]) -> web.WebSocketResponse:
    """Return a response that upgrades: frames larger than the limit close the connection (RFC 6455, code 1009)."""
    return web.WebSocketResponse(
        protocols=protocols, compress=False, max_msg_size=FRAME_MAX, autoping=False, timeout=CLOSE_S
    )


def mend_upgrade(request: web.Request) -> bool:
    """Let a handshake pass that lacks `Connection: Upgrade` and is one by all else; return whether it did.

    Some stations leave that header out (lbbrhzn/ocpp#1984); aiohttp judges by what its parser made of it.
    """
    headers, message = request.headers, request._message  # noqa: SLF001 (aiohttp has no other way in)
    wanted = headers.get("Upgrade", "").strip().lower() == "websocket" and "Sec-WebSocket-Key" in headers
    if message.upgrade or not wanted:
        return False
    request._message = message._replace(upgrade=True)  # noqa: SLF001
    return True


class WebSocket:
    """An open connection, as a link sees it."""

    __slots__ = ("_pong", "_socket")

    def __init__(self, socket: web.WebSocketResponse) -> None:
        """Take a response that is upgraded."""
        self._socket = socket
        self._pong: asyncio.Future[bool] | None = None

    async def send(self, text: str) -> None:
        """Send one frame; a closed connection swallows it."""
        try:
            await self._socket.send_str(text)
        except (ConnectionError, RuntimeError):
            return

    async def receive(self) -> str | None:
        """Return the next text; pings and pongs are dealt with on the way."""
        while True:
            message = await self._socket.receive()
            kind = message.type
            if kind is _TEXT:
                return message.data  # type: ignore[no-any-return]
            if kind is _PONG:
                if self._pong is not None and not self._pong.done():
                    self._pong.set_result(True)
            elif kind is _PING:
                await self._answer_ping(message.data)
            elif kind is _BINARY:
                return ""
            else:
                return None

    async def ping(self) -> bool:
        """Ping, and return whether the answer came in time; two at once share one."""
        if self._pong is None:
            self._pong = asyncio.get_running_loop().create_future()
            try:
                await self._socket.ping()
            except (ConnectionError, RuntimeError):
                self._pong.set_result(False)
        pong = self._pong
        try:
            async with asyncio.timeout(PONG_S):
                return await asyncio.shield(pong)
        except TimeoutError:
            return False
        finally:
            if self._pong is pong:
                self._pong = None

    async def close(self, code: int, reason: str) -> None:
        """Close; the reason is cut at what a closing frame can carry."""
        await self._socket.close(code=code, message=reason.encode()[:120])

    async def _answer_ping(self, data: bytes) -> None:
        try:
            await self._socket.pong(data)
        except (ConnectionError, RuntimeError):
            return
