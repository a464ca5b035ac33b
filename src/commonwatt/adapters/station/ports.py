"""What the dialects ask of charging: seven actions, given at assembly, so that tests bring doubles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from commonwatt.charging.reports import (
    Authorisation,
    SampleReport,
    StartAnswer,
    StartReport,
    StatusReport,
    StopReport,
)
from commonwatt.kernel import Instant
from commonwatt.kit.database import Work


@dataclass(frozen=True, slots=True)
class Ports:
    """Charging's front door for stations; every one is an action that runs inside a transaction."""

    authorise: Callable[[Work, str, str], Authorisation]
    """Judge an id tag shown at a station."""
    start_transaction: Callable[[Work, StartReport], StartAnswer]
    """Number a transaction; the same report again gets the same number."""
    record_samples: Callable[[Work, Sequence[SampleReport]], Sequence[None]]
    """Price and store meter values, many at once."""
    stop_transaction: Callable[[Work, StopReport], Authorisation | None]
    """End a transaction; the same report again changes nothing."""
    note_status: Callable[[Work, StatusReport], None]
    """Hear of a connector's state."""
    note_boot: Callable[[Work, str, Instant], None]
    """Hear that a station started anew."""
    note_offline: Callable[[Work, str], None]
    """Hear that a station's connection is gone."""
