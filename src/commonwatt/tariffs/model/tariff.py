"""What charging costs: elements of price components, each under its restrictions (OCPI 2.2.1, mod_tariffs).

For each dimension (energy, time, parking, flat) the first element in the list that has a component of it and whose
restrictions all hold is the one that counts; at most one component of a dimension holds at a time. Prices are whole
units of the asset (millionths of a currency, msat of bitcoin) per kWh, per hour, or for the whole session.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from commonwatt.kernel import Asset, Instant

MS_PER_HOUR = 3_600_000
WH_PER_KWH = 1000
PPM = 1_000_000
ROUNDED_MAX = 4
"""Units by which rounding may move one line: its price and its tax, before and after."""


class Kind(StrEnum):
    """What a component prices, or what a line of a bill is for (OCPI 2.2.1, TariffDimensionType)."""

    ENERGY = "ENERGY"
    """Per kWh; counted in Wh."""
    TIME = "TIME"
    """Per hour of charging; counted in ms."""
    PARKING_TIME = "PARKING_TIME"
    """Per hour connected without charging (idle); counted in ms."""
    FLAT = "FLAT"
    """Once per session."""
    MINIMUM = "MINIMUM"
    """Only on bills: what is added to reach the tariff's minimum."""
    MAXIMUM = "MAXIMUM"
    """Only on bills: what is taken off to keep the tariff's maximum, never positive."""


DIMENSIONS = (Kind.ENERGY, Kind.TIME, Kind.PARKING_TIME, Kind.FLAT)
DIVISORS = {Kind.ENERGY: WH_PER_KWH, Kind.TIME: MS_PER_HOUR, Kind.PARKING_TIME: MS_PER_HOUR, Kind.FLAT: 1}
"""By what price times quantity is divided to get units: Wh per kWh, ms per hour."""


@dataclass(frozen=True, slots=True)
class Component:
    """One price of one dimension. `price` in units of the asset per kWh, per hour, or per session."""

    kind: Kind
    price: int
    vat_ppm: int = 0
    """Value added tax in millionths (20 % is 200,000)."""
    step_size: int = 1
    """Blocks that are billed whole: in Wh, or in seconds; 0 bills time to the millisecond."""


@dataclass(frozen=True, slots=True)
class Restrictions:
    """When an element holds; every one that is set must hold. Lower bounds belong to it, upper bounds do not."""

    start_minute: int | None = None
    """Local minute of the day; with an end that is earlier the time wraps around midnight."""
    end_minute: int | None = None
    """Local minute of the day, 0 for midnight at the day's end."""
    start_date: date | None = None
    end_date: date | None = None
    min_wh: int | None = None
    max_wh: int | None = None
    min_current_ma: int | None = None
    """Sum over all phases."""
    max_current_ma: int | None = None
    min_power_w: int | None = None
    max_power_w: int | None = None
    min_duration_s: int | None = None
    """Since the session's start."""
    max_duration_s: int | None = None
    min_parked_s: int | None = None
    """Connected without charging so far, in sum: the grace before an idle fee. Ours; OCPI 2.2.1 has no such field."""
    max_parked_s: int | None = None
    weekdays: tuple[int, ...] = ()
    """0 is Monday; empty means every day."""

    @property
    def calendar(self) -> bool:
        """Whether the local date or time decides."""
        return bool(self.weekdays) or not (
            self.start_minute is None and self.end_minute is None and self.start_date is None and self.end_date is None
        )


NONE = Restrictions()


@dataclass(frozen=True, slots=True)
class Element:
    """Components that share restrictions."""

    components: tuple[Component, ...]
    restrictions: Restrictions = NONE


@dataclass(frozen=True, slots=True)
class Price:
    """An amount before and after tax, in units of the tariff's asset."""

    net: int
    gross: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A component that may hold for its dimension: its number in the plan, its element's bit, its restrictions."""

    number: int
    bit: int
    restrictions: Restrictions | None
    """None when it always holds."""


