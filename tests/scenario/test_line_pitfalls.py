"""What bad lines do to frames: late and doubled ones never count energy twice."""

import asyncio

import pytest
from tests.scenario.steps import charge_some, pay_and_plug, spent, tell

from commonwatt import charging
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.charging.reports import Sample, SampleReport
from commonwatt.kernel import Instant
from commonwatt.metering import readings_of


@pytest.mark.parametrize("fault", [None, "reset-register"])
def test_meter_values_that_were_overtaken_count_nothing(fault):
    """A late reading is lower than the newest: on a young register that looks like a restart at zero."""

    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of(fault) if fault else None)
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 450)
        await asyncio.sleep(90 if fault else 0)
        before = await world.charge(paid.charge.id)
        number = before.session.transaction_id
        readings = await world.database.read(readings_of, number)
        assert len(readings) > 3
        assert before.session.status.value == "charging"
        for row in readings[:-1]:
            sample = Sample(Instant(row.at_ms), energy_wh=row.register_wh, power_w=row.power_w)
            late = SampleReport("CP-1", 1, number, (sample,))
            await world.database.write_together(charging.record_samples, late)
        after = await world.charge(paid.charge.id)
        assert after.session.energy_wh == before.session.energy_wh
        assert "register-backwards" not in after.flags

    tell(story)


def test_a_report_that_waits_out_our_absence_is_billed_in_full():
    """The stop was asked for, then our power failed for longer than any wait; the station kept its report."""

    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 500)
        await world.database.write(charging.ask_to_stop, paid.charge.id, "the driver took the change")
        world.cut_power(away_s=1800)
        await asyncio.sleep(900)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended", within_s=7200)
        assert ended.session.energy_wh == station.truths[0].energy_wh > 2_000
        assert ended.session.reason == "the driver took the change"

    tell(story)


def test_a_locked_payment_outlives_our_absence_and_no_longer():
    """Nobody plugged in while we were away: what is locked goes back soon after we return."""

    async def story(world):
        await world.add_station("CP-1")
        paid = await world.pay("cp-1-1", 5_000_000)
        await world.until_status(paid.charge.id, "starting")
        world.cut_power(away_s=1800)
        await asyncio.sleep(1790)
        returned = world.clock.now().plus(ms=10_000)
        cancelled = await world.until_status(paid.charge.id, "cancelled", within_s=120)
        assert cancelled.ended.since(returned) <= 40_000
        assert await spent(world) == 0

    tell(story)
