"""Identifiers: UUIDv7, whose order is the order of their making, from an injected source."""

from __future__ import annotations

import hashlib
import secrets
import threading
from typing import Protocol

from commonwatt.kernel.instant import Instant

_COUNT_MAX = (1 << 12) - 1
_BACK_MS = 1000
"""A clock that goes back by less than this is taken to stand."""


class Ids(Protocol):
    """Makes identifiers and secrets; seeded in tests, so that a run repeats."""

    def new(self, now: Instant) -> str:
        """Return a fresh UUIDv7 in its canonical text form."""
        ...

    def secret(self, size: int = 32) -> bytes:
        """Return so many unpredictable bytes."""
        ...


def uuid7(now: Instant, random: bytes) -> str:
    """Compose a UUIDv7 (RFC 9562, section 5.7) of an instant and ten random bytes."""
    value = (now.ms & ((1 << 48) - 1)) << 80 | int.from_bytes(random[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class _Ordered:
    """Keeps ids of one millisecond in the order of their making: a counter of 12 bits (RFC 9562, 6.2, method 1)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_ms, self._counted = -1, 0

    def secret(self, size: int = 32) -> bytes:
        raise NotImplementedError

    def new(self, now: Instant) -> str:
        """Return a fresh UUIDv7, later in order than the one before unless the clock was set back."""
        random = self.secret(10)
        with self._lock:
            if not self._last_ms - _BACK_MS <= now.ms <= self._last_ms:
                self._last_ms, self._counted = now.ms, random[0] << 3
            elif self._counted < _COUNT_MAX:
                self._counted += 1
            else:
                self._last_ms, self._counted = self._last_ms + 1, 0
            return uuid7(Instant(self._last_ms), self._counted.to_bytes(2, "big") + random[2:])


class RandomIds(_Ordered):
    """Identifiers and secrets from the operating system."""

    def secret(self, size: int = 32) -> bytes:
        """Return bytes from the operating system's source."""
        return secrets.token_bytes(size)


class SeededIds(_Ordered):
    """Identifiers and secrets that repeat for a seed: for tests and the simulated world, never for production."""

    def __init__(self, seed: int = 0) -> None:
        """Start the sequence of this seed."""
        super().__init__()
        self._seed = seed
        self._count = 0

    def secret(self, size: int = 32) -> bytes:
        """Return the sequence's next bytes."""
        self._count += 1
        return hashlib.shake_256(f"{self._seed}/{self._count}".encode()).digest(size)
