"""Where a connection waits until its handshake is whole; then it goes on to aiohttp and never comes back.

Whoever connects is nobody yet: he has some seconds and some room for the head of his request. Behind the vestibule
frames run straight to aiohttp, as if it had taken the connection itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from commonwatt.kit import crowd as limits
from commonwatt.kit.crowd import Crowd

_END = b"\r\n\r\n"


class Vestibule:
    """Takes a port's connections for a server of aiohttp, and counts them until they end; call it for each."""

    def __init__(self, server: web.Server, crowd: Crowd) -> None:
        """Stand before a server and hear from it when a connection has ended."""
        self._server = server
        self._crowd = crowd
        self._inside: dict[RequestHandler, str] = {}
        self._forget = server.connection_lost
        server.connection_lost = self._leave  # type: ignore[method-assign] # what it calls when one has ended
        self._waiting: set[_Arrival] = set()

    def __call__(self) -> asyncio.Protocol:
        """Take one connection."""
        return _Arrival(self._crowd, self._waiting, self._admit)

    def close(self) -> None:
        """End all that still wait."""
        for arrival in list(self._waiting):
            arrival.abort()

    def _admit(self, transport: asyncio.Transport, address: str, head: bytes) -> None:
        handler = self._server()
        self._inside[handler] = address
        transport.set_protocol(handler)
        handler.connection_made(transport)
        handler.data_received(head)

    def _leave(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        self._forget(handler, exc)
        address = self._inside.pop(handler, None)
        if address is not None:
            self._crowd.leave(address)


class _Arrival(asyncio.Protocol):
    """A connection whose handshake is not whole."""

    __slots__ = ("_address", "_admit", "_crowd", "_deadline", "_head", "_transport", "_waiting")

    def __init__(
        self, crowd: Crowd, waiting: set[_Arrival], admit: Callable[[asyncio.Transport, str, bytes], None]
    ) -> None:
        self._crowd = crowd
        self._waiting = waiting
        self._admit = admit
        self._head = bytearray()
        self._address = ""
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        if not self._crowd.enter(self._address):
            self._turn_away(limits.FULL)
            return
        self._waiting.add(self)
        self._deadline = asyncio.get_running_loop().call_later(limits.HEAD_S, self.abort)

    def data_received(self, data: bytes) -> None:
        if self not in self._waiting or self._transport is None:
            return
        seen = max(0, len(self._head) - len(_END))
        self._head += data
        end = self._head.find(_END, seen)
        if (len(self._head) if end < 0 else end) > limits.HEAD_MAX:
            self._turn_away(limits.LARGE)
        elif end >= 0:
            self._stop_waiting()
            self._admit(self._transport, self._address, bytes(self._head))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        if self in self._waiting:
            self._stop_waiting()
            self._crowd.leave(self._address)

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    def _stop_waiting(self) -> None:
        self._waiting.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()

    def _turn_away(self, status: bytes) -> None:
        if self._transport is not None:
            self._transport.write(limits.turned_away(status))
            self._transport.close()
