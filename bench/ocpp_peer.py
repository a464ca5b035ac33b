"""The peer: the package `ocpp` as its documentation builds a central system, on the socket library that we use.

It validates by its own means in both directions and answers; it stores, prices and keeps nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result


class Socket:
    """What the package wants of a connection."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        """Wrap a socket that is open."""
        self.socket = socket

    async def recv(self) -> str:
        """Return the next frame."""
        return await self.socket.receive_str()

    async def send(self, text: str) -> None:
        """Write a frame."""
        await self.socket.send_str(text)


class Peer(ChargePoint):
    """The three calls that are measured, answered at once."""

    @on("MeterValues")
    def on_meter_values(self, **_payload: object) -> call_result.MeterValues:
        """Answer a MeterValues."""
        return call_result.MeterValues()

    @on("Heartbeat")
    def on_heartbeat(self, **_payload: object) -> call_result.Heartbeat:
        """Answer a Heartbeat."""
        return call_result.Heartbeat(datetime.now(UTC).isoformat())

    @on("StatusNotification")
    def on_status_notification(self, **_payload: object) -> call_result.StatusNotification:
        """Answer a StatusNotification."""
        return call_result.StatusNotification()


async def answer_as_peer(socket: web.WebSocketResponse, identity: str) -> None:
    """Answer every call until the socket closes."""
    try:
        await Peer(identity, Socket(socket)).start()
    except TypeError:  # `receive_str` says so of a close frame
        return
