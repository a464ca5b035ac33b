"""The scripted station delivers to the Wh what was recorded, at the recorded times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.station.virtual.charger import Charger
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.adapters.station.virtual.model import Passed, Permitted
from commonwatt.kernel import Instant
from commonwatt.main.replay.past import PastCharge
from commonwatt.main.replay.plan import PlannedCharge
from commonwatt.main.replay.station import ReplayStation, script_of

NOON = Instant.parse("2026-05-01T12:00:00Z")


async def never():
    raise AssertionError("nobody dials here")


charges = st.tuples(st.integers(1, 3_000), st.integers(0, 3_000), st.integers(0, 400_000), st.integers(0, 5))


@given(st.lists(charges, min_size=1, max_size=8))
def test_energy_and_times_are_the_recorded_ones(rows):
    station = ReplayStation("A", 1, never, NOON, 1, None)
    charger, now = station.charger, NOON
    assert isinstance(charger, Charger)
    for line, (minutes, idle_minutes, energy_wh, samples) in enumerate(rows):
        possible_wh = min(energy_wh, 400_000 * minutes // 60)
        end = now.plus(seconds=60 * minutes)
        past = PastCharge(line, "A", now, end, end.plus(seconds=60 * idle_minutes), possible_wh)
        planned = PlannedCharge(past, "A", 1)
        charger.happen(1, Permitted(f"T{line}", past.plugged_out), now)
        before = charger.connectors[1].meter_wh
        for at, event in script_of(planned, samples):
            charger.happen(1, event, at)
            connector = charger.connectors[1]
            if isinstance(event, Passed) and possible_wh >= 2:
                assert connector.meter_wh > before
            if at == end:
                assert connector.meter_wh - before == (possible_wh)
                assert connector.power_w == 0
        truth = charger.truths[f"1/{line + 1}"]
        assert (truth.energy_wh, truth.started_ms, truth.stopped_ms) == (
            possible_wh,
            past.plugged_in.ms,
            past.plugged_out.ms,
        )
        now = past.plugged_out


def test_readings_are_in_order_and_end_with_the_charge():
    past = PastCharge(2, "A", NOON, NOON.plus(seconds=7200), NOON.plus(seconds=9000), 5_000)
    times = [at.since(NOON) // 1000 for at, _ in script_of(PlannedCharge(past, "A", 1), 2)]
    assert times == [0, 60, 2440, 4820, 7200, 9000]


def test_what_is_left_of_a_script_after_a_restart():
    past = PastCharge(2, "A", NOON, NOON.plus(seconds=7200), NOON.plus(seconds=9000), 5_000)
    station = ReplayStation("A", 1, never, NOON, 1, None)
    assert station.charger.faults == Faults()
    station.follow(PlannedCharge(past, "A", 1), after=NOON.plus(seconds=60))
    assert [at.since(NOON) // 1000 for at, _ in station._running[1]] == [3630, 7200, 9000]
