"""What an action gets: a connection inside the running transaction, the instant, fresh ids, and the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from commonwatt.kernel import Ids, Instant
from commonwatt.kit.database.outbox import Effect, Event, store_effect, store_event


@dataclass(frozen=True, slots=True)
class Note:
    """Something that live pages may show now and nobody needs later: told after the commit, never stored.

    `topic` names what it is about ("session/0198...", "station/CP-1"); `data` is JSON for the browser.
    """

    topic: str
    name: str
    data: dict[str, Any]


class Work:
    """One caller's share of a transaction. Actions never commit; what they raise undoes just their own share."""

    __slots__ = ("_heard", "_stored", "ids", "notes", "now", "sql")

    def __init__(self, sql: Connection, now: Instant, ids: Ids, heard: frozenset[str] | None = None) -> None:
        """Join an open connection, the instant of the transaction, the source of ids, and who reacts to what."""
        self._heard = heard
        self.sql = sql
        self.now = now
        self.ids = ids
        self.notes: list[Note] = []
        self._stored = 0

    def new_id(self) -> str:
        """Return a fresh UUIDv7 of this instant."""
        return self.ids.new(self.now)

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for every row, by the driver itself: for the hot paths that a profile names."""
        if rows:
            self.sql.connection.cursor().executemany(statement, rows)

    def emit(self, event: Event) -> None:
        """Store what happened; `main/reactions.py` says who hears of it, in a transaction of its own."""
        if self._heard is not None and event.kind not in self._heard:
            return
        store_event(self.sql, self.now, event)
        self._stored += 1

    def request(self, effect: Effect, *, after_ms: int = 0, key: str | None = None, hasten: bool = False) -> None:
        """Store what the world is asked to do; a job does it after the commit, again until it is known.

        `after_ms` delays it. A `key` that is already waiting makes the request a no-op (one reconciliation at a time);
        to `hasten` puts this effect in its place, due at once if it was later.
        """
        store_effect(self.sql, self.now, effect, after_ms=after_ms, key=key, hasten=hasten)
        self._stored += 1

    def tell(self, topic: str, name: str, **data: Any) -> None:
        """Leave a note for live pages."""
        self.notes.append(Note(topic, name, data))

    @property
    def stored(self) -> bool:
        """Whether events or effects wait in the outbox because of this work."""
        return self._stored > 0
