"""A station's own time: real, accelerated, or a recorded past that somebody walks through by hand."""

from __future__ import annotations

import asyncio
from typing import Protocol

from commonwatt.kernel import Clock, Instant
from commonwatt.kit.clock import SystemClock


class Timeline(Protocol):
    """Tells a station's time and lets it pass."""

    def now(self) -> Instant:
        """Return the station's present."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of the station's time."""
        ...


class PacedTimeline:
    """Time that runs `speed` times as fast as a clock, from the moment at which it is made."""

    def __init__(self, clock: Clock | None = None, speed: float = 1.0) -> None:
        """Follow a clock (the system's unless told) at a speed; 60 makes a minute of each second."""
        if speed <= 0:
            raise ValueError("a speed is greater than zero")
        self._clock = clock or SystemClock()
        self._origin = self._clock.now()
        self._speed = speed

    def now(self) -> Instant:
        """Return the accelerated present."""
        if self._speed == 1.0:
            return self._clock.now()
        return self._origin.plus(ms=round(self._clock.now().since(self._origin) * self._speed))

    async def sleep(self, seconds: float) -> None:
        """Sleep the accelerated seconds."""
        await asyncio.sleep(seconds / self._speed)


class SharedTimeline:
    """Time of a clock that is accelerated already, for a world in which server and stations agree on the hour."""

    def __init__(self, clock: Clock, speed: float = 1.0) -> None:
        """Take the clock as it is; `speed` says how much faster than the event loop it runs."""
        self._clock = clock
        self._speed = speed

    def now(self) -> Instant:
        """Return what the clock says."""
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        """Sleep until the clock has moved on by so many seconds."""
        await asyncio.sleep(seconds / self._speed)


class WalkedTimeline:
    """Time that stands still until it is moved: for replaying a recorded past."""

    def __init__(self, start: Instant) -> None:
        """Stand at an instant."""
        self._now = start
        self._moved = asyncio.Event()

    def now(self) -> Instant:
        """Return where it stands."""
        return self._now

    def move(self, to: Instant) -> None:
        """Move on; it never goes back, so that an earlier instant changes nothing."""
        self._now = max(self._now, to)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody has moved it so far."""
        until = self._now.plus(ms=round(seconds * 1000))
        while self._now < until:
            await self._moved.wait()
