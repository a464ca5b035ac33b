"""What a charge costs: the tariff's tally advanced by what was metered, in the tariff's asset and in msat.

A prepaid session locks its tariff version and its exchange rate when it is offered; no change of either reaches it.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection

from commonwatt.charging.charge import Charge, Kind, Progress
from commonwatt.charging.rules import Rules
from commonwatt.kernel import BTC, Instant, Rounding
from commonwatt.tariffs import (
    Bill,
    Rate,
    Tally,
    Tariff,
    advance,
    bill,
    cost,
    covers,
    fiat_to_msat,
    open_tally,
    rate_by_id,
    rise_max,
    tariff_by_id,
)

MS_PER_HOUR = 3_600_000
IDLE_W = 20
"""Less than this keeps a car and its charger awake; a car takes 1,380 W or more (6 A, IEC 61851-1), a bicycle 50."""
TICK_WH = 10
"""Where power is measured, less energy than this may be what the idle car took."""
STEP_MAX_MS = 45 * 60_000
"""So long the weakest charge takes for one kWh."""
GAP_MAX_S = 300
"""A longer silence was an outage, not the station's rhythm."""


class Priced(NamedTuple):
    """A charge's cost at an instant."""

    tally: Tally
    gross_units: int
    cost_msat: int
    enough: bool


def rate_of(sql: Connection, charge: Charge) -> Rate | None:
    """Return the exchange rate that a charge has locked; None when its tariff is in bitcoin or it is on account."""
    return None if charge.rate_id is None else rate_by_id(sql, charge.rate_id)


def tariff_of(sql: Connection, charge: Charge) -> Tariff:
    """Return the tariff version that a charge has locked."""
    return tariff_by_id(sql, charge.tariff_version)


def to_msat(tariff: Tariff, rate: Rate | None, units: int, rounding: Rounding = Rounding.DOWN) -> int:
    """Convert units of a tariff's asset at a locked rate; in the driver's favour unless told."""
    if tariff.asset.code == BTC.code:
        return units
    if rate is None:
        return 0
    return fiat_to_msat(units, rate, rounding).quotient


def _suffices(tariff: Tariff, rate: Rate | None, credit_msat: int, units: int) -> bool:
    """Whether a credit covers units of a tariff's asset, to the msat."""
    if tariff.asset.code == BTC.code:
        return units <= credit_msat
    return rate is None or covers(credit_msat, units, rate)


def open_price(sql: Connection, charge: Charge, began: Instant) -> Tally:
    """Begin to count a charge."""
    return open_tally(tariff_of(sql, charge), began)


def price(sql: Connection, charge: Charge, at: Instant, energy_wh: int, rules: Rules) -> Priced:
    """Count a charge on to an instant and an energy, and tell whether its credit outlasts the next sample.

    The reserve is what can still flow before a stop takes effect: the measured power, or the pace of the register where
    a station sends no power, over one sample, as far apart as the last two were, and the stop's latency, priced by the
    same tariff; exactly so once the credit may run short.
    """
    progress = charge.progress
    tariff = tariff_of(sql, charge)
    tally = progress.tally or open_tally(tariff, at)
    power = progress.power_w
    charging = _charges(progress, tally, at, energy_wh)
    tally = advance(tariff, tally, at, energy_wh, power, charging)
    gross = cost(tariff, tally)
    if charge.kind is Kind.LOCAL:
        return Priced(tally, gross, 0, enough=True)
    rate = rate_of(sql, charge)
    gap_s = min(progress.gap_ms // 1000, GAP_MAX_S)
    reserve_s = max(rules.sample_s, gap_s) + rules.stop_latency_s
    reserve_wh = max(power, progress.pace_w) * reserve_s // 3600
    credit = charge.session.credit_msat
    if _suffices(tariff, rate, credit, gross + rise_max(tariff, reserve_wh, reserve_s)):
        return Priced(tally, gross, to_msat(tariff, rate, gross), enough=True)
    ahead = advance(tariff, tally, at.plus(seconds=reserve_s), energy_wh + reserve_wh, power, charging)
    enough = _suffices(tariff, rate, credit, cost(tariff, ahead))
    return Priced(tally, gross, to_msat(tariff, rate, gross), enough)


def _charges(progress: Progress, tally: Tally, at: Instant, energy_wh: int) -> bool:
    """Whether a car charges until an instant, or only stands there: by its power, the register, or its connector.

    The register of a station that sends no power may count in steps of a kWh; between two of them its connector's word
    is taken, for as long as the slowest charge takes for such a step.
    """
    passed_ms, grown_wh = at.ms - tally.at_ms, energy_wh - tally.energy_wh
    flowed = grown_wh > 0 and grown_wh * MS_PER_HOUR >= IDLE_W * passed_ms
    if progress.register is not None and progress.register.peak_w:
        return progress.power_w >= IDLE_W or (flowed and grown_wh >= TICK_WH)
    return flowed or (progress.flowing and at.ms - progress.moved_ms <= STEP_MAX_MS)


def bill_of(sql: Connection, charge: Charge) -> Bill | None:
    """Return the bill of a charge as it stands; None when it never began."""
    return None if charge.progress.tally is None else bill(tariff_of(sql, charge), charge.progress.tally)


def with_price(charge: Charge, priced: Priced) -> Charge:
    """Return the charge with its new tally and gross."""
    return replace(charge, progress=replace(charge.progress, tally=priced.tally), gross_units=priced.gross_units)
