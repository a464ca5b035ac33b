"""What a station does wrong on request; the truth on its side stays right."""

from __future__ import annotations

import asyncio

import pytest

from commonwatt.adapters.station.virtual import EXPLANATIONS, Car, Fault, Faults
from commonwatt.adapters.station.virtual.faults import UnknownFault

CAR = Car(battery_wh=50_000, stored_wh=0, power_w_max=12_000, knee=1.0)


async def charge(csms, station, seconds=600):
    """Run one charge from plug to unplug and wait until the server has answered all of it."""
    await station.start()
    await station.until(lambda station: station.online)
    await station.plug(1, CAR)
    await station.scan(1, "TAG")
    await station.until(lambda station: bool(station.truths))
    await asyncio.sleep(seconds)
    await station.unplug()
    await station.until(lambda station: station.truths[0].settled and station.owes == 0, timeout_s=20_000)
    return station.truths[0]


def energies(csms):
    """Return the register of every sample as it was sent."""
    return [
        value["value"]
        for sample in csms.of("MeterValues")
        for value in sample["meterValue"][0]["sampledValue"]
        if value["measurand"] == "Energy.Active.Import.Register"
    ]


async def test_repeated_start_and_stop_carry_new_ids_and_the_same_words(csms, station_of):
    truth = await charge(csms, station_of("repeat-start", "repeat-stop"))
    for action in ("StartTransaction", "StopTransaction"):
        first, second = csms.of(action)
        assert first == second
    assert truth.energy_wh == 2_000


async def test_dropping_the_link_loses_nothing(csms, station_of):
    truth = await charge(csms, station_of("drop-link=90"))
    assert csms.dials == 2
    assert len(csms.of("BootNotification")) == 1
    assert len(csms.of("MeterValues")) == 10
    assert (truth.energy_wh, csms.of("StopTransaction")[0]["meterStop"]) == (2_000, 2_000)


async def test_a_reboot_ends_the_charge_and_boots_again(csms, station_of):
    truth = await charge(csms, station_of("reboot=60"))
    assert len(csms.of("BootNotification")) == 2
    (stop,) = csms.of("StopTransaction")
    assert (stop["reason"], truth.reason, truth.energy_wh) == ("PowerLoss", "PowerLoss", 200)


async def test_a_register_that_restarts_goes_backwards_on_the_wire_only(csms, station_of):
    truth = await charge(csms, station_of("reset-register=300"))
    assert truth.energy_wh == 2_000
    assert csms.of("StopTransaction")[0]["meterStop"] == 1_000
    assert [int(energy) for energy in energies(csms)][3:6] == [800, 1_000, 200]


async def test_a_stop_may_be_hours_late_while_a_new_charge_goes_on(csms, station_of):
    station = station_of("stop-late=7200")
    await station.start()
    await station.until(lambda station: station.online)
    for _ in range(2):
        await station.plug(1, CAR)
        await station.scan(1, "TAG")
        await asyncio.sleep(600)
        await station.unplug()
    assert [heard[1] for heard in csms.heard if heard[1].endswith("Transaction")] == ["StartTransaction"] * 2
    await asyncio.sleep(7_300)
    stops = csms.of("StopTransaction")
    assert [(stop["transactionId"], stop["timestamp"]) for stop in stops] == [
        (1, "2026-05-01T12:10:00.000Z"),
        (2, "2026-05-01T12:20:00.000Z"),
    ]


async def test_kilowatt_hours_that_are_called_watt_hours(csms, station_of):
    truth = await charge(csms, station_of("kwh-as-wh"))
    assert energies(csms)[-1] == "2.000"
    assert csms.of("StopTransaction")[0]["meterStop"] == 2
    assert truth.energy_wh == 2_000


async def test_meter_stop_zero(csms, station_of):
    truth = await charge(csms, station_of("meter-stop-zero"))
    assert (csms.of("StopTransaction")[0]["meterStop"], truth.energy_wh) == (0, 2_000)


async def test_an_offline_start_that_never_learns_its_number(csms, station_of):
    truth = await charge(csms, station_of("unknown-id=60"))
    assert {sample["transactionId"] for sample in csms.of("MeterValues")} == {-1}
    assert csms.of("StopTransaction")[0]["transactionId"] == -1
    assert (csms.dials, truth.transaction_id) == (2, 1)


async def test_an_offline_start_is_delivered_when_the_link_is_back(csms, station_of):
    station = station_of("offline-start=300")
    truth = await charge(csms, station)
    assert csms.dials == 2
    assert truth.transaction_id == 1
    assert csms.of("StartTransaction")[0]["timestamp"] == "2026-05-01T12:00:00.000Z"


async def test_values_after_the_stop(csms, station_of):
    await charge(csms, station_of("values-after-stop"))
    actions = [heard[1] for heard in csms.heard]
    assert actions[actions.index("StopTransaction") + 1 :].count("MeterValues") == 1


async def test_a_wrong_clock_and_times_without_zone(csms, station_of):
    await charge(csms, station_of("wrong-clock=-3600", "time-without-zone"))
    assert csms.of("StartTransaction")[0]["timestamp"] == "2026-05-01T11:00:00.000"


def test_every_fault_is_explained():
    assert set(EXPLANATIONS) == set(Fault)


@pytest.mark.parametrize("text", ["", "no-such", "reboot=soon", "reboot=1.5", "=3", "x" * 100])
def test_an_unknown_fault_is_refused_with_the_known_ones(text):
    with pytest.raises(UnknownFault, match="never-plugs-in"):
        Faults.of(text)


def test_faults_take_their_default_amount_or_the_given_one():
    faults = Faults.of("stop-late", "reboot=5")
    assert (faults.amount(Fault.STOP_LATE), faults.amount(Fault.REBOOT)) == (7_200, 5)
    assert faults.amount(Fault.DROP_LINK) is None
    assert Fault.REBOOT in faults
