"""Take what a meter said into a charge: the clock corrected, the register followed, the tally advanced."""

from __future__ import annotations

from msgspec.structs import replace

from commonwatt.charging.charge import Charge
from commonwatt.charging.pricing import price, with_price
from commonwatt.charging.reports import Sample
from commonwatt.charging.rules import Rules
from commonwatt.kernel import Instant
from commonwatt.kit.database import Work
from commonwatt.metering import Reading, Register, add_interval, measure_power, open_register, read_register

AHEAD_MS = 120_000
"""How far a station's corrected clock may run ahead of ours before its word is taken as ours."""

PACE_MS = 10_000
"""Of readings closer together than this nobody can tell a power."""


def correct(charge: Charge, at: Instant, now: Instant) -> Instant:
    """Return a station's time by this charge's correction: never in our future, never before the last word.

    A clock that jumps, or is set while a car charges, thus costs nobody an hour that did not pass.
    """
    corrected = at.ms + charge.progress.offset_ms
    if corrected > now.ms + AHEAD_MS:
        corrected = now.ms
    last = charge.progress.register.last_ms if charge.progress.register else 0
    return Instant(max(corrected, last))


def follow(charge: Charge, sample: Sample, now: Instant, rules: Rules, *, final: bool = False) -> Charge:
    """Return the charge with one more sample in its register; the price is not touched.

    A sample that came late, after a newer one, changes nothing: on a register that restarted meanwhile it would count
    energy twice. Only the `final` reading of a transaction has no newer one, whatever its time says. A register that
    went on though its time went back tells of a clock that was set: the charge takes our time as its own from there.
    """
    progress = charge.progress
    told_ms = sample.at.ms + progress.offset_ms
    register = progress.register or open_register(sample.energy_wh or 0, told_ms)
    if not final and progress.register is not None and _came_late(register, sample, told_ms, now):
        return charge
    flowed_ms = 0 if progress.register is None else _flowed_ms(charge, register, told_ms, now)
    if progress.register is not None and told_ms < register.last_ms - AHEAD_MS and not final:
        charge = replace(charge, progress=replace(progress, offset_ms=now.ms - sample.at.ms))
    at_ms = correct(charge, sample.at, now).ms
    gap_ms = at_ms - register.last_ms or progress.gap_ms
    before_wh = register.total_wh
    register = _read(register, sample, at_ms, rules, flowed_ms)
    progress = replace(charge.progress, register=register, power_w=register.power_w, gap_ms=gap_ms, heard_ms=now.ms)
    if sample.power_w is None:
        gained_wh = register.total_wh - before_wh
        moved_ms = at_ms if gained_wh else progress.moved_ms
        progress = replace(progress, pace_w=_pace(progress.pace_w, gained_wh, gap_ms), moved_ms=moved_ms)
    elif progress.pace_w:
        progress = replace(progress, pace_w=0)
    return replace(charge, progress=progress)


def _flowed_ms(charge: Charge, register: Register, told_ms: int, now: Instant) -> int:
    """Return how long energy can have flowed by our clock, for where the station's times do not tell it.

    Where its clock was set back, ours tells. Where ours was, what we have heard lies ahead of it: then the station
    does, by the time since its last sample, or by its rhythm if it follows our clock. Until our clock is there again,
    the price of time waits. An end that is told late has no more time than until it.
    """
    since_ms = now.ms - charge.progress.heard_ms
    if since_ms < 0:
        return max(charge.progress.gap_ms, told_ms - register.last_ms)
    if told_ms < register.last_ms - AHEAD_MS:
        return since_ms
    return min(since_ms, told_ms - charge.progress.heard_ms)


def _pace(before_w: int, gained_wh: int, gap_ms: int) -> int:
    """Return the power by the register alone, in W rounded down; readings close together tell little and lower none."""
    if gained_wh <= 0:
        return before_w
    pace_w = gained_wh * 3_600_000 // max(gap_ms, PACE_MS)
    return pace_w if gap_ms >= PACE_MS else max(before_w, pace_w)


def _came_late(register: Register, sample: Sample, told_ms: int, now: Instant) -> bool:
    """Whether a sample was overtaken by a newer one, or is one that we have; else the station's clock was set back."""
    if sample.energy_wh is None:
        return told_ms <= register.last_ms if sample.interval_wh is not None else told_ms < register.last_ms
    if told_ms >= register.last_ms:
        return False
    gained_wh = sample.energy_wh * register.scale - register.last_wh
    ours_was_set = register.last_ms > now.ms + AHEAD_MS
    if gained_wh < 0 or ("register-reset" in register.flags and not ours_was_set):
        return True
    return gained_wh == 0 and told_ms < register.last_ms - AHEAD_MS


def _read(register: Register, sample: Sample, at_ms: int, rules: Rules, flowed_ms: int) -> Register:
    if sample.energy_wh is not None:
        return read_register(
            register,
            sample.energy_wh,
            at_ms,
            power_w=sample.power_w,
            power_max_w=rules.power_max_w,
            flowed_ms=flowed_ms,
        )
    if sample.interval_wh is not None:
        return add_interval(register, sample.interval_wh, at_ms, power_w=sample.power_w, power_max_w=rules.power_max_w)
    if sample.power_w is not None:
        return measure_power(register, at_ms, sample.power_w, power_max_w=rules.power_max_w)
    return register


def count(work: Work, charge: Charge, rules: Rules, *, until: Instant | None = None) -> tuple[Charge, int, bool]:
    """Price what the register shows; return the charge, its cost in msat, and whether the credit lasts on."""
    register = charge.progress.register
    if register is None:
        return charge, 0, True
    at = Instant(max(register.last_ms, until.ms)) if until is not None else Instant(register.last_ms)
    priced = price(work.sql, charge, at, register.total_wh, rules)
    return with_price(charge, priced), priced.cost_msat, priced.enough


def as_reading(
    station: str, connector: int, transaction_id: int | None, sample: Sample, charge: Charge | None
) -> Reading:
    """Return the row that keeps a sample; `energy_wh` is what the charge had delivered by then."""
    register = charge.progress.register if charge else None
    return Reading(
        transaction_id,
        station,
        connector,
        sample.at.ms + (charge.progress.offset_ms if charge else 0),
        sample.context,
        register.total_wh if register else None,
        sample.energy_wh,
        sample.power_w,
        sample.current_ma,
        sample.voltage_mv,
        sample.soc_percent,
    )
