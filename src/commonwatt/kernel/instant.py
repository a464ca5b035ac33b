"""Time as a whole number of milliseconds since 1970 in UTC, always from an injected clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Instant:
    """A point in time, in milliseconds since 1970-01-01T00:00:00Z."""

    ms: int

    def plus(self, *, seconds: int = 0, ms: int = 0) -> Instant:
        """Return the instant so much later (or earlier, when negative)."""
        return Instant(self.ms + 1000 * seconds + ms)

    def since(self, earlier: Instant) -> int:
        """Return the milliseconds from `earlier` to here; negative when it is later."""
        return self.ms - earlier.ms

    @property
    def seconds(self) -> int:
        """Whole seconds since 1970, rounded down (Unix time)."""
        return self.ms // 1000

    def utc(self) -> datetime:
        """Return the same instant as an aware datetime in UTC."""
        return _EPOCH + timedelta(milliseconds=self.ms)

    def iso(self) -> str:
        """Write as RFC 3339 in UTC with milliseconds, `2026-05-01T12:00:00.000Z`."""
        return self.utc().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @classmethod
    def of(cls, moment: datetime) -> Instant:
        """Return the instant of an aware datetime, rounded down to the millisecond. Naive ones raise ValueError."""
        if moment.tzinfo is None:
            msg = "a time without a zone is no instant"
            raise ValueError(msg)
        return cls((moment - _EPOCH) // timedelta(milliseconds=1))

    @classmethod
    def parse(cls, text: str) -> Instant:
        """Read RFC 3339 / ISO 8601 with a zone; raises ValueError for anything else."""
        return cls.of(datetime.fromisoformat(text))


@runtime_checkable
class Clock(Protocol):
    """Tells the time; the real one in production, a stepped one in tests and in the simulated world."""

    def now(self) -> Instant:
        """Return the present instant."""
        ...
