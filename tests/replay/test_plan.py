"""Which charges go together: what the windows promise, for any past."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from commonwatt.kernel import CONNECTORS_MAX, Instant
from commonwatt.main.replay.past import BadRow, PastCharge
from commonwatt.main.replay.plan import WINDOW_MAX_S, make_plan, name_stations, shorten
from commonwatt.stations import check_identity

NOON = Instant.parse("2026-05-01T12:00:00Z")


def past(line, station, start_min, minutes, connector=None, energy_wh=1_000):
    start = NOON.plus(seconds=60 * start_min)
    end = start.plus(seconds=60 * minutes)
    return PastCharge(line, station, start, end, end, energy_wh, connector)


pasts = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 3_000), st.integers(1, 2_000), st.sampled_from([None, 1, 2])),
    max_size=40,
).map(lambda rows: [past(n, *row) for n, row in enumerate(rows, start=2)])


@given(pasts)
def test_every_charge_is_in_one_window_and_no_connector_changes_hands_inside_one(charges):
    plan = make_plan(charges)
    assert len(plan.charges) + len(plan.bad) == len(charges)
    started = [one for window in plan.windows for one in window.starts]
    assert sorted(one.past.line for one in started) == sorted(one.past.line for one in plan.charges)
    for earlier, later in zip(plan.windows, plan.windows[1:], strict=False):
        assert earlier.end <= later.start
    for window in plan.windows:
        assert window.end.since(window.start) <= 1000 * WINDOW_MAX_S
        for one in window.starts:
            assert window.start <= one.past.plugged_in <= window.end
            for other in plan.charges:
                if other.place == one.place and other is not one:
                    assert other.past.plugged_out <= window.start or other.past.plugged_in >= window.end
    if plan.windows:
        assert plan.windows[-1].end >= max(one.past.plugged_out for one in plan.charges)


@given(pasts)
def test_locked_money_waits_for_energy_two_windows_and_an_hour_at_most(charges):
    plan = make_plan(charges)
    for number, window in enumerate(plan.windows):
        for one in window.starts:
            told = next(later.end for later in plan.windows[number:] if later.end >= one.first_reading)
            assert told.since(window.start) <= 1000 * (2 * WINDOW_MAX_S + 3600)


@given(pasts)
def test_no_two_cars_are_on_one_connector(charges):
    places = {}
    for one in make_plan(charges).charges:
        places.setdefault(one.place, []).append(one.past)
    for ordered in places.values():
        for earlier, later in itertools.pairwise(ordered):
            assert earlier.plugged_out <= later.plugged_in


def test_an_overlap_goes_to_another_connector_unless_the_file_names_one():
    plan = make_plan([past(2, "A", 0, 60), past(3, "A", 30, 60), past(4, "B", 0, 60, 1), past(5, "B", 30, 60, 1)])
    assert [(one.identity, one.connector) for one in plan.charges] == [("A", 1), ("B", 1), ("A", 2)]
    assert [(row.line, row.reason) for row in plan.bad] == [
        (5, "begins on connector 1 before the charge of line 4 is over")
    ]
    assert plan.connectors == {"A": 2, "B": 1}


@given(st.lists(st.text(min_size=1, max_size=100), max_size=30))
def test_every_station_gets_an_identity_of_its_own(names):
    identities = name_stations(names)
    assert len({identity.lower() for identity in identities.values()}) == len(set(names))
    for identity in identities.values():
        check_identity(identity)


def test_a_name_that_can_be_an_identity_stays():
    assert name_stations(["1-1-193-816", "CP_1.a"]) == {"1-1-193-816": "1-1-193-816", "CP_1.a": "CP_1.a"}


def test_a_plan_may_be_cut_to_its_first_charges():
    plan = make_plan([past(n, "A", 100 * n, 10) for n in range(2, 12)])
    assert [one.past.line for one in shorten(plan, 3).charges] == [2, 3, 4]
    assert shorten(plan, None) is plan


def test_nothing_is_planned_as_nothing():
    assert make_plan([]).windows == ()


def test_a_station_has_so_many_connectors_and_no_more():
    plan = make_plan([past(line, "A", 0, 60) for line in range(2, CONNECTORS_MAX + 3)])
    assert plan.connectors == {"A": CONNECTORS_MAX}
    assert plan.bad == (BadRow(CONNECTORS_MAX + 2, "finds all 64 connectors of its station taken"),)
