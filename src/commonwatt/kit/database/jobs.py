"""Runs what waits in the outbox: reactions inside a transaction, effects against the world, until the end is known.

A reaction runs and its row is marked done in one commit, so it happens exactly once. An effect's handler talks to the
world and answers in three values: `Done` ends the job, `Failed` leaves it dead with its reason for a person to see,
`Unknown` and exceptions send it back to wait, twice as long each time. Handlers are idempotent: after a crash an
effect that was running is run again. How a job ended is itself a write: should the database not store it, the job keeps
its slot and the write is tried again, so that no row is left running with nobody at work on it.

Jobs run in lanes, each with slots of its own: however many effects of one lane wait for a node that does not answer,
reactions and the effects of other lanes go on beside them. In a lane whoever is due for longest comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, Row, func, select, text, update

from commonwatt.kernel import Done, Failed, Instant, Missing, Outcome, Refused, Unavailable
from commonwatt.kit.database.outbox import DEAD, DONE, RUNNING, WAITING, Effect, Event, outbox
from commonwatt.kit.database.work import Work
from commonwatt.kit.database.writer import Database

Reaction = Callable[[Work, Any], object]
Action = Callable[[Work], object]
Handler = Callable[[Any], Awaitable[Outcome[Any]]]

FIRST_DELAY_MS = 500
LONGEST_DELAY_MS = 60_000
ATTEMPTS_MAX = 20
"""After so many exceptions a job is dead; `Unknown` never kills one, because it may have happened, nor `Unavailable`,
because the world comes back. Exceptions are counted while the process lives: a start, perhaps with a better program,
tries as often again."""
REACTING_MAX = 64
"""So many reactions wait for their commit at once."""
STORE_FIRST_S, STORE_LONGEST_S = 0.5, 30.0
"""How long a write that was not stored waits before it is tried again: twice as long each time, up to the longest."""
STUMBLE_S = 1.0
"""How long the runner rests when it cannot read what is due."""
KEPT_MS = 24 * 3600 * 1000
"""Done jobs stay visible for a day."""

_COLUMNS = ", ".join(column.name for column in outbox.c)
_WAITING = (  # the index holds those that run too, and SQLite takes another one unless told
    f"FROM outbox INDEXED BY ix_outbox_due WHERE state IN ('{WAITING}', '{RUNNING}') AND state = '{WAITING}'"
)
_NEXT_DUE = f"SELECT min(due_ms) {_WAITING} AND due_ms > ?"
_BRING_FORWARD = (
    "UPDATE outbox SET made_ms = min(made_ms, :now), due_ms = min(due_ms, :now + CASE attempts WHEN 0 "
    "THEN due_ms - made_ms ELSE min(:longest, :first << min(attempts - 1, 16)) END) "
    "WHERE state = :waiting AND due_ms > :now"
)

_log = structlog.get_logger("jobs")


@dataclass(frozen=True, slots=True)
class Every:
    """A step that repeats: each so many seconds, and once at the start."""

    name: str
    seconds: int
    step: Callable[[], Awaitable[object]]
    begins_s: int = 0
    """How long after the start the first round begins, for one that would delay what everybody waits for then."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Effects that share slots, because they wait for the same part of the world."""

    handlers: Mapping[type[Effect], Handler]
    slots: int


@dataclass(slots=True)
class _Lane:
    """A lane as it runs: the query for what is due in it, and how many of its slots are free."""

    due: str
    kinds: tuple[str, ...]
    slots: int
    free: int


