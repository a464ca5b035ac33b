"""A socket, as a link sees it: the real one is in `websocket`, the simulated world brings its own."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """One open connection that carries text frames. Whoever does not call `receive` slows the other side down."""

    async def send(self, text: str) -> None:
        """Send one frame; a closed connection swallows it."""
        ...

    async def receive(self) -> str | None:
        """Return the next frame, or None once the connection is closed; a binary frame arrives as an empty text."""
        ...

    async def ping(self) -> bool:
        """Return whether the other side answered a ping before the transport's own time was over."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close with a WebSocket code (RFC 6455, section 7.4); closing twice does nothing."""
        ...
