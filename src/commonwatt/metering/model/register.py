"""A meter's register followed through one charge: whatever the station says, the delivered energy never falls.

Registers of real chargers restart at zero, step back, jump, or count kWh where they say Wh. What is certain is
corrected and flagged; what is impossible is flagged and not billed. Energy is in whole Wh throughout.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

SLACK_WH = 500
"""What a reading may exceed the physically possible by: coarse registers, samples taken late."""
USUAL_W = 33_000
"""Half as much again as the strongest charger of alternating current: what may flow where less was measured so far."""
WINDOW_WH = 2_000
"""Energy by measured power after which a register is compared with it: does it count Wh, or kWh?"""
WINDOWS = 2
"""So many windows in a row must agree. One alone may be a clock that was set: time that passed for nobody."""
MS_PER_HOUR = 3_600_000


class Register(Struct, frozen=True, omit_defaults=True):
    """Where a register stands within a charge.

    `last_wh` is the newest reading taken as true, in the station's counting times `scale`; `total_wh` what was
    delivered since the start; `peak_w` the most power that was measured; `seen_wh` the energy by integrating it (mWh),
    to catch kWh labelled Wh, in windows: the present one began at `window_wh` and `window_seen_wh`, and `agreeing`
    before it said kWh; `suspect_wh` an impossible reading that the next one may confirm as the register's new base,
    `suspect_ms` how long energy can have flowed until it, and `jumped` whether a jump was left out before it; `unless`
    the register before a restart that a zero told, until the readings after it show that there was one.
    """

    last_wh: int
    last_ms: int
    total_wh: int = 0
    power_w: int = 0
    peak_w: int = 0
    seen_mwh: int = 0
    scale: int = 1
    suspect_wh: int | None = None
    suspect_ms: int = 0
    jumped: bool = False
    unless: Register | None = None
    window_wh: int = 0
    window_seen_wh: int = 0
    agreeing: int = 0
    flags: tuple[str, ...] = ()

    @property
    def seen_wh(self) -> int:
        """Energy by measured power, in Wh rounded down."""
        return self.seen_mwh // 1000


def open_register(start_wh: int, at_ms: int) -> Register:
    """Begin at the station's reading; a negative one counts as zero and is flagged."""
    if start_wh < 0:
        return Register(0, at_ms, flags=("register-negative",))
    return Register(start_wh, at_ms)


