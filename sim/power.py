"""The power of the house: it may go at any commit, at any word to a node, and takes every running task with it.

A process that is killed runs nothing any more: no `finally` writes, no answer leaves. Here its tasks are known by a
context variable that they inherit; when the power goes, the database refuses and all of them are cancelled, so that
what was committed and what the outside world did is all that is left.
"""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from commonwatt.adapters.payment.sandbox.faults import Faults
from commonwatt.kernel import Outcome
from commonwatt.kit.database import Database

T = TypeVar("T")
_home: contextvars.ContextVar[Power | None] = contextvars.ContextVar("power", default=None)


class PowerCut(BaseException):
    """The house is dead; whoever waits for its answer never gets one. Nothing in the house can catch it."""


class Fuse:
    """Blows after so many moments at which something had just been stored, or said to a node, or heard from it."""

    def __init__(self, cut: Callable[[], None]) -> None:
        """Take what happens when it blows; it is whole until it is lit."""
        self._cut = cut
        self.left: int | None = None

    def burn(self) -> None:
        """Pass one such moment; raises PowerCut when it was the last."""
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            self._cut()
            raise PowerCut


class Power:
    """One life of the house: the tasks that live by it, and its end."""

    def __init__(self) -> None:
        """Begin a life."""
        self.on = True
        self._tasks: weakref.WeakValueDictionary[int, asyncio.Task[Any]] = weakref.WeakValueDictionary()
        self._born = 0
        self._context = contextvars.copy_context()
        self._context.run(_home.set, self)

    def task(self, work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
        """Run something by this power."""
        return asyncio.get_running_loop().create_task(work, name=name, context=self._context)

    def take(self, task: asyncio.Task[Any]) -> None:
        """Count a task in."""
        self._born += 1
        self._tasks[self._born] = task

    def cut(self, database: Database | None) -> None:
        """End the life now: nothing is stored any more, nothing runs on."""
        self.on = False
        if database is not None:
            database._closed = True  # noqa: SLF001 (a dead process commits nothing)
            database.on_stored.clear()
            database.on_notes.clear()
        present = asyncio.current_task()
        for _, task in sorted(self._tasks.items()):
            if task is not present and not task.done():
                task.cancel()


def watch_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Let every task of the loop be counted in by the power that it lives by."""

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
        context = more.get("context")
        power = _home.get() if context is None else context.get(_home)
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
        if power is not None:
            power.take(task)
            if not power.on:
                task.cancel()
        return task

    loop.set_task_factory(make)
    loop.set_exception_handler(lambda _loop, _about: None)  # tasks that die with the power leave their PowerCut behind


def wire(database: Database, fuse: Fuse) -> None:
    """Let the fuse burn at every commit of a database."""
    write, together = database.write, database.write_together

    async def fused(action: Any, *args: Any, **kwargs: Any) -> Any:
        result = await write(action, *args, **kwargs)
        fuse.burn()
        return result

    async def fused_together(action: Any, item: Any) -> Any:
        result = await together(action, item)
        fuse.burn()
        return result

    database.write = fused  # type: ignore[method-assign]
    database.write_together = fused_together  # type: ignore[method-assign]


class FusedFaults(Faults):
    """The faults of a rail, with a fuse that burns before and after every word to the node."""

    def __init__(self, fuse: Fuse) -> None:
        """Take the fuse."""
        super().__init__()
        self._fuse = fuse

    async def around(self, method: str, call: Callable[[], Awaitable[Outcome[T]]]) -> Outcome[T]:
        """Make a call, or let it go wrong, or let the power go."""
        self._fuse.burn()
        outcome = await super().around(method, call)
        self._fuse.burn()
        return outcome
