"""A charge of the past, as a file records it."""

from __future__ import annotations

from dataclasses import dataclass

from commonwatt.kernel import Instant


@dataclass(frozen=True, slots=True)
class PastCharge:
    """One recorded charge: where, from when to when, and the energy in whole Wh; `line` is its place in the file."""

    line: int
    station: str
    plugged_in: Instant
    charge_end: Instant
    plugged_out: Instant
    energy_wh: int
    connector: int | None = None
    """The connector that the file names, if it does."""
    user: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be replayed, and why."""

    line: int
    reason: str