class Jobs:
    """The one runner of a process. `start` takes up what an earlier process left; `stop` lets the running end."""

    def __init__(
        self,
        database: Database,
        reactions: Mapping[type[Event], Sequence[Reaction]],
        lanes: Sequence[Lane],
        every: Sequence[Every] = (),
        *,
        on_set_back: Sequence[Action] = (),
    ) -> None:
        """Take the tables of who reacts to what and who performs what; reactions have a lane of their own.

        `on_set_back` bounds what else waits for an instant of our clock: each is called, in one write with the waiting
        jobs, when the clock shows less than before, and at the start, as it may have been set back while we were away.
        """
        self._database = database
        self._reactions = {event.kind: (event, tuple(actions)) for event, actions in reactions.items()}
        self._handlers = {effect.kind: (effect, handler) for lane in lanes for effect, handler in lane.handlers.items()}
        self._lanes = _lanes(lanes)
        self._every = every
        self._on_set_back = tuple(on_set_back)
        self._wake = asyncio.Event()
        self._flying: dict[int, asyncio.Task[None]] = {}
        self._raised: Counter[int] = Counter()
        """How many exceptions each job that is not ended has met."""
        self._latest = Instant(0)
        """What the clock showed when jobs were taken last."""
        self._stopping = False
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Send what was running when the last process ended back to wait, and begin."""
        await self._database.write(_recover, self._on_set_back)
        self._database.on_stored.append(self._wake.set)
        self._loops = [asyncio.create_task(self._serve(), name="jobs")]
        self._loops += [asyncio.create_task(self._repeat(every), name=f"every {every.name}") for every in self._every]

    async def stop(self) -> None:
        """Stop taking jobs and wait for the ones that run; what is left goes on at the next start."""
        self._stopping = True
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._flying:
            _, late = await asyncio.wait(self._flying.values(), timeout=5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def check(self) -> str | None:
        """Return what is wrong with the runner, None when it runs: for readiness probes."""
        ended = [loop.get_name() for loop in self._loops if loop.done()]
        return f"not running: {', '.join(ended)}" if ended or not self._loops else None

    async def settle(self) -> None:
        """Return when nothing is due any more: for tests."""
        while True:
            soonest = await self._database.read(_soonest)
            if not self._flying and (soonest is None or soonest > self._database.clock.now().ms):
                return
            self._wake.set()
            await asyncio.sleep(0.005)

    async def _serve(self) -> None:
        while True:
            try:
                await self._serve_once()
            except Exception as error:  # noqa: BLE001 (a round that fails must not end the rounds)
                _log.warning("jobs could not be taken", error=repr(error))
                await asyncio.sleep(STUMBLE_S)

    async def _serve_once(self) -> None:
        """Take what is due and has a slot, and return when more may be."""
        self._wake.clear()
        now = self._database.clock.now()
        if now < self._latest:
            await self._database.write(_bring_forward, self._on_set_back)
        self._latest = now
        free = [(lane, lane.free) for lane in self._lanes if lane.free]
        due, soonest = await self._database.read(_due, now, free, frozenset(self._flying))
        for lane, row in due:
            self._take(lane, row)
        wait = 5.0 if soonest is None else min(5.0, Instant(soonest).since(now) / 1000)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(wait, 0.01)):  # wait_for of Python 3.11 can swallow a cancellation
                await self._wake.wait()

    def _take(self, lane: _Lane, row: Row[Any]) -> None:
        lane.free -= 1
        task = asyncio.create_task(self._perform(row), name=f"job {row.kind}")
        self._flying[row.id] = task
        task.add_done_callback(lambda _done: self._land(lane, row.id))

    def _land(self, lane: _Lane, job_id: int) -> None:
        self._flying.pop(job_id, None)
        lane.free += 1
        self._wake.set()

    async def _repeat(self, every: Every) -> None:
        if every.begins_s:
            await asyncio.sleep(every.begins_s)
        while True:
            try:
                await every.step()
            except Exception as error:  # noqa: BLE001 (a failing round must not end the rounds)
                _log.warning("repeated step failed", step=every.name, error=repr(error))
            await asyncio.sleep(every.seconds)

    async def _perform(self, row: Row[Any]) -> None:
        try:
            end, *values = await self._attempt(row)
        except Exception as error:  # noqa: BLE001 (whatever it is, the job waits and its reason is kept)
            end, *values = self._judge(row, error)
        if end is not None:
            await self._store(row, end, *values)

    async def _attempt(self, row: Row[Any]) -> tuple[Any, ...]:
        """Run a job once; return the action that stores how it ended and its values, (None,) where that is stored."""
        if row.kind in self._reactions and row.kind not in self._handlers:
            event, actions = self._reactions[row.kind]
            await self._database.write(_react, row.id, msgspec.json.decode(row.payload, type=event), actions)
            self._raised.pop(row.id, None)
            return (None,)
        if row.kind not in self._handlers:
            return _end, DONE, None
        effect, handler = self._handlers[row.kind]
        await self._database.write(_claim, row.id)
        match await handler(msgspec.json.decode(row.payload, type=effect)):
            case Done():
                return _end, DONE, None
            case Failed(reason, _):
                return _end, DEAD, reason
            case unknown:
                return _wait, row.attempts + 1, unknown.reason

    def _judge(self, row: Row[Any], error: Exception) -> tuple[Any, ...]:
        """Say what becomes of a job that met an exception: it waits, or it is dead."""
        if not isinstance(error, Unavailable):
            self._raised[row.id] += 1
        final = isinstance(error, Refused | Missing) or self._raised[row.id] >= ATTEMPTS_MAX
        reason = str(error) if isinstance(error, Refused | Missing | Unavailable) else repr(error)
        _log.warning("job failed", job=row.id, kind=row.kind, attempts=row.attempts + 1, dead=final, error=reason)
        return (_end, DEAD, reason) if final else (_wait, row.attempts + 1, reason)

    async def _store(self, row: Row[Any], end: Callable[..., None], *values: Any) -> None:
        """Store how a job ended, however often the database must be asked; a stopping process leaves it to the next."""
        rest_s = STORE_FIRST_S
        while True:
            try:
                await self._database.write(end, row.id, *values)
            except Exception as error:  # noqa: BLE001 (whatever it is, the row must not stay as if somebody ran it)
                if self._stopping:
                    return
                _log.warning("end of a job not stored", job=row.id, kind=row.kind, error=repr(error))
                await asyncio.sleep(rest_s)
                rest_s = min(STORE_LONGEST_S, rest_s * 2)
            else:
                if end is _end:
                    self._raised.pop(row.id, None)
                return


def retry(work: Work, job_id: int) -> None:
    """Send a dead job back to wait, with its attempts forgotten. Raises Missing when it is not dead."""
    statement = update(outbox).where(outbox.c.id == job_id, outbox.c.state == DEAD)
    if work.sql.execute(statement.values(state=RUNNING, attempts=0, ended_ms=None)).rowcount != 1:
        msg = f"Job {job_id} is not among the dead ones; it may have been retried already."
        raise Missing(msg)
    _let_wait(work, job_id, due_ms=work.now.ms)
    work.tell("jobs", WAITING, id=job_id)


def prune(work: Work) -> int:
    """Remove jobs that were done more than a day ago; return how many."""
    statement = text("delete from outbox where state = 'done' and ended_ms < :before")
    return work.sql.execute(statement, {"before": work.now.ms - KEPT_MS}).rowcount


def _lanes(lanes: Sequence[Lane]) -> list[_Lane]:
    """Open each lane, and one for all other kinds: events, and effects that nobody performs any more."""
    opened = [_lane("IN", tuple(effect.kind for effect in lane.handlers), lane.slots) for lane in lanes]
    return [_lane("NOT IN", tuple(kind for lane in opened for kind in lane.kinds), REACTING_MAX), *opened]


def _lane(among: str, kinds: tuple[str, ...], slots: int) -> _Lane:
    marks = ", ".join("?" * len(kinds))
    due = f"SELECT {_COLUMNS} {_WAITING} AND due_ms <= ? AND kind {among} ({marks}) ORDER BY due_ms, id LIMIT ?"
    return _Lane(due, kinds, slots, slots)


def _due(
    connection: Connection, now: Instant, free: Sequence[tuple[_Lane, int]], flying: frozenset[int]
) -> tuple[list[tuple[_Lane, Row[Any]]], int | None]:
    """Return what is due, for each lane as much as has a free slot, and when the next job will be due.

    Those that fly may still be waiting in this snapshot, but of a lane never more than have a slot.
    """
    due: list[tuple[_Lane, Row[Any]]] = []
    for lane, slots in free:
        rows = connection.exec_driver_sql(lane.due, (now.ms, *lane.kinds, lane.slots)).all()
        due += [(lane, row) for row in rows if row.id not in flying][:slots]
    return due, connection.exec_driver_sql(_NEXT_DUE, (now.ms,)).scalar()


def _soonest(connection: Connection) -> int | None:
    """Return when the first of all jobs without an end was due, those that run among them."""
    return connection.execute(select(func.min(outbox.c.due_ms)).where(outbox.c.state.in_((WAITING, RUNNING)))).scalar()


def _recover(work: Work, on_set_back: Sequence[Action]) -> None:
    for job_id in work.sql.execute(select(outbox.c.id).where(outbox.c.state == RUNNING)).scalars().all():
        _let_wait(work, job_id)
    _bring_forward(work, on_set_back)


def _bring_forward(work: Work, on_set_back: Sequence[Action]) -> None:
    """Let nobody wait longer than once more for its delay: after our clock was set back, `due_ms` may lie far ahead.

    A job in back-off is due after that back-off at the latest, one that was just made as long after now as was wished.
    What was made before the present instant and asked for a later one keeps it.
    """
    delays = {"longest": LONGEST_DELAY_MS, "first": FIRST_DELAY_MS}
    work.sql.execute(text(_BRING_FORWARD), {"now": work.now.ms, "waiting": WAITING, **delays})
    for bound in on_set_back:
        bound(work)


def _claim(work: Work, job_id: int) -> None:
    work.sql.exec_driver_sql("UPDATE outbox SET state = 'running' WHERE id = ?", (job_id,))


def _end(work: Work, job_id: int, state: str, reason: str | None) -> None:
    statement = "UPDATE outbox SET state = ?, error = ?, ended_ms = ? WHERE id = ?"
    work.sql.exec_driver_sql(statement, (state, reason, work.now.ms, job_id))
    work.tell("jobs", state, id=job_id)


def _wait(work: Work, job_id: int, attempts: int, reason: str) -> None:
    delay = min(LONGEST_DELAY_MS, FIRST_DELAY_MS << min(attempts - 1, 16))
    _let_wait(work, job_id, attempts=attempts, error=reason, due_ms=work.now.ms + delay)
    work.tell("jobs", WAITING, id=job_id)


def _let_wait(work: Work, job_id: int, **values: object) -> None:
    """Send a job back to wait; one whose key was requested anew while it ran is done by the newer one instead."""
    one = outbox.c.id == job_id
    changed = work.sql.execute(update(outbox).prefix_with("OR IGNORE").where(one).values(state=WAITING, **values))
    if changed.rowcount != 1:
        work.sql.execute(update(outbox).where(one).values(state=DONE, ended_ms=work.now.ms, error="requested anew"))


def _react(work: Work, job_id: int, event: Event, actions: Sequence[Reaction]) -> None:
    for action in actions:
        action(work, event)
    _end(work, job_id, DONE, None)
