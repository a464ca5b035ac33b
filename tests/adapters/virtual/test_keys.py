"""What one can type while a virtual station runs."""

from __future__ import annotations

import pytest

from commonwatt.adapters.station.virtual import Car, Status
from commonwatt.adapters.station.virtual.charger import TRUTHS_KEPT, Charger
from commonwatt.adapters.station.virtual.cli import do_typed
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.adapters.station.virtual.model import Permitted, PluggedIn, StopAsked
from commonwatt.kernel import Instant

CAR = Car(battery_wh=50_000, stored_wh=0, power_w_max=11_000, knee=1.0)


async def test_a_charge_by_typed_words(csms, station_of):
    station = station_of(connectors=2)
    await station.start()
    await station.until(lambda station: station.online)
    for line, status in (
        ("plug 2", Status.PREPARING),
        ("scan TAG 2", Status.CHARGING),
        ("pause 2", Status.SUSPENDED_EV),
        ("resume 2", Status.CHARGING),
        ("reboot", Status.FINISHING),
        ("unplug 2", Status.AVAILABLE),
    ):
        assert await do_typed(station, line.split(), CAR)
        assert station.connector(2).status is status
    assert station.connector(1).status is Status.AVAILABLE


async def test_offline_and_online(csms, station_of):
    station = station_of()
    await station.start()
    await station.until(lambda station: station.online)
    assert await do_typed(station, ["offline"], CAR)
    await station.until(lambda station: not station.online)
    assert await do_typed(station, ["online"], CAR)
    await station.until(lambda station: station.online)
    assert csms.dials == 2


@pytest.mark.parametrize("line", ["dance", "plug 7", "scan", "plug x", "unplug 1 1", "scan a b c"])
async def test_what_is_not_understood(csms, station_of, line):
    assert not await do_typed(station_of(), line.split(), CAR)


async def test_a_tag_of_digits_is_a_tag(csms, station_of):
    station = station_of()
    await station.start()
    await station.until(lambda station: station.online)
    assert await do_typed(station, ["scan", "1234"], CAR)
    assert csms.of("Authorize") == [{"idTag": "1234"}]


def test_old_charges_are_forgotten_once_the_server_knows_them():
    noon = Instant.parse("2026-05-01T12:00:00Z")
    charger = Charger("CP-1", 1, Faults(), noon, None)
    charger.happen(1, PluggedIn(CAR), noon)
    for number in range(TRUTHS_KEPT + 10):
        at = noon.plus(seconds=number)
        charger.happen(1, Permitted("TAG", at.plus(seconds=60)), at)
        charger.happen(1, StopAsked("Local"), at)
        while (due := charger.queue.next_due(at)) is not None:
            charger.answered(due, {"transactionId": number + 1}, at)
    assert len(charger.truths) == TRUTHS_KEPT + 1
    assert charger.truths["1/1010"].settled
    assert "1/9" not in charger.truths
