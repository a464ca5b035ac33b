"""What a session has used so far, per component: kept step by step, so that a price is known at every sample.

Energy between two readings is taken to flow evenly; where an element begins or ends to hold in between, the stretch is
split there (OCPI 2.2.1, mod_cdrs, ChargingPeriod). The split follows the straight line between the two readings in
whole Wh and ms, so that a stretch costs the same in one step as in many along the same line.
"""

from __future__ import annotations

from msgspec import Struct

from commonwatt.kernel import Instant
from commonwatt.tariffs.model.calendar import window
from commonwatt.tariffs.model.tariff import MS_PER_HOUR, Candidate, Restrictions, Tariff

MILLIVOLT_NOMINAL = 230_000
"""Of one phase; turns power into current where a station reports none and a restriction asks for it."""
ENERGY, TIME, PARKING, FLAT = range(4)


class Tally(Struct, frozen=True):
    """The running count of one session under one tariff version: whole numbers only, so that it stores as JSON."""

    version: str
    """The tariff version it was opened with."""
    started_ms: int
    at_ms: int
    """Until when it is counted."""
    energy_wh: int
    """Delivered since the start, as last counted."""
    parked_ms: int
    """Connected without charging, in sum."""
    holding: int
    """Bits of the elements that hold by the calendar at `at_ms`."""
    holding_until_ms: int
    quantities: tuple[int, ...]
    """One per component of the plan: Wh, ms, or 1 for a flat fee that is due."""
    last_energy: int
    """The component that counted last, -1 for none: its step rounds the dimension's total (mod_cdrs, step_size)."""
    last_time: int
    last_parking: int


def open_tally(tariff: Tariff, started: Instant) -> Tally:
    """Begin to count at a session's start; a flat fee that holds from the start is due at once."""
    plan = tariff.plan
    quantities = [0] * len(plan.components)
    holding, until = window(tariff.timezone, plan.calendar, plan.minutes, started.ms)
    flat = _first(plan.candidates[FLAT], holding, 0, 0, 0, 0, 0)
    if flat >= 0:
        quantities[flat] = 1
    return Tally(tariff.version, started.ms, started.ms, 0, 0, holding, until, tuple(quantities), -1, -1, -1)


def advance(
    tariff: Tariff,
    tally: Tally,
    to: Instant,
    energy_wh_total: int,
    power_w: int | None,
    charging: bool,  # noqa: FBT001 (the two states of a connected car, named at every call)
    current_ma: int | None = None,
) -> Tally:
    """Count on to an instant and an energy since the start; what is earlier or lower than counted changes nothing.

    `power_w` and `current_ma` (sum of the phases) matter where a restriction asks for them; None takes the power from
    the energy, and the current from the power at 230 V. `charging` says under which price the time falls.
    """
    to_ms, energy_wh = to.ms, energy_wh_total
    passed, grown = to_ms - tally.at_ms, energy_wh - tally.energy_wh
    if passed < 0:
        to_ms, passed = tally.at_ms, 0
    if grown < 0:
        energy_wh, grown = tally.energy_wh, 0
    if not passed and not grown:
        return tally
    plain = tariff.plan.plain
    if plain is None:
        run = Run(tariff, tally, to_ms, energy_wh, power_w, charging, current_ma)
        while run.step():
            pass
        return run.tally()
    quantities = list(tally.quantities)
    parked_ms, last_energy, last_time, last_parking = (
        tally.parked_ms,
        tally.last_energy,
        tally.last_time,
        tally.last_parking,
    )
    if grown and plain[ENERGY] >= 0:
        last_energy = plain[ENERGY]
        quantities[last_energy] += grown
    if not charging:
        parked_ms += passed
        if passed and plain[PARKING] >= 0:
            last_parking = plain[PARKING]
            quantities[last_parking] += passed
    elif passed and plain[TIME] >= 0:
        last_time = plain[TIME]
        quantities[last_time] += passed
    return Tally(
        tally.version,
        tally.started_ms,
        to_ms,
        energy_wh,
        parked_ms,
        tally.holding,
        tally.holding_until_ms,
        tuple(quantities),
        last_energy,
        last_time,
        last_parking,
    )


