"""How much a station in the waiting room may say: enough to introduce itself, too little to fill a disk."""

from __future__ import annotations

BURST_S = 180.0
"""What may be said at once, in seconds of the steady pace."""
FRAME_S = 1.0
"""What a frame costs, however short."""
BYTES_PER_S = 1024
"""How many bytes cost a second more."""


class Allowance:
    """A stranger's share of our time; it holds for an identity, so that connecting anew brings nothing."""

    __slots__ = ("_spent_s",)

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self._spent_s = 0.0

    def spend(self, size: int, now_s: float) -> None:
        """Count a frame of so many bytes at a monotonic time in seconds."""
        self._spent_s = max(self._spent_s, now_s) + FRAME_S + size / BYTES_PER_S

    def wait_s(self, now_s: float) -> float:
        """Return how many seconds to wait before the next frame is read; 0 or less when it may come."""
        return self._spent_s - now_s - BURST_S
