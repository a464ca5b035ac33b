"""One connector of a virtual station as a pure machine: `step(connector, event, at) -> (connector, effects)`.

Every event first lets the time since the last one pass (the car charges, a permission runs out), then happens. What
the station owes to the outside is returned as effects, in the order in which they have to be told. Energy is physics
and in floating point; what leaves the station is whole Wh, rounded down, as a real register shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from commonwatt.adapters.station.virtual.car import Car, charge
from commonwatt.kernel import Instant

_HAIR_WH = 1e-6
"""What floating point may lack of a whole Wh."""


class Status(StrEnum):
    """A connector's state (OCPP 1.6, 7.7 ChargePointStatus) as far as this station knows them."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    UNAVAILABLE = "Unavailable"


@dataclass(frozen=True, slots=True)
class Permit:
    """An id tag that may start a charge here until it runs out (ConnectionTimeOut)."""

    id_tag: str
    until: Instant


@dataclass(frozen=True, slots=True)
class Transaction:
    """A charge from its start; `key` is the station's own name for it, `transaction_id` the server's."""

    key: str
    id_tag: str
    started: Instant
    meter_start_wh: int
    true_start_wh: int
    transaction_id: int | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """All of a connector; `register_wh` is what its meter shows, `true_wh` what really flowed since it was built."""

    number: int
    at: Instant
    register_wh: float = 0.0
    true_wh: float = 0.0
    power_w_max: float = 22_000.0
    car: Car | None = None
    permit: Permit | None = None
    transaction: Transaction | None = None
    finishing: bool = False
    operative: bool = True
    suspended: bool = False
    count: int = 0
    """Charges begun so far; part of each transaction's key."""

    @property
    def power_w(self) -> float:
        """The power that flows at this moment, in W."""
        if self.car is None or self.transaction is None or self.suspended:
            return 0.0
        return self.car.power_w(self.power_w_max)

    @property
    def status(self) -> Status:
        """The state that the connector would report now."""
        if self.transaction is not None:
            if self.suspended:
                return Status.SUSPENDED_EVSE
            return Status.CHARGING if self.power_w > 0 else Status.SUSPENDED_EV
        if not self.operative:
            return Status.UNAVAILABLE
        if self.finishing:
            return Status.FINISHING
        return Status.PREPARING if self.car or self.permit else Status.AVAILABLE

    @property
    def meter_wh(self) -> int:
        """The register in whole Wh, rounded down."""
        return int(self.register_wh + _HAIR_WH)

    @property
    def true_meter_wh(self) -> int:
        """What really flowed in whole Wh, rounded down."""
        return int(self.true_wh + _HAIR_WH)


@dataclass(frozen=True, slots=True)
class Passed:
    """Time went by."""


@dataclass(frozen=True, slots=True)
class PluggedIn:
    """A car was plugged in."""

    car: Car


@dataclass(frozen=True, slots=True)
class Unplugged:
    """The cable was pulled on the car's side."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """An id tag may charge here until a moment."""

    id_tag: str
    until: Instant


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody or something ends the charge; `reason` as in OCPP 1.6, 7.36."""

    reason: str
    id_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """The server gave a transaction its number."""

    key: str
    transaction_id: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """The station holds the energy back, or lets it flow again."""

    on: bool


@dataclass(frozen=True, slots=True)
class CarPause:
    """The car itself stops drawing, or draws again."""

    on: bool


@dataclass(frozen=True, slots=True)
class OperativeSet:
    """The connector goes in or out of service."""

    operative: bool


@dataclass(frozen=True, slots=True)
class RegisterReset:
    """The meter forgets what it counted."""


Event = (
    Passed
    | PluggedIn
    | Unplugged
    | Permitted
    | StopAsked
    | Numbered
    | Suspension
    | CarPause
    | OperativeSet
    | RegisterReset
)


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """Tell the new state."""

    connector: int
    status: Status
    at: Instant


