"""Identifiers: UUIDv7, whose order is the order of their making, from an injected source."""

from __future__ import annotations

import hashlib
import secrets
from typing import Protocol

from commonwatt.kernel.instant import Instant


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


class RandomIds:
    """Identifiers and secrets from the operating system."""

    def new(self, now: Instant) -> str:
        """Return a fresh UUIDv7."""
        return uuid7(now, secrets.token_bytes(10))

    def secret(self, size: int = 32) -> bytes:
        """Return bytes from the operating system's source."""
        return secrets.token_bytes(size)


class SeededIds:
    """Identifiers and secrets that repeat for a seed: for tests and the simulated world, never for production."""

    def __init__(self, seed: int = 0) -> None:
        """Start the sequence of this seed."""
        self._seed = seed
        self._count = 0

    def new(self, now: Instant) -> str:
        """Return the sequence's next UUIDv7."""
        return uuid7(now, self.secret(10))

    def secret(self, size: int = 32) -> bytes:
        """Return the sequence's next bytes."""
        self._count += 1
        return hashlib.shake_256(f"{self._seed}/{self._count}".encode()).digest(size)
