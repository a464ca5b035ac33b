"""One connector as a machine: tables of stories, and what no order of events may break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.model import (
    Began,
    CarPause,
    Connector,
    Ended,
    Numbered,
    OperativeSet,
    Passed,
    Permitted,
    PluggedIn,
    RegisterReset,
    StatusChanged,
    StopAsked,
    Suspension,
    Unplugged,
    step,
)
from commonwatt.kernel import Instant

NOON = Instant.parse("2026-05-01T12:00:00Z")


def at(seconds):
    return NOON.plus(seconds=seconds)


def tell(*story):
    """Play (seconds, event) pairs; return the connector and a short word per effect."""
    connector, words = Connector(1, NOON), []
    for seconds, event in story:
        connector, effects = step(connector, event, at(seconds))
        for effect in effects:
            match effect:
                case StatusChanged(status=status):
                    words.append(status.value)
                case Began():
                    words.append("start")
                case Ended(reason=reason, energy_wh=energy_wh):
                    words.append(f"stop {reason} {energy_wh}")
    return connector, words


permit = Permitted("TAG", at(1_000_000))
plug = PluggedIn(Car(battery_wh=50_000, stored_wh=0, power_w_max=11_000))
small = PluggedIn(Car(battery_wh=1_000, stored_wh=0, power_w_max=10_000, knee=1.0))

STORIES = {
    "plug, then scan": (
        [(0, plug), (10, permit), (3610, Unplugged())],
        ["Preparing", "start", "Charging", "stop EVDisconnected 11000", "Available"],
    ),
    "scan, then plug": (
        [(0, permit), (10, plug), (3610, StopAsked("Remote")), (3620, Unplugged())],
        ["Preparing", "start", "Charging", "stop Remote 11000", "Finishing", "Available"],
    ),
    "accepted, but nobody plugs in": (
        [(0, Permitted("TAG", at(60))), (59, Passed()), (60, Passed()), (90, plug)],
        ["Preparing", "Available", "Preparing"],
    ),
    "a full car": (
        [(0, small), (0, permit), (3600, Passed()), (4000, Unplugged())],
        ["Preparing", "start", "Charging", "SuspendedEV", "stop EVDisconnected 1000", "Available"],
    ),
    "the station holds back for an hour": (
        [(0, plug), (0, permit), (60, Suspension(True)), (3660, Suspension(False)), (7260, StopAsked("Local"))],
        ["Preparing", "start", "Charging", "SuspendedEVSE", "Charging", "stop Local 11183", "Finishing"],
    ),
    "the car pauses": (
        [(0, plug), (0, permit), (0, CarPause(True)), (3600, CarPause(False))],
        ["Preparing", "start", "Charging", "SuspendedEV", "Charging"],
    ),
    "out of service after the charge": (
        [
            (0, plug),
            (0, permit),
            (5, OperativeSet(False)),
            (3600, Unplugged()),
            (3700, permit),
            (3800, OperativeSet(True)),
        ],
        ["Preparing", "start", "Charging", "stop EVDisconnected 11000", "Unavailable", "Available"],
    ),
    "a second charge without unplugging": (
        [(0, plug), (0, permit), (3600, StopAsked("Remote")), (3700, permit), (3700, Unplugged())],
        [
            "Preparing",
            "start",
            "Charging",
            "stop Remote 11000",
            "Finishing",
            "start",
            "Charging",
            "stop EVDisconnected 0",
            "Available",
        ],
    ),
    "stopping what does not run": ([(0, StopAsked("Remote")), (1, Unplugged()), (2, CarPause(True))], []),
    "a second car does not fit": ([(0, plug), (1, plug)], ["Preparing"]),
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name):
    story, words = STORIES[name]
    assert tell(*story)[1] == words


def test_a_reset_register_does_not_change_what_really_flowed():
    connector, _ = tell((0, plug), (0, permit), (1800, RegisterReset()), (3600, Passed()))
    assert connector.meter_wh == 5_500
    connector, effects = step(connector, StopAsked("Local"), at(3600))
    assert isinstance(effects[0], Ended)
    assert (effects[0].meter_stop_wh, effects[0].energy_wh) == (5_500, 11_000)


def test_a_number_goes_only_to_its_own_transaction():
    connector, _ = tell((0, plug), (0, permit), (1, Numbered("1/7", 99)))
    assert connector.transaction.transaction_id is None
    connector, _ = step(connector, Numbered("1/1", 42), at(2))
    assert connector.transaction.transaction_id == 42


events = st.sampled_from(
    [
        plug,
        small,
        permit,
        Unplugged(),
        StopAsked("Remote"),
        Suspension(True),
        Suspension(False),
        CarPause(True),
        CarPause(False),
        OperativeSet(False),
        OperativeSet(True),
        Passed(),
    ]
)


@given(st.lists(st.tuples(st.integers(0, 7200), events), max_size=40))
def test_whatever_happens_charges_pair_up_and_the_register_never_falls(story):
    connector, now, open_key, billed = Connector(1, NOON), 0, None, 0
    for wait, event in story:
        now += wait
        before = connector
        connector, effects = step(connector, event, at(now))
        assert connector.meter_wh >= before.meter_wh
        shown = before.status
        for effect in effects:
            match effect:
                case Began(transaction=transaction):
                    assert open_key is None
                    open_key = transaction.key
                case Ended(transaction=transaction, energy_wh=energy_wh, meter_stop_wh=stop_wh):
                    assert open_key == transaction.key
                    assert energy_wh == stop_wh - transaction.meter_start_wh >= 0
                    open_key, billed = None, billed + energy_wh
                case StatusChanged(status=status):
                    assert status != shown
                    shown = status
        assert shown == connector.status
        assert (connector.transaction is None) == (open_key is None)
    if open_key is None:
        assert abs(billed - connector.meter_wh) <= 1 + len(story)


@given(st.integers(0, 3_600_000))
def test_time_that_runs_backwards_changes_nothing(back_ms):
    connector, _ = tell((0, plug), (0, permit), (3600, Passed()))
    again, effects = step(connector, Passed(), at(3600).plus(ms=-back_ms))
    assert (again, effects) == (connector, [])