@dataclass(frozen=True, slots=True)
class Began:
    """Tell that a charge began."""

    connector: int
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class Ended:
    """Tell that a charge ended; `energy_wh` is what really flowed in it."""

    connector: int
    transaction: Transaction
    at: Instant
    meter_stop_wh: int
    energy_wh: int
    reason: str
    id_tag: str | None


Effect = StatusChanged | Began | Ended
Step = tuple[Connector, list[Effect]]


def step(connector: Connector, event: Event, at: Instant) -> Step:
    """Let time pass until `at`, then let the event happen."""
    before, effects = _pass(connector, max(at, connector.at))
    after, more = _happen(before, event)
    effects += more
    if after.status != before.status:
        effects.append(StatusChanged(after.number, after.status, after.at))
    return after, effects


def _pass(connector: Connector, at: Instant) -> Step:
    """Charge, and let a permission run out that nobody used (no StartTransaction follows then)."""
    after = replace(connector, at=at)
    if connector.power_w > 0 and connector.car is not None:
        charged = charge(connector.car, connector.power_w_max, at.since(connector.at) / 1000)
        after = replace(
            after,
            car=charged.car,
            register_wh=connector.register_wh + charged.energy_wh,
            true_wh=connector.true_wh + charged.energy_wh,
        )
    if after.permit is not None and after.permit.until <= at:
        after = replace(after, permit=None)
    changed = after.status != connector.status
    return after, [StatusChanged(after.number, after.status, at)] if changed else []


def _happen(connector: Connector, event: Event) -> Step:  # noqa: C901, PLR0912 (one case per event)
    match event:
        case Passed():
            return connector, []
        case PluggedIn(car=car):
            return _begin(replace(connector, car=car)) if connector.car is None else (connector, [])
        case Unplugged():
            ended, effects = _end(connector, StopAsked("EVDisconnected"))
            return replace(ended, car=None, finishing=False), effects
        case Permitted(id_tag=id_tag, until=until):
            if connector.transaction is not None or not connector.operative:
                return connector, []
            return _begin(replace(connector, permit=Permit(id_tag, until), finishing=False))
        case StopAsked():
            return _end(connector, event)
        case Numbered(key=key, transaction_id=transaction_id):
            transaction = connector.transaction
            if transaction is None or transaction.key != key:
                return connector, []
            return replace(connector, transaction=replace(transaction, transaction_id=transaction_id)), []
        case Suspension(on=on):
            return replace(connector, suspended=on), []
        case CarPause(on=on):
            if connector.car is None:
                return connector, []
            return replace(connector, car=replace(connector.car, paused=on)), []
        case OperativeSet(operative=operative):
            return replace(connector, operative=operative, permit=connector.permit if operative else None), []
        case RegisterReset():
            return replace(connector, register_wh=0.0), []


def _begin(connector: Connector) -> Step:
    """Begin to charge as soon as there are both a car and a permission."""
    permit = connector.permit
    if connector.car is None or permit is None or not connector.operative:
        return connector, []
    count = connector.count + 1
    transaction = Transaction(
        key=f"{connector.number}/{count}",
        id_tag=permit.id_tag,
        started=connector.at,
        meter_start_wh=connector.meter_wh,
        true_start_wh=connector.true_meter_wh,
    )
    begun = replace(connector, transaction=transaction, permit=None, count=count, finishing=False, suspended=False)
    return begun, [Began(connector.number, transaction)]


def _end(connector: Connector, asked: StopAsked) -> Step:
    """End the charge, if there is one; the cable stays until somebody pulls it."""
    transaction = connector.transaction
    if transaction is None:
        return connector, []
    ended = Ended(
        connector=connector.number,
        transaction=transaction,
        at=connector.at,
        meter_stop_wh=connector.meter_wh,
        energy_wh=connector.true_meter_wh - transaction.true_start_wh,
        reason=asked.reason,
        id_tag=asked.id_tag,
    )
    return replace(connector, transaction=None, finishing=connector.car is not None, suspended=False), [ended]
