"""Numbers that stations give to transactions, or do not give: what is metered finds its charge, and only that one."""

import asyncio

import pytest
from tests.scenario.steps import charge_some, pay_and_plug, tell

from commonwatt import charging
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.charging import queries, store
from commonwatt.charging.reports import Sample, SampleReport, StartReport, StatusReport, StopReport


async def take(world, connector, number, energy_wh):
    """Let the station send a register outside of its own rhythm, and return the charge at its first connector."""
    sample = Sample(world.clock.now(), energy_wh=energy_wh, power_w=11_000)
    await world.database.write_together(charging.record_samples, SampleReport("CP-1", connector, number, (sample,)))
    return await world.database.read(lambda sql: store.active_charges(sql, "CP-1", 1)[0])


@pytest.mark.parametrize("number", [None, 0, -1, 777], ids=["none", "zero", "minus-one", "a-stranger-s"])
def test_values_without_our_number_count_for_the_charge_at_their_connector(number):
    async def story(world):
        station = await world.add_station("CP-1", connectors=2)
        await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        before = await take(world, 1, None, station.connector(1).true_meter_wh)
        elsewhere = await take(world, 2, number, 900_000)
        whole = await take(world, 0, number, 900_000)
        assert before.session.energy_wh == elsewhere.session.energy_wh == whole.session.energy_wh > 0
        await asyncio.sleep(10)
        shown_wh = station.connector(1).true_meter_wh
        after = await take(world, 1, number, shown_wh)
        assert after.session.energy_wh == shown_wh > before.session.energy_wh

    tell(story)


def test_values_of_a_refused_charge_count_for_nobody():
    """A stranger's charge has a number of ours and no session; what it draws is not the next driver's."""

    async def story(world):
        station = await world.add_station("CP-1")
        report = StartReport("CP-1", 1, "STRANGER", 0, world.clock.now())
        refused = await world.database.write(charging.start_transaction, report)
        await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        before = await take(world, 1, None, station.connector(1).true_meter_wh)
        await asyncio.sleep(10)
        after = await take(world, 1, refused.transaction_id, station.connector(1).true_meter_wh)
        assert after.session.energy_wh == before.session.energy_wh

    tell(story)


def test_two_stops_with_unknown_numbers_end_by_what_their_connectors_say():
    async def story(world):
        await world.database.write(charging.add_tag, "NEIGHBOUR", "A neighbour")
        station = await world.add_station("CP-1", connectors=2, faults=Faults.of("unknown-id=60"))
        for number in (1, 2):
            await station.plug(number, Car())
            await station.scan(number, "NEIGHBOUR")
        await asyncio.sleep(300)
        for number in (1, 2):
            await station.unplug(number)
        await asyncio.sleep(300)
        charges = await world.database.read(lambda sql: queries.list_sessions(sql, queries.SessionFilter()))
        assert [charge.session.status.value for charge in charges] == ["ended", "ended"]
        sample_wh = 11_000 * 30 // 3600 + 10
        for charge in charges:
            truth = next(one for one in station.truths if one.connector == charge.connector)
            assert truth.energy_wh - sample_wh <= charge.session.energy_wh <= truth.energy_wh + 1

    tell(story)


def test_a_reading_without_a_number_is_the_newest_charge_s_at_its_connector():
    """The end of the one before is not reported yet; its meter has gone on under somebody else."""

    async def story(world):
        await world.database.write(charging.add_tag, "OWNER-1", "The owner")
        await world.add_station("CP-1")
        numbers = []
        for meter_wh in (0, 500):
            report = StartReport("CP-1", 1, "OWNER-1", meter_wh, world.clock.now())
            numbers.append((await world.database.write(charging.start_transaction, report)).transaction_id)
            await asyncio.sleep(2)
        status = StatusReport("CP-1", 1, "Charging", "NoError", world.clock.now())
        await world.database.write(charging.note_status, status, world.rules)
        sample = Sample(world.clock.now(), energy_wh=900, power_w=11_000)
        await world.database.write_together(charging.record_samples, SampleReport("CP-1", 1, None, (sample,)))
        energy = await world.database.read(lambda sql: [store.charge_by_transaction(sql, one) for one in numbers])
        assert [charge.session.energy_wh for charge in energy] == [0, 400]
        for number, meter_wh in zip(numbers, (500, 900), strict=True):
            end = StopReport("CP-1", number, meter_wh, world.clock.now(), "Local")
            await world.database.write(charging.stop_transaction, end)
        ended = await world.database.read(lambda sql: [store.charge_by_transaction(sql, one) for one in numbers])
        assert [charge.session.energy_wh for charge in ended] == [500, 400]

    tell(story, stations=False)
