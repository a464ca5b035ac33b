"""What bad lines do to frames: late and doubled ones never count energy twice."""

import asyncio

import pytest
from tests.scenario.steps import charge_some, pay_and_plug, tell

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
