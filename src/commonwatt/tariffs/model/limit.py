"""How far a credit lasts: the energy at which to stop, and the instant by which it is used up.

Inside one piece (the same components hold throughout) a bill only grows, so the first piece whose end costs more than
the credit holds the answer, and halving finds it. Between pieces a bill may fall, because the standard takes a block's
rounding back when another period follows; the first crossing is what counts here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from commonwatt.kernel import Instant
from commonwatt.tariffs.model.bill import cost
from commonwatt.tariffs.model.tally import Run, Tally, advance
from commonwatt.tariffs.model.tariff import MS_PER_HOUR, Tariff

HORIZON_MS = 7 * 24 * MS_PER_HOUR
"""How far ahead is looked: what lasts a week is told as lasting."""
ENERGY_MAX_WH = 10_000_000
"""The most energy that is looked for when no power is known: 10 MWh."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a credit still buys, counted from the tally."""

    energy_wh: int | None
    """Further Wh whose cost stays within the credit; None when it outlasts what is looked ahead."""
    until: Instant | None
    """When the credit is used up at this power; None when it outlasts what is looked ahead, or no power is known."""
    fixed: bool
    """Whether `energy_wh` holds whatever the power and the time, so that it need not be asked again."""


def limit_energy(
    tariff: Tariff,
    tally: Tally,
    credit_units: int,
    power_w: int | None,
    now: Instant,
    *,
    charging: bool = True,
) -> Limit:
    """Tell how many more Wh a credit (gross units of the tariff's asset) buys, and until when it lasts.

    The power is taken to flow since the tally's last point. Without a power, the energy is what the credit buys at
    once and the instant is what it lasts without energy. `now` bounds the look ahead: a week from there.
    """
    fixed = charging and tariff.plan.timeless
    if cost(tariff, tally) > credit_units:
        return Limit(0, Instant(tally.at_ms), fixed)
    ahead = max(now.ms - tally.at_ms, 0) + HORIZON_MS
    power = power_w or 0
    if fixed:
        energy = _first_crossing(tariff, tally, credit_units, tally.at_ms, tally.energy_wh + ENERGY_MAX_WH, power)
        if energy is None:
            return Limit(None, None, fixed)
        wh = energy.energy_wh - tally.energy_wh
        if not power:
            return Limit(wh, None, fixed)
        return Limit(wh, Instant(tally.at_ms + wh * MS_PER_HOUR // power), fixed)
    if not charging or not power:
        end = _first_crossing(tariff, tally, credit_units, tally.at_ms + ahead, tally.energy_wh, 0, charging=charging)
        until = None if end is None else Instant(end.at_ms)
        energy = _first_crossing(tariff, tally, credit_units, tally.at_ms, tally.energy_wh + ENERGY_MAX_WH, power)
        return Limit(None if energy is None else energy.energy_wh - tally.energy_wh, until, fixed)
    reach = tally.energy_wh + power * ahead // MS_PER_HOUR
    end = _first_crossing(tariff, tally, credit_units, tally.at_ms + ahead, reach, power)
    if end is None:
        return Limit(None, None, fixed)
    return Limit(end.energy_wh - tally.energy_wh, Instant(end.at_ms), fixed)


def _first_crossing(
    tariff: Tariff,
    tally: Tally,
    credit: int,
    end_ms: int,
    end_wh: int,
    power_w: int,
    *,
    charging: bool = True,
) -> Tally | None:
    """Walk the straight line to an end; return the last point before the cost exceeds the credit, None if never."""
    run = Run(tariff, tally, end_ms, end_wh, power_w, charging)
    before = tally
    while run.step():
        after = run.tally()
        if cost(tariff, after) > credit:
            return _halve(tariff, before, after, credit, power_w, charging=charging)
        before = after
    return None


def _halve(tariff: Tariff, low: Tally, high: Tally, credit: int, power_w: int, *, charging: bool) -> Tally:
    """Find the last affordable point inside one piece, to the Wh (or, where no energy flows, to the ms)."""
    passed, grown = high.at_ms - low.at_ms, high.energy_wh - low.energy_wh

    def at_energy(share: int) -> Tally:
        ms = low.at_ms - (-share * passed) // grown
        return advance(tariff, low, Instant(ms), low.energy_wh + share, power_w, charging)

    def at_time(share: int) -> Tally:
        return advance(tariff, low, Instant(low.at_ms + share), low.energy_wh, power_w, charging)

    point: Callable[[int], Tally] = at_energy if grown else at_time
    affordable, excessive = 0, grown or passed
    while excessive - affordable > 1:
        middle = (affordable + excessive) // 2
        if cost(tariff, point(middle)) > credit:
            excessive = middle
        else:
            affordable = middle
    return point(affordable)
