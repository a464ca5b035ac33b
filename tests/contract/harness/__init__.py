"""What the contract suite needs of an adapter's test bench: one module here per folder of `adapters/payment`.

A module is named as its adapter and has
* `missing() -> str | None`: the peer that is not there on this machine, and how to get it (the suite skips with it),
* `harness(request, tmp_path)`: an asynchronous context manager that yields a `Harness`,
* optionally `MARKS`: pytest marks of its tests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from commonwatt.payments.ports import Rail


@dataclass
class Harness:
    """Two ends of one network, both as rails."""

    ours: Rail
    """The adapter under test, with enough to pay 100,000,000 msat out of."""
    theirs: Rail
    """Somebody else's node, of any adapter that holds, with as much."""
    pass_time: Callable[[int], Awaitable[None]]
    """Let so many seconds pass on both nodes: step their clock, or wait."""
    reopen: Callable[[], Awaitable[Rail]]
    """Forget `ours` as a crash of our process would, and return a new rail to the same node."""
    interrupt: Callable[[], Awaitable[None]]
    """Break the connections of `ours` to its node, so that `watch` must recover by itself."""
    open_amount_invoice: Callable[[], Awaitable[str]] | None = None
    """An invoice of theirs that names no amount, where they can issue one."""