class Run:
    """A stretch of a session being counted in pieces; in each piece the same components hold."""

    __slots__ = (
        "_charging",
        "_current_ma",
        "_end_ms",
        "_end_wh",
        "_flat",
        "_from_ms",
        "_from_wh",
        "_power_w",
        "_start",
        "_tariff",
        "at_ms",
        "energy_wh",
        "holding",
        "lasts",
        "parked_ms",
        "quantities",
        "until_ms",
    )

    def __init__(
        self,
        tariff: Tariff,
        tally: Tally,
        end_ms: int,
        end_wh: int,
        power_w: int | None,
        charging: bool,  # noqa: FBT001 (as in advance)
        current_ma: int | None = None,
    ) -> None:
        """Set out from a tally along a straight line to an end that is neither earlier nor lower."""
        self._tariff, self._start = tariff, tally
        self._from_ms, self._from_wh, self._end_ms, self._end_wh = tally.at_ms, tally.energy_wh, end_ms, end_wh
        passed = end_ms - tally.at_ms
        if power_w is None:
            power_w = (end_wh - tally.energy_wh) * MS_PER_HOUR // passed if passed else 0
        self._power_w = power_w
        self._current_ma = power_w * 1_000_000 // MILLIVOLT_NOMINAL if current_ma is None else current_ma
        self._charging = charging
        self.at_ms, self.energy_wh, self.parked_ms = tally.at_ms, tally.energy_wh, tally.parked_ms
        self.holding, self.until_ms = tally.holding, tally.holding_until_ms
        self.quantities = list(tally.quantities)
        self.lasts = [tally.last_energy, tally.last_time, tally.last_parking]
        self._flat = not any(self.quantities[found.number] for found in tariff.plan.candidates[FLAT])

    def tally(self) -> Tally:
        """Return the count where the run stands."""
        start = self._start
        return Tally(
            start.version,
            start.started_ms,
            self.at_ms,
            self.energy_wh,
            self.parked_ms,
            self.holding,
            self.until_ms,
            tuple(self.quantities),
            *self.lasts,
        )

    def step(self) -> bool:
        """Count one piece; return False at the end."""
        if self.at_ms >= self._end_ms and self.energy_wh >= self._end_wh:
            return False
        next_ms, next_wh = self._next_point()
        if self._flat:
            self._count_flat()
        if next_wh > self.energy_wh:
            self._count(ENERGY, next_wh - self.energy_wh)
        if next_ms > self.at_ms:
            self._count(TIME if self._charging else PARKING, next_ms - self.at_ms)
            if not self._charging:
                self.parked_ms += next_ms - self.at_ms
        self.at_ms, self.energy_wh = next_ms, next_wh
        if next_ms >= self.until_ms:
            plan = self._tariff.plan
            self.holding, self.until_ms = window(self._tariff.timezone, plan.calendar, plan.minutes, next_ms)
        return True

    def _next_point(self) -> tuple[int, int]:
        """Return where the components that hold may change next, or the end."""
        plan = self._tariff.plan
        edge = self.until_ms
        started = self._start.started_ms
        for duration in plan.durations_ms:
            if started + duration > self.at_ms:
                edge = min(edge, started + duration)
                break
        if not self._charging:
            for parked in plan.parked_ms:
                if parked > self.parked_ms:
                    edge = min(edge, self.at_ms + parked - self.parked_ms)
                    break
        passed, grown = self._end_ms - self._from_ms, self._end_wh - self._from_wh
        found = (self._end_ms, self._end_wh)
        if edge < self._end_ms:
            found = (edge, max(self.energy_wh, self._from_wh + grown * (edge - self._from_ms) // passed))
        for energy in plan.energies_wh:
            if energy > self.energy_wh:
                if energy < self._end_wh:
                    reached = self._from_ms - (-(energy - self._from_wh) * passed) // grown
                    found = min(found, (max(reached, self.at_ms), energy))
                break
        return found

    def _count(self, dimension: int, quantity: int) -> None:
        number = self._holding_component(dimension)
        if number >= 0:
            self.quantities[number] += quantity
            self.lasts[dimension] = number

    def _count_flat(self) -> None:
        number = self._holding_component(FLAT)
        if number >= 0:
            self.quantities[number] = 1
            self._flat = False

    def _holding_component(self, dimension: int) -> int:
        return _first(
            self._tariff.plan.candidates[dimension],
            self.holding,
            self.energy_wh,
            self.at_ms - self._start.started_ms,
            self.parked_ms,
            self._power_w,
            self._current_ma,
        )


def _first(
    candidates: tuple[Candidate, ...],
    holding: int,
    energy_wh: int,
    duration_ms: int,
    parked_ms: int,
    power_w: int,
    current_ma: int,
) -> int:
    """Return the first component that holds, -1 for none."""
    for candidate in candidates:
        limit = candidate.restrictions
        if limit is None:
            return candidate.number
        if holding & candidate.bit and _within(limit, energy_wh, duration_ms, parked_ms, power_w, current_ma):
            return candidate.number
    return -1


def _within(
    limit: Restrictions, energy_wh: int, duration_ms: int, parked_ms: int, power_w: int, current_ma: int
) -> bool:
    return (
        (limit.min_wh is None or energy_wh >= limit.min_wh)
        and (limit.max_wh is None or energy_wh < limit.max_wh)
        and (limit.min_power_w is None or power_w >= limit.min_power_w)
        and (limit.max_power_w is None or power_w < limit.max_power_w)
        and (limit.min_duration_s is None or duration_ms >= 1000 * limit.min_duration_s)
        and (limit.max_duration_s is None or duration_ms < 1000 * limit.max_duration_s)
        and (limit.min_parked_s is None or parked_ms >= 1000 * limit.min_parked_s)
        and (limit.max_parked_s is None or parked_ms < 1000 * limit.max_parked_s)
        and (limit.min_current_ma is None or current_ma >= limit.min_current_ma)
        and (limit.max_current_ma is None or current_ma < limit.max_current_ma)
    )
