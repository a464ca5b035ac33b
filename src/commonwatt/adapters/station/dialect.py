"""A version of OCPP, as the link and the hub see it; and the station at the other end, as a dialect sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from commonwatt.kernel import Clock, Instant
from commonwatt.protocols.ocppj import Call, ErrorCode

DRIFT_MS = 10 * 60_000
"""How long the largest drift that was seen is believed."""


class Refusal(Exception):
    """A call that is answered with a CALLERROR, or a request of ours that is against the schema."""

    def __init__(self, code: ErrorCode, description: str, **details: str) -> None:
        """Say which code of the standard, what is wrong, and where."""
        super().__init__(description)
        self.code = code
        self.description = description
        self.details = details


class Received(msgspec.Struct, frozen=True):
    """A call with the text and the moment of its arrival, for who stores the frame in a transaction of its own."""

    call: Call
    text: str
    at_ms: int


class Caller:
    """The station at the other end of a link, for as long as the link lives."""

    __slots__ = (
        "_drift_at_ms", "address", "admitted", "clock", "drift_ms", "flag", "identity", "seen_ms", "trusted", "waivers",
    )  # fmt: skip

    def __init__(
        self,
        identity: str,
        *,
        clock: Clock,
        flag: Callable[[str, str, str], None],
        admitted: bool = True,
        trusted: bool = True,
        waivers: frozenset[str] = frozenset(),
        address: str = "",
    ) -> None:
        """Know a station by its identity; `flag(identity, slug, detail)` counts a quirk of it."""
        self.identity = identity
        self.clock = clock
        self.flag = flag
        self.admitted = admitted
        """False in the waiting room, where only the most harmless calls are answered."""
        self.trusted = trusted
        """Whether its connection may go on as it is once an operator admits it."""
        self.waivers = waivers
        self.address = address
        self.drift_ms: int | None = None
        """How far the station's clock is ahead of ours; a message that was delayed only makes it look slower."""
        self._drift_at_ms = 0
        self.seen_ms = clock.now().ms

    def note_time(self, said: Instant, now: Instant) -> None:
        """Learn the drift from a time that the station wrote just now: the largest of some minutes is the nearest.

        An older one is forgotten, for the station's clock may have been set since.
        """
        drift = said.ms - now.ms
        if self.drift_ms is None or drift > self.drift_ms or now.ms - self._drift_at_ms >= DRIFT_MS:
            self.drift_ms = drift
            self._drift_at_ms = now.ms


class Dialect(Protocol):
    """One version of OCPP. Everything it answers is the text of a whole frame."""

    subprotocol: str
    """The name in the WebSocket handshake."""
    from_memory: frozenset[str]
    """Actions whose `answer_now` needs no database."""
    durable: frozenset[str]
    """Actions whose frame the dialect stores itself, in the transaction of their effect."""

    def answer_now(self, caller: Caller, call: Call) -> str:
        """Answer one of `from_memory`."""
        ...

    async def answer(self, caller: Caller, received: Received) -> str:
        """Answer any call, once what it caused is stored."""
        ...

    def check_request(self, action: str, payload: dict[str, Any]) -> None:
        """Raise Refusal when our request is unknown or against its schema."""
        ...

    def read_answer(self, caller: Caller, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Return a station's answer, repaired where that is certain; raise Refusal when it means nothing."""
        ...

    async def learn(self, caller: Caller, action: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Remember what an answer tells of the station."""
        ...

    def remote_start(self, connector: int, id_tag: str) -> tuple[str, dict[str, Any]]:
        """Return the action and payload that ask to start."""
        ...

    def remote_stop(self, transaction_id: int) -> tuple[str, dict[str, Any]]:
        """Return the action and payload that ask to stop."""
        ...

    def set_rhythm(self, seconds: int) -> tuple[str, dict[str, Any]]:
        """Return the action and payload that ask for a reading every so many seconds."""
        ...

    def ask_reading(self, connector: int) -> tuple[str, dict[str, Any]]:
        """Return the action and payload that ask for a reading now."""
        ...

    def announce_again(self) -> tuple[str, dict[str, Any]]:
        """Return the action and payload that ask a station to introduce itself again."""
        ...

    def accepted(self, answer: dict[str, Any]) -> bool:
        """Whether the answer to what we asked is a yes."""
        ...
