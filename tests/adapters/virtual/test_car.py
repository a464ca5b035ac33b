"""Physics of charging: nothing flows twice, however the time is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.station.virtual.car import LAST_SHARE, Car, charge

cars = st.builds(
    Car,
    battery_wh=st.integers(1_000, 120_000),
    stored_wh=st.floats(0, 1_000),
    power_w_max=st.floats(1_000, 250_000),
    knee=st.sampled_from([0.5, 0.8, 1.0]),
)


@given(cars, st.floats(100, 300_000), st.floats(0, 90_000), st.floats(0, 90_000))
def test_two_short_steps_deliver_what_one_long_step_does(car, offered_w, first_s, second_s):
    long = charge(car, offered_w, first_s + second_s)
    first = charge(car, offered_w, first_s)
    second = charge(first.car, offered_w, second_s)
    assert second.car.stored_wh == pytest.approx(long.car.stored_wh, abs=0.01)
    assert first.energy_wh + second.energy_wh == pytest.approx(long.energy_wh, abs=0.01)


@given(cars, st.floats(0, 300_000), st.floats(0, 1_000_000))
def test_a_battery_never_overflows_and_power_is_never_above_the_offer(car, offered_w, seconds):
    after = charge(car, offered_w, seconds)
    assert 0 <= after.energy_wh <= car.battery_wh - car.stored_wh + 1e-6
    assert after.car.stored_wh <= car.battery_wh
    assert after.energy_wh <= offered_w * seconds / 3600 * (1 + 1e-9) + 1e-9
    assert car.power_w(offered_w) <= offered_w


def test_power_falls_above_the_knee_to_a_tenth():
    car = Car(battery_wh=100_000, power_w_max=10_000)
    assert [
        round(Car(battery_wh=100_000, stored_wh=stored, power_w_max=10_000).power_w(22_000))
        for stored in (0, 80_000, 90_000, 99_999)
    ] == [10_000, 10_000, 5_500, 1_000]
    assert Car(battery_wh=100_000, stored_wh=100_000).power_w(22_000) == 0
    assert LAST_SHARE == 0.1
    full = charge(car, 22_000, 1_000_000).car
    assert full.full
    assert full.stored_wh == 100_000


def test_a_paused_or_full_car_takes_nothing():
    assert charge(Car(paused=True), 11_000, 3600).energy_wh == 0
    assert charge(Car(battery_wh=10, stored_wh=10.0), 11_000, 3600).energy_wh == 0
    assert charge(Car(), 11_000, -5).energy_wh == 0


def test_an_hour_at_eleven_kilowatts_is_eleven_kilowatt_hours():
    assert charge(Car(), 22_000, 3600).energy_wh == pytest.approx(11_000)
    assert charge(Car(), 3_700, 3600).energy_wh == pytest.approx(3_700)
