"""What a handler is: a translation of one message into a call of a feature, and of its result into an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from commonwatt.adapters.station.dialect import Caller, Received
from commonwatt.stations import FrameRow

Handler = Callable[[Caller, Received, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Takes who called, what arrived and its checked payload; returns the answer once everything is stored."""
Instantly = Callable[[Caller, dict[str, Any]], dict[str, Any]]
"""Answers from memory."""


def frame_of(caller: Caller, received: Received) -> FrameRow:
    """Return the frame of a call, to be stored with what it causes."""
    call = received.call
    return FrameRow(caller.identity, received.at_ms, "in", "call", call.action, call.id, received.text)
