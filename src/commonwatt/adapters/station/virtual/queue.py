"""What a station owes the server about its transactions: kept in order, sent until answered, even over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from commonwatt.kernel import Instant

TRANSACTION_ACTIONS: Final = frozenset({"StartTransaction", "MeterValues", "StopTransaction"})


class Due(msgspec.Struct, kw_only=True, eq=False):
    """One message that waits; `key` names its transaction, whose number is filled in when it is sent."""

    action: str
    payload: dict[str, Any]
    key: str | None = None
    not_before_ms: int = 0
    attempts: int = 0
    repeats: int = 0
    """How many more times the station sends it after it was answered, wrongly."""


class MessageQueue:
    """First in, first out, except that a message which is held back does not hold up those of other transactions."""

    def __init__(self, waiting: list[Due] | None = None) -> None:
        """Begin with what was left from before a restart."""
        self._waiting = waiting or []

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Due]:
        return iter(self._waiting)

    def append(self, due: Due) -> None:
        """Put a message at the end."""
        self._waiting.append(due)

    def next_due(self, now: Instant) -> Due | None:
        """Return the first message that may go now, or None."""
        held: set[str | None] = set()
        for due in self._waiting:
            if due.key is None or due.key not in held:
                if due.not_before_ms <= now.ms:
                    return due
                held.add(due.key)
        return None

    def next_at(self) -> Instant | None:
        """Return the earliest moment at which some message may go, or None when none waits."""
        return Instant(min(due.not_before_ms for due in self._waiting)) if self._waiting else None

    def answered(self, due: Due) -> None:
        """Take a message off; one that the station repeats by mistake stays for another time."""
        if due.repeats > 0:
            due.repeats -= 1
        else:
            self._waiting.remove(due)

    def forget_status(self) -> None:
        """Drop what is stale after a lost connection: only transaction messages are owed for ever (1.6, 4.9)."""
        self._waiting = [due for due in self._waiting if due.action in TRANSACTION_ACTIONS]
