"""Who may speak: the state of one connection, from our side, as a pure object.

    ours:    idle ──ask──> asked ──answer of this id──> idle
                             └──────expire────────────> idle      (an answer that comes now is late: ignored, logged)

The station may have one call outstanding as well (OCPP-J 1.6, section 4.1.1). Stations that send more are answered
in order; who owns the socket slows them by not reading.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from commonwatt.protocols.ocppj.frame import Call, CallError, CallResult, Malformed, compose_call, parse

LATE_KEPT = 16
"""Expired calls that are remembered, to tell a late answer from one that nobody asked for."""


class Answered(msgspec.Struct, frozen=True):
    """The outstanding call has its answer."""

    call: Call
    answer: CallResult | CallError


class Ignored(msgspec.Struct, frozen=True):
    """A frame that changes nothing and is never answered."""

    reason: str


class Exchange:
    """One connection's turn-taking. `ask` and `expire` for our calls, `receive` for whatever arrives."""

    __slots__ = ("_late", "_outstanding")

    def __init__(self) -> None:
        """Begin with nothing outstanding."""
        self._outstanding: Call | None = None
        self._late: deque[str] | None = None

    @property
    def outstanding(self) -> Call | None:
        """Our call that waits for its answer."""
        return self._outstanding

    def ask(self, message_id: str, action: str, payload: dict[str, Any]) -> str:
        """Return the text of our next call. Raises RuntimeError while another is outstanding."""
        if self._outstanding is not None:
            msg = f"{self._outstanding.action} is still outstanding; OCPP-J allows one call at a time"
            raise RuntimeError(msg)
        self._outstanding = Call(message_id, action, payload)
        return compose_call(message_id, action, payload)

    def expire(self) -> None:
        """Give up waiting; an answer that still comes is late."""
        if self._outstanding is not None:
            if self._late is None:
                self._late = deque(maxlen=LATE_KEPT)
            self._late.append(self._outstanding.id)
            self._outstanding = None

    def receive(self, text: str) -> Call | Answered | Ignored | Malformed:
        """Read a frame: a call to handle, the answer that we wait for, or something to ignore or to complain of."""
        frame = parse(text)
        if type(frame) is Call or type(frame) is Malformed:
            return frame
        assert isinstance(frame, CallResult | CallError)  # noqa: S101 (the other two returned above)
        if self._outstanding is None or frame.id != self._outstanding.id:
            if self._late and frame.id in self._late:
                return Ignored("a late answer: the call had been given up")
            return Ignored("an answer to a call that was never made")
        call, self._outstanding = self._outstanding, None
        return Answered(call, frame)
