"""The outbox: what happened and what the world is asked to do, stored in the transaction that caused it.

An `Event` is a fact in the past tense, an `Effect` a request in the imperative; both are frozen dataclasses of JSON
values. One table holds both as jobs: an event's job runs its reactions in a transaction of its own and is marked done
in the same commit; an effect's job talks to the world and is repeated until the answer is known.

    waiting ──claim──> running ──> done
       ^                  │
       └──── back-off ────┴──> dead (with its reason; a person may send it back to waiting)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from sqlalchemy import BigInteger, Column, Connection, Index, Integer, String, Table, Text, func, select, text

from commonwatt.kernel import Instant
from commonwatt.kit.database.schema import metadata

WAITING, RUNNING, DONE, DEAD = "waiting", "running", "done", "dead"

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(80), nullable=False),
    Column("payload", Text, nullable=False),
    Column("key", String(200)),
    Column("state", String(10), nullable=False, server_default=WAITING),
    Column("made_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("ended_ms", BigInteger),
    Index("ix_outbox_due", "due_ms", sqlite_where=text("state in ('waiting', 'running')")),
    Index("uq_outbox_key", "key", unique=True, sqlite_where=text("state = 'waiting' and key is not null")),
    Index("ix_outbox_state", "state", "id"),
)

_AWAITED = (
    f"SELECT 1 FROM outbox WHERE key = ?1 AND state = '{WAITING}'"  # noqa: S608 (constants)
    f" UNION ALL SELECT 1 FROM outbox WHERE state = '{RUNNING}' AND key = ?1 LIMIT 1"
)
_INSERT = "INSERT OR IGNORE INTO outbox (kind, payload, key, made_ms, due_ms) VALUES (?, ?, ?, ?, ?)"
_HASTEN = (
    "UPDATE outbox SET payload = ?, due_ms = min(due_ms, ?), attempts = 0 "
    "WHERE kind = ? AND key = ? AND state = 'waiting'"
)
_encode = msgspec.json.Encoder().encode


class Event:
    """A fact, named in the past tense. Subclass as a frozen dataclass of JSON values; set `kind`."""

    __slots__ = ()
    kind: ClassVar[str]


class Effect:
    """A request to the world, named in the imperative. Subclass as a frozen dataclass of JSON values; set `kind`."""

    __slots__ = ()
    kind: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the outbox, as its handler and the jobs page see it."""

    id: int
    kind: str
    payload: dict[str, Any]
    state: str
    attempts: int
    made_ms: int
    due_ms: int
    error: str | None = None
    key: str | None = None
    ended_ms: int | None = None


def store_event(sql: Connection, now: Instant, event: Event) -> None:
    """Write an event's row."""
    _store(sql, now, event.kind, event)


def store_effect(
    sql: Connection, now: Instant, effect: Effect, *, after_ms: int, key: str | None, hasten: bool = False
) -> None:
    """Write an effect's row, due after the delay; a waiting row of the same key is left alone, or hastened."""
    if hasten:
        payload = _encode(effect).decode()
        if sql.exec_driver_sql(_HASTEN, (payload, now.ms + after_ms, effect.kind, key)).rowcount:
            return
    _store(sql, now, effect.kind, effect, key=key, after_ms=after_ms)


def _store(
    sql: Connection, now: Instant, kind: str, value: object, *, key: str | None = None, after_ms: int = 0
) -> None:
    payload = _encode(value).decode()
    sql.exec_driver_sql(_INSERT, (kind, payload, key, now.ms, now.ms + after_ms))


def is_awaited(sql: Connection, key: str) -> bool:
    """Whether an effect of a key has no end yet; each half of the question is answered by an index."""
    return sql.exec_driver_sql(_AWAITED, (key,)).first() is not None


def count_dead(sql: Connection) -> int:
    """Return how many events and effects ended without success and wait for somebody."""
    dead = select(func.count()).select_from(outbox).where(outbox.c.state == DEAD)
    return int(sql.execute(dead).scalar_one())
