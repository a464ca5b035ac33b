"""What may go wrong on request: the sandbox misbehaves exactly as told, once per planned fault."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

from commonwatt.kernel import Failed, Outcome, Unknown
from commonwatt.payments.ports import InvoiceState

T = TypeVar("T")


class Fault(StrEnum):
    """One thing that goes wrong with one call."""

    FAIL = "fail"
    """It does not happen, and the answer says so."""
    LOSE_REQUEST = "lose request"
    """It does not happen, and no answer comes."""
    LOSE_ANSWER = "lose answer"
    """It happens, and no answer comes."""


class Faults:
    """The faults of one rail. Plan them by the name of the method: `faults.plan("pay", Fault.LOSE_ANSWER)`."""

    def __init__(self) -> None:
        """Begin without any."""
        self.down = False
        """Nothing is reachable: every call ends as Unknown before it happens, and news are lost."""
        self.delay_ms = 0
        """Every call takes so much longer."""
        self.drop: set[InvoiceState] = set()
        """News of these states never arrive by the stream."""
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)

    def plan(self, method: str, fault: Fault, times: int = 1) -> None:
        """Let the next calls of a method go wrong."""
        self._planned[method].extend([fault] * times)

    def clear(self) -> None:
        """Heal the world."""
        self.down = False
        self.delay_ms = 0
        self.drop.clear()
        self._planned.clear()

    async def around(self, method: str, call: Callable[[], Awaitable[Outcome[T]]]) -> Outcome[T]:
        """Make a call, or let it go wrong as planned."""
        if self.delay_ms:
            await asyncio.sleep(self.delay_ms / 1000)
        if self.down:
            return Unknown("the sandbox is down")
        planned = self._planned[method]
        match planned.popleft() if planned else None:
            case None:
                return await call()
            case Fault.FAIL:
                return Failed("the sandbox failed this as it was told to")
            case Fault.LOSE_REQUEST:
                return Unknown("the request was lost")
            case Fault.LOSE_ANSWER:
                await call()
                return Unknown("the answer was lost")
