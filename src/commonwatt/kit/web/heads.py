"""uvicorn's connection with what it lacks: room for it, and a time and a size for the head of every request.

A head's time begins with the connection, and later with the first byte after an answer; in between uvicorn's own
keep-alive ends what is idle. Bodies and answers have no such time: an upload may be slow, a live stream lasts.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from commonwatt.kit import crowd as limits
from commonwatt.kit.crowd import Crowd


class HeadTooLarge(Exception):
    """Ends the parsing of a head that was answered already."""


class TimedHeads(HttpToolsProtocol):
    """One connection."""

    def __init__(self, crowd: Crowd, **options: Any) -> None:
        """Take the crowd that it belongs to, and what uvicorn gives its connections."""
        super().__init__(**options)
        self._crowd = crowd
        self._inside: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = True
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or say that there is no room."""
        super().connection_made(cast("asyncio.Transport", transport))
        address = self.client[0] if self.client else ""
        if not self._crowd.enter(address):
            self._turn_away(limits.FULL)
            return
        self._inside = address
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._forget_deadline()
        if self._inside is not None:
            self._crowd.leave(self._inside)
            self._inside = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; a head that is not whole must not go on growing."""
        if self._in_head:
            self._head_bytes += len(data)
            self._expect_head()
        super().data_received(data)
        if self._in_head and self._head_bytes > limits.HEAD_MAX and not self.transport.is_closing():
            self._turn_away(limits.LARGE)

    def on_message_begin(self) -> None:
        """A head begins, perhaps behind another request in the same packet."""
        self._in_head = True
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the application decides."""
        self._forget_deadline()
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > limits.HEAD_MAX:
            self._turn_away(limits.LARGE)
            raise HeadTooLarge
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head may come."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, unless it was answered already."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(limits.HEAD_S, self.transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _turn_away(self, status: bytes) -> None:
        """Answer and close; nothing is written into the middle of another answer."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None or cycle.response_complete:
            self.transport.write(limits.turned_away(status))
        self.transport.close()