def read_register(
    register: Register, reading_wh: int, at_ms: int, *, power_w: int | None, power_max_w: int, flowed_ms: int = 0
) -> Register:
    """Take one reading; the answer's `total_wh` is never below the one before.

    What can have flowed since the last reading is bounded by `power_max_w`, and where power is measured by twice the
    most of it; later times than the last are expected, an earlier one counts as no time passed. `flowed_ms` is how long
    energy can have flowed by our own clock, where the station's went back.
    """
    for taken in _without_restart(register, reading_wh, at_ms, power_w, power_max_w, flowed_ms):
        return taken
    told = register
    elapsed_ms = max(0, at_ms - register.last_ms)
    flowed_ms = max(flowed_ms, elapsed_ms)
    seen_mwh = register.seen_mwh + register.power_w * elapsed_ms // 3600
    power = register.power_w if power_w is None or power_w > power_max_w else max(0, power_w)
    now_ms = max(at_ms, register.last_ms)
    peak = max(register.peak_w, power)
    bound_w = min(power_max_w, max(USUAL_W, 2 * peak)) if peak else power_max_w
    slack_wh = SLACK_WH + (register.scale if register.scale > 1 else 0)
    possible = bound_w * flowed_ms // MS_PER_HOUR + slack_wh
    reading = reading_wh * register.scale
    gained = reading - register.last_wh
    if reading_wh >= 0 and 0 <= gained <= possible:
        total = register.total_wh + gained
        taken = replace(
            register,
            last_wh=reading,
            last_ms=now_ms,
            total_wh=total,
            power_w=power,
            peak_w=peak,
            seen_mwh=seen_mwh,
            suspect_wh=None,
            suspect_ms=0,
            jumped=False,
            unless=register.unless if not gained else None,
        )
        return _notice_kwh(taken)
    register = replace(register, last_ms=now_ms, power_w=power, peak_w=peak, seen_mwh=seen_mwh)
    if reading_wh < 0:
        return _flag(register, "register-negative")
    if register.suspect_wh is not None and 0 <= reading - register.suspect_wh <= possible:
        return _go_on_from(register, reading, bound_w * register.suspect_ms // MS_PER_HOUR + slack_wh)
    if gained < 0:
        return _step_back(register, reading, possible, told)
    again = register.suspect_wh is not None
    waited_ms = flowed_ms + (register.suspect_ms if again else 0)
    jumped = register.jumped if again else "register-jump" in register.flags
    return _flag(replace(register, suspect_wh=reading, suspect_ms=waited_ms, jumped=jumped), "register-jump")


def measure_power(register: Register, at_ms: int, power_w: int, *, power_max_w: int) -> Register:
    """Take a sample that has power and no register: the energy is not advanced, only what is seen by power.

    More than a connector can deliver is a wrong unit and says nothing.
    """
    if power_w > power_max_w:
        return replace(register, last_ms=max(at_ms, register.last_ms))
    elapsed_ms = max(0, at_ms - register.last_ms)
    seen_mwh = register.seen_mwh + register.power_w * elapsed_ms // 3600
    return replace(register, last_ms=max(at_ms, register.last_ms), power_w=max(0, power_w), seen_mwh=seen_mwh)


def know_peak(register: Register, power_w: int) -> Register:
    """Return the register knowing that its charger gives so much, whatever this charge showed."""
    peak_w = max(register.peak_w, power_w)
    return replace(register, peak_w=peak_w, unless=register.unless and replace(register.unless, peak_w=peak_w))


def note_gap(register: Register) -> Register:
    """Flag that energy of a silence was counted which the power measured before it did not allow."""
    return _flag(register, "register-gap")


def add_interval(
    register: Register, interval_wh: int, at_ms: int, *, power_w: int | None, power_max_w: int
) -> Register:
    """Take energy of an interval from a station that sends no register (Energy.Active.Import.Interval)."""
    reading = register.last_wh + max(0, interval_wh)
    return read_register(register, reading, at_ms, power_w=power_w, power_max_w=power_max_w)


def _go_on_from(register: Register, reading: int, possible: int) -> Register:
    """Take a suspect that the reading after it confirms, and the jump to it where it was possible after all.

    So it is after a silence in which the charger grew stronger than ever measured before: what is measured now tells.
    """
    suspect = register.suspect_wh or 0
    jump = suspect - register.last_wh
    billed = jump if 0 <= jump <= possible else 0
    total = register.total_wh + billed + reading - suspect
    flags = register.flags
    if billed and not register.jumped:
        flags = tuple(flag for flag in flags if flag != "register-jump")
    taken = replace(register, last_wh=reading, total_wh=total, suspect_wh=None, suspect_ms=0, jumped=False, flags=flags)
    return note_gap(taken) if billed else taken


def _without_restart(
    register: Register, reading_wh: int, at_ms: int, power_w: int | None, power_max_w: int, flowed_ms: int
) -> tuple[Register, ...]:
    """Return the register as if it had never restarted, where a reading goes on from what it showed before: else none.

    So it is after a reading of zero that was none. Where both can be true, a restart and none, the less is billed.
    """
    before = register.unless
    if before is None or reading_wh * before.scale < before.last_wh:
        return ()
    taken = read_register(before, reading_wh, at_ms, power_w=power_w, power_max_w=power_max_w, flowed_ms=flowed_ms)
    if taken.last_wh != reading_wh * taken.scale:
        return ()
    return (_flag(replace(taken, total_wh=max(taken.total_wh, register.total_wh)), "register-backwards"),)


def _step_back(register: Register, reading: int, possible: int, before: Register) -> Register:
    """Tell apart what a lower register means: the energy of this charge, a restart at zero, or a slip.

    A station that suddenly tells what this charge has delivered shows about as much as we counted. Of a restart one can
    speak when it fell far, and what it shows can have flowed since. Half of what it showed is far: a last word that is
    told late, a little below a newer one, restarts nothing.
    """
    fell_far = reading * 2 <= register.last_wh
    unless = before.unless or (before if reading == 0 else None)
    if fell_far and 0 <= reading - register.total_wh <= possible:
        restarted = replace(register, last_wh=reading, total_wh=reading, suspect_wh=None, unless=unless)
        return _flag(restarted, "register-reset")
    if fell_far and reading <= possible:
        total = register.total_wh + reading
        restarted = replace(register, last_wh=reading, total_wh=total, suspect_wh=None, unless=unless)
        return _flag(restarted, "register-reset")
    return _flag(replace(register, suspect_wh=reading), "register-backwards")


def _notice_kwh(register: Register) -> Register:
    """Rescale a register that counts kWh under the name of Wh, once the measured power makes it certain.

    It shows whole kWh, so a window may show one more or one less than flowed in it.
    """
    seen = register.seen_wh - register.window_seen_wh
    if register.scale != 1 or seen < WINDOW_WH:
        return register
    counted = register.total_wh - register.window_wh
    agrees = counted > 0 and seen * 7 <= (counted + 1) * 10_000 and (counted - 1) * 10_000 <= seen * 16
    register = replace(
        register,
        window_wh=register.total_wh,
        window_seen_wh=register.seen_wh,
        agreeing=register.agreeing + 1 if agrees else 0,
    )
    if register.agreeing < WINDOWS:
        return register
    before = register.unless
    return _flag(replace(_in_kwh(register), unless=before and _in_kwh(before)), "kwh-labelled-wh")


def _in_kwh(register: Register) -> Register:
    return replace(register, scale=1000, last_wh=register.last_wh * 1000, total_wh=register.total_wh * 1000)


def _flag(register: Register, flag: str) -> Register:
    return register if flag in register.flags else replace(register, flags=(*register.flags, flag))