class Rise(NamedTuple):
    """The most that a bill can grow by, whichever elements come to hold: prices with tax, rounded up."""

    per_kwh: int
    per_hour: int
    flat: int
    """What all that does not grow can add: flat fees, whole blocks, and what rounding takes from every line."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A tariff made ready for arithmetic, derived once from its elements."""

    components: tuple[Component, ...]
    """All components in their order; a tally keeps one quantity for each."""
    elements: tuple[int, ...]
    """To which element each component belongs."""
    candidates: tuple[tuple[Candidate, ...], ...]
    """Per dimension, as in `DIMENSIONS`, up to the first that always holds."""
    plain: tuple[int, int, int, int] | None
    """When nothing is restricted: the component of each dimension, -1 for none."""
    energies_wh: tuple[int, ...]
    durations_ms: tuple[int, ...]
    parked_ms: tuple[int, ...]
    """Where elements begin or end to hold, ascending."""
    minutes: tuple[int, ...]
    calendar: tuple[Restrictions, ...]
    """Each element's restrictions when any of them looks at the calendar; else empty."""
    timeless: bool
    """Whether, while the car charges, the cost depends on energy alone."""
    rise: Rise
    """The fastest that a bill can grow."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version of a tariff; it never changes, a new price is a new version."""

    id: str
    version: str
    """Identifies this version for ever; a session keeps it."""
    name: str
    asset: Asset
    elements: tuple[Element, ...]
    vat_included: bool = False
    """Whether the components' prices contain their tax (as drivers read them) or not (as OCPI 2.2.1 sends them)."""
    min_price: Price | None = None
    max_price: Price | None = None
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    timezone: str = "UTC"
    """IANA name of the zone in which times of day, dates and weekdays are read."""
    plan: Plan = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plan", plan_of(self.elements))


def plan_of(elements: tuple[Element, ...]) -> Plan:
    """Derive the plan of a tariff's elements."""
    components = tuple(component for element in elements for component in element.components)
    numbers = tuple(number for number, element in enumerate(elements) for _ in element.components)
    candidates = tuple(_candidates(kind, components, numbers, elements) for kind in DIMENSIONS)
    limits = [element.restrictions for element in elements]
    calendar = tuple(limits) if any(limit.calendar for limit in limits) else ()
    plain = None
    if all(not found or found[0].restrictions is None for found in candidates):
        energy, time, parking, flat = (found[0].number if found else -1 for found in candidates)
        plain = (energy, time, parking, flat)
    durations = _ascending(1000, *((limit.min_duration_s, limit.max_duration_s) for limit in limits))
    parked = _ascending(1000, *((limit.min_parked_s, limit.max_parked_s) for limit in limits))
    return Plan(
        components=components,
        elements=numbers,
        candidates=candidates,
        plain=plain,
        energies_wh=_ascending(1, *((limit.min_wh, limit.max_wh) for limit in limits)),
        durations_ms=durations,
        parked_ms=parked,
        minutes=_ascending(1, *((limit.start_minute, limit.end_minute) for limit in limits)),
        calendar=calendar,
        timeless=not any(_timed(element) for element in elements),
        rise=_rise(components),
    )


def _rise(components: tuple[Component, ...]) -> Rise:
    """Bound the growth of a bill; a discount counts as if it could be taken back."""
    prices = dict.fromkeys(DIMENSIONS, 0)
    steps = dict(prices)
    for component in components:
        taxed = -(-abs(component.price) * (PPM + component.vat_ppm) // PPM)
        prices[component.kind] = max(prices[component.kind], taxed)
        steps[component.kind] = max(steps[component.kind], component.step_size)
    per_kwh, per_hour = prices[Kind.ENERGY], max(prices[Kind.TIME], prices[Kind.PARKING_TIME])
    blocks = -(-per_kwh * steps[Kind.ENERGY] // WH_PER_KWH)
    blocks += -(-per_hour * 1000 * max(steps[Kind.TIME], steps[Kind.PARKING_TIME]) // MS_PER_HOUR)
    return Rise(per_kwh, per_hour, blocks + prices[Kind.FLAT] + ROUNDED_MAX * len(components))


def _candidates(
    kind: Kind, components: tuple[Component, ...], numbers: tuple[int, ...], elements: tuple[Element, ...]
) -> tuple[Candidate, ...]:
    found = []
    for number, (component, element) in enumerate(zip(components, numbers, strict=True)):
        if component.kind is not kind:
            continue
        restrictions = elements[element].restrictions
        found.append(Candidate(number, 1 << element, None if restrictions == NONE else restrictions))
        if restrictions == NONE:
            break
    return tuple(found)


def _ascending(scale: int, *pairs: tuple[int | None, int | None]) -> tuple[int, ...]:
    return tuple(sorted({scale * bound for pair in pairs for bound in pair if bound}))


def _timed(element: Element) -> bool:
    """Tell whether an element makes the cost of charging depend on more than energy."""
    if all(component.kind is Kind.PARKING_TIME for component in element.components):
        return False
    if any(component.kind is Kind.TIME and component.price for component in element.components):
        return True
    limit = element.restrictions
    return replace(limit, min_wh=None, max_wh=None) != NONE
