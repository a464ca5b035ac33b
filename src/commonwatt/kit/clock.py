"""The real clock, and one that a test steps by hand."""

from __future__ import annotations

import time

from commonwatt.kernel import Instant


class SystemClock:
    """The operating system's time in UTC."""

    def now(self) -> Instant:
        """Return the present instant."""
        return Instant(time.time_ns() // 1_000_000)


class SteppedClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, start: Instant | None = None) -> None:
        """Start at an instant; 2026-05-01 noon UTC unless told."""
        self._now = start or Instant.parse("2026-05-01T12:00:00Z")

    def now(self) -> Instant:
        """Return the instant at which the clock stands."""
        return self._now

    def step(self, *, seconds: int = 0, ms: int = 0) -> Instant:
        """Move on and return the new present."""
        self._now = self._now.plus(seconds=seconds, ms=ms)
        return self._now
