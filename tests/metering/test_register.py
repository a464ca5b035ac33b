"""Whatever a register says, the delivered energy never falls and never exceeds what can have flowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.metering import add_interval, open_register, read_register
from commonwatt.metering.model.register import SLACK_WH

MAX_W = 22_000
MINUTE = 60_000


def follow(start, *readings, power=None, step=10 * MINUTE):
    register = open_register(start, 0)
    for number, value in enumerate(readings, 1):
        register = read_register(register, value, number * step, power_w=power, power_max_w=MAX_W)
    return register


def test_a_rising_register_counts_from_its_start():
    assert follow(1000, 2000, 3000).total_wh == 2000


def test_a_register_that_restarts_at_zero_goes_on_counting():
    register = follow(900_000, 902_000, 500, 1500)
    assert (register.total_wh, register.flags) == (3500, ("register-reset",))


@pytest.mark.parametrize("power", [None, 11_000])
@pytest.mark.parametrize("zeros", [1, 3])
@pytest.mark.parametrize("step", [MINUTE, 15 * MINUTE])
def test_a_reading_of_zero_that_was_none_bills_nothing_twice(power, zeros, step):
    """11 kW, by a register far in its life or from zero on, with zeros told in the middle."""
    for start in (0, 900_000):
        true = [start + 11 * number * step // 3600 for number in range(24)]
        middle = len(true) // 2
        readings = [*true[:middle], *[0] * zeros, *true[middle + zeros :]]
        register = follow(*readings, power=power, step=step)
        assert register.total_wh == true[-1] - start
        assert "register-reset" not in register.flags


def test_a_register_that_restarts_at_zero_counts_on_past_where_it_was():
    register = follow(1_000, 1_200, 0, 200, 400, 600, 800, 1_000, 1_200, 1_400, step=MINUTE)
    assert (register.total_wh, register.flags) == (200 + 1_400, ("register-reset",))


def test_zeros_while_kwh_are_found_out_make_no_thousandfold():
    """The last power before the zeros was low, so that the register before them would not be found out by itself."""
    register, shown_mwh = open_register(0, 0), 0
    for minute in range(1, 66):
        power = 100 if minute == 17 else 11_000
        shown_mwh += 11_000 * 1000 // 60
        shown = 0 if 18 <= minute <= 22 else shown_mwh // 1_000_000
        register = read_register(register, shown, minute * MINUTE, power_w=power, power_max_w=400_000)
    assert register.total_wh <= shown_mwh // 1000


def test_a_register_that_steps_back_a_little_is_not_billed_twice():
    register = follow(900_000, 902_000, 901_900, 904_000)
    assert register.total_wh == 4000
    assert "register-backwards" in register.flags


def test_an_impossible_jump_is_not_billed_until_the_register_goes_on_from_there():
    register = follow(0, 1000, 9_000_000)
    assert (register.total_wh, register.flags) == (1000, ("register-jump",))
    register = follow(0, 1000, 9_000_000, 9_001_000)
    assert register.total_wh == 2000


def test_a_charger_that_grew_strong_while_it_was_silent_is_billed_once_it_shows_its_strength():
    """A charger of direct current begins with 20 kW, is not heard for a quarter of an hour, and gives 100 kW then."""
    register = read_register(open_register(0, 0), 300, MINUTE, power_w=20_000, power_max_w=400_000)
    silent = read_register(register, 25_300, 16 * MINUTE, power_w=None, power_max_w=400_000)
    assert (silent.total_wh, silent.flags) == (300, ("register-jump",))
    heard = read_register(silent, 26_900, 17 * MINUTE, power_w=100_000, power_max_w=400_000)
    assert (heard.total_wh, heard.flags) == (26_900, ("register-gap",))
    weak = read_register(silent, 25_600, 17 * MINUTE, power_w=20_000, power_max_w=400_000)
    assert (weak.total_wh, weak.flags) == (600, ("register-jump",))


def test_a_gap_that_is_billed_hides_no_jump_that_is_not():
    register = read_register(open_register(0, 0), 300, MINUTE, power_w=20_000, power_max_w=400_000)
    told = ((900_000, 2, 20_000), (900_300, 3, 20_000), (925_300, 18, None), (927_000, 19, 100_000))
    for reading, minute, power in told:
        register = read_register(register, reading, minute * MINUTE, power_w=power, power_max_w=400_000)
    assert (register.total_wh, register.flags) == (300 + 300 + 25_000 + 1_700, ("register-jump", "register-gap"))


def test_a_negative_reading_is_ignored():
    register = follow(0, 1000, -5, 2000)
    assert (register.total_wh, register.flags) == (2000, ("register-negative",))


def test_kwh_labelled_wh_is_rescaled_once_power_makes_it_certain():
    register = follow(361, 362, 363, 364, 365, 366, power=6_000)
    assert (register.total_wh, register.flags) == (5000, ("kwh-labelled-wh",))
    assert read_register(register, 367, 60 * MINUTE, power_w=6000, power_max_w=MAX_W).total_wh == 6000


def test_a_clock_that_is_set_while_a_car_charges_makes_no_kwh_of_wh():
    """Power over the day that passed for the clock alone looks like a thousand times the energy."""
    register = open_register(0, -24 * 60 * MINUTE)
    register = read_register(register, 91, -24 * 60 * MINUTE + 30_000, power_w=11_000, power_max_w=400_000)
    for number in range(1, 200):
        register = read_register(register, 91 + 92 * number, 30_000 * number, power_w=11_000, power_max_w=400_000)
    assert (register.total_wh, register.flags) == (91 + 92 * 199, ())


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(1_000, 22_000)), min_size=5, max_size=60),
    st.integers(0, 59),
    st.integers(-(10**8), 10**8),
)
def test_a_meter_of_whole_wh_is_never_taken_for_one_of_kwh(steps, place, jump_ms):
    register, at_ms, shown_mwh = open_register(5_000, 0), 0, 5_000_000
    for number, (minutes, power) in enumerate(steps):
        at_ms += minutes * MINUTE + (max(0, jump_ms) if number == place else 0)
        shown_mwh += power * minutes * 1000 // 60
        register = read_register(register, shown_mwh // 1000, at_ms, power_w=power, power_max_w=400_000)
    assert register.scale == 1


def test_power_that_no_connector_can_have_says_nothing():
    """Watts that are labelled kW must not make kWh of the register."""
    register = follow(0, *range(1000, 20_000, 1000), power=6_000_000)
    assert (register.scale, register.power_w) == (1, 0)


def test_without_measured_power_a_slow_register_is_believed():
    assert follow(361, 362, 363, 364, 365, 366).total_wh == 5


def test_a_station_without_a_register_is_counted_by_its_intervals():
    register = open_register(0, 0)
    for number in range(1, 4):
        register = add_interval(register, 250, number * 15 * MINUTE, power_w=1000, power_max_w=MAX_W)
    assert register.total_wh == 750


@given(st.integers(0, 10**7), st.lists(st.tuples(st.integers(-100, 10**7), st.integers(-(10**6), 10**7)), max_size=20))
def test_energy_never_falls_and_never_exceeds_the_possible(start, readings):
    """What comes at once after readings that were left out had the time since the last one that counted."""
    register = open_register(start, 0)
    latest = grown = 0
    for value, at in readings:
        before = register
        register = read_register(register, value, at, power_w=None, power_max_w=MAX_W)
        latest = max(latest, at)
        assert register.total_wh >= before.total_wh
        assert register.total_wh - before.total_wh <= MAX_W * (latest - grown) // 3_600_000 + 2 * SLACK_WH
        if register.total_wh > before.total_wh:
            grown = latest


def test_a_last_word_a_little_below_a_newer_reading_restarts_nothing():
    """It comes hours late, so that anything could have flowed meanwhile; still the register only stepped back."""
    register = follow(50_000, 50_091, 50_094, power=11_000, step=MINUTE)
    late = read_register(register, 50_091, 24 * 60 * MINUTE, power_w=0, power_max_w=400_000)
    assert (late.total_wh, late.flags) == (94, ("register-backwards",))
