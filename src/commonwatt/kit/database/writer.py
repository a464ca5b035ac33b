"""How a write happens: everything that waits goes into one transaction, each caller in a savepoint of its own.

One thread owns the writing connection. It takes all calls that wait, begins, runs each action in its savepoint, commits
once, then answers all callers. An action that raises undoes its own savepoint and only its caller hears of it. Calls of
`write_together` on one action that meet in a group are handed to it as one list, for the few hot paths that gain from
`executemany`; should the list fail, each call is tried alone, so that one bad call never spoils its neighbours.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from commonwatt.kernel import Clock, Ids, Unavailable, said
from commonwatt.kit.database.work import Note, Work

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

GROUP_MAX = 1000
"""Calls in one transaction at most, so that the first of them does not wait for ever."""
_log = structlog.get_logger("database")


class NotSaved(Unavailable):
    """The database could not commit; nothing of the request was stored."""

    slug = "not-saved"
    title = "Not saved"


@dataclass(slots=True)
class _Call:
    action: Callable[..., Any]
    run: Callable[[Work], Any] | None
    item: Any
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Database:
    """The only way to the tables: `write` and `write_together` for actions, `read` for queries.

    `inline` runs everything in the caller's own step, for the simulated world, where time is virtual.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids, *, inline: bool = False) -> None:
        """Take an engine whose tables exist."""
        self.engine = engine
        self.clock = clock
        self.ids = ids
        self.on_stored: list[Callable[[], None]] = []
        """Called on the loop after a commit that left events or effects in the outbox."""
        self.on_notes: list[Callable[[list[Note]], None]] = []
        """Called on the loop after a commit with the notes that its actions left."""
        self.heard: frozenset[str] | None = None
        """Kinds of event that somebody reacts to; others are not stored. None stores all."""
        self._inline = inline
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._queue: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="reader")
        self._closed = False
        self.commits = 0
        self.calls = 0

    async def write(self, action: Callable[Concatenate[Work, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an action in the next transaction and return its result once that is committed.

        Raises what the action raised (nothing of it is stored then), or NotSaved when the commit itself failed.
        """
        call = _Call(action, partial(_apply, action, args, kwargs), None, asyncio.get_running_loop().create_future())
        return await self._submit(call)  # type: ignore[no-any-return]

    async def write_together(self, action: Callable[[Work, Sequence[T]], Sequence[R]], item: T) -> R:
        """Run an action over all the items that wait for it at this moment; return the result for this item.

        The action returns one result per item, in order; a result that is an exception is raised to that caller.
        """
        call = _Call(action, None, item, asyncio.get_running_loop().create_future())
        return await self._submit(call)  # type: ignore[no-any-return]

    async def read(self, query: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a query on a connection of its own, in one snapshot, beside the writer."""
        if self._inline:
            return self._query(query, args, kwargs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._query, query, args, kwargs)

    def close(self) -> None:
        """Finish what waits and stop the writer; later calls raise NotSaved."""
        self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._readers.shutdown(wait=True)
        self.engine.dispose()

    def _query(self, query: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        with self.engine.connect() as connection:
            return query(connection, *args, **kwargs)

    async def _submit(self, call: _Call) -> Any:
        if self._closed:
            msg = said("The server is stopping; nothing was stored. Try again when it is back.")
            raise NotSaved(msg)
        if self._inline:
            with self.engine.connect().execution_options(immediate=True) as connection:
                self._answer([call], *self._transact(connection, [call]))
        else:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
                self._thread.start()
            self._queue.put(call)
        return await call.future

    def _serve(self) -> None:
        with self.engine.connect().execution_options(immediate=True) as connection:
            ending = False
            while not ending:
                first = self._queue.get()
                if first is None:
                    return
                group = [first]
                while len(group) < GROUP_MAX:
                    try:
                        call = self._queue.get_nowait()
                    except queue.Empty:
                        break
                    if call is None:
                        ending = True
                        break
                    group.append(call)
                stored, notes = self._transact(connection, group)
                first.future.get_loop().call_soon_threadsafe(self._answer, group, stored, notes)

    def _transact(self, connection: Connection, group: list[_Call]) -> tuple[bool, list[Note]]:
        """Run a group in one transaction; leave each call's result or error in the call."""
        works: list[Work] = []
        self.calls += len(group)
        try:
            with connection.begin():
                now = self.clock.now()
                for calls in _bundled(group):
                    work = Work(connection, now, self.ids, self.heard)
                    if self._run(connection, work, calls):
                        works.append(work)
                        continue
                    for call in calls if len(calls) > 1 else []:
                        alone = Work(connection, now, self.ids, self.heard)
                        if self._run(connection, alone, [call]):
                            works.append(alone)
        except (SQLAlchemyError, self._driver_error) as error:
            for call in group:
                call.error = NotSaved(
                    f"The database could not store this; nothing was changed. It said: {error}"
                ).in_words(said("The database could not store this; nothing was changed. Try again in a minute."))
            return False, []
        self.commits += 1
        return any(work.stored for work in works), [note for work in works for note in work.notes]

    def _run(self, connection: Connection, work: Work, calls: list[_Call]) -> bool:
        """Run one call, or one bundle, in a savepoint; return whether it held."""
        execute = connection.connection.cursor().execute  # the driver's own: two of these frame every call
        execute("SAVEPOINT call")
        first = calls[0]
        try:
            if first.run is not None:
                first.result = first.run(work)
            else:
                results = first.action(work, [call.item for call in calls])
                for call, result in zip(calls, results, strict=True):
                    call.error = result if isinstance(result, Exception) else None
                    call.result = result
        except Exception as error:  # noqa: BLE001 (whatever it is, its own caller hears of it)
            execute("ROLLBACK TO call")
            execute("RELEASE call")
            for call in calls:
                call.error = error
            return False
        execute("RELEASE call")
        return True

    def _answer(self, group: list[_Call], stored: bool, notes: list[Note]) -> None:  # noqa: FBT001
        for call in group:
            try:
                _tell(call)
            except Exception as error:  # noqa: BLE001 (one caller that cannot be told must not leave the others waiting)
                _log.error("caller not answered", error=repr(error))
                call.future.cancel()
        if stored:
            for wake in self.on_stored:
                wake()
        if notes:
            for hear in self.on_notes:
                hear(notes)


def _tell(call: _Call) -> None:
    """Answer one caller; StopIteration, which no future takes, comes inside a RuntimeError, as from a generator."""
    if call.future.done():
        return
    error = call.error
    if isinstance(error, StopIteration):
        error = RuntimeError(f"The action raised {error!r}.")
        error.__cause__ = call.error
    if error is not None:
        call.future.set_exception(error)
    else:
        call.future.set_result(call.result)


def _apply(action: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any], work: Work) -> R:
    return action(work, *args, **kwargs)


def _bundled(group: list[_Call]) -> list[list[_Call]]:
    """Put the calls of one bundled action together, at the place of their first; single calls stay alone."""
    bundles: dict[Callable[..., Any], list[_Call]] = {}
    ordered: list[list[_Call]] = []
    for call in group:
        if call.run is not None:
            ordered.append([call])
        elif (bundle := bundles.get(call.action)) is not None:
            bundle.append(call)
        else:
            bundles[call.action] = [call]
            ordered.append(bundles[call.action])
    return ordered


__all__ = ["Database", "NotSaved"]
