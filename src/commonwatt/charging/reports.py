"""What a station reports, in words that every OCPP dialect translates into: charging's input.

Times are the station's own, already corrected to an instant by the dialect; `None` where it sent none that is certain.
Energy is in whole Wh, rounded half up by the dialect where a station sends fractions.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from commonwatt.kernel import Instant


class Authorisation(StrEnum):
    """What we think of an id tag (OCPP 1.6, 7.4 AuthorizationStatus)."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT = "ConcurrentTx"


class Sample(Struct, frozen=True):
    """One moment's readings of a meter; None where the station said nothing."""

    at: Instant
    energy_wh: int | None = None
    """The import register (Energy.Active.Import.Register), as the station counts it."""
    interval_wh: int | None = None
    """Energy.Active.Import.Interval, where a station sends no register."""
    power_w: int | None = None
    current_ma: int | None = None
    voltage_mv: int | None = None
    soc_percent: int | None = None
    context: str = "Sample.Periodic"


def same_tag(one: str, other: str) -> bool:
    """Whether two id tags are one: letters are compared whatever their case (OCPP 1.6, 7.28: CiString20Type)."""
    return one.upper() == other.upper()


class SampleReport(Struct, frozen=True):
    """Meter values of a connector, inside a transaction or (None) outside of one."""

    station: str
    connector: int
    transaction_id: int | None
    samples: tuple[Sample, ...]


class StartReport(Struct, frozen=True):
    """A station began a transaction, now or, when it was offline, earlier."""

    station: str
    connector: int
    id_tag: str
    meter_start_wh: int
    started: Instant


class StartAnswer(Struct, frozen=True):
    """The number of the transaction, never 0, the same for a repeated report; and what we think of its id tag."""

    transaction_id: int
    authorisation: Authorisation


class StopReport(Struct, frozen=True):
    """A station ended a transaction; late, repeated, or with an id that we never gave, it is still answered."""

    station: str
    transaction_id: int
    meter_stop_wh: int
    stopped: Instant
    reason: str = "Local"
    id_tag: str | None = None
    samples: tuple[Sample, ...] = ()


class StatusReport(Struct, frozen=True):
    """A connector's state (OCPP 1.6, 4.9): `status` as the standard spells it, connector 0 for the whole station."""

    station: str
    connector: int
    status: str
    error_code: str
    at: Instant
    info: str = ""
    vendor_error: str = ""
