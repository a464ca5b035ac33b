"""What bad lines do to frames: late and doubled ones never count energy twice, and kept ones lose none."""

import asyncio
import json

import pytest
from sqlalchemy import select
from tests.scenario.steps import charge_some, pay_and_plug, spent, tell

from commonwatt import charging
from commonwatt.adapters.station.dialect import Caller, Received
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.charging import store
from commonwatt.charging.reports import Sample, SampleReport
from commonwatt.kernel import Instant
from commonwatt.metering import readings_of
from commonwatt.protocols.ocppj import Call

YEARS_AGO_S, HOURS_S = -20 * 365 * 86_400, 7200
START_WH = 5000


class Teller:
    """A station at connector 1 whose frames say what its own clock shows, `ahead_s` off ours."""

    def __init__(self, world, ahead_s, watts):
        self.world, self.ahead_s, self.watts, self.said = world, ahead_s, watts, 0
        self.caller = Caller("CP-1", clock=world.house_clock, flag=lambda *_: None)
        self.began = world.house_clock.now()
        self.number = 0

    def at(self, minute):
        return self.began.plus(seconds=self.ahead_s + 60 * minute).iso()

    def wh(self, minute):
        return self.watts * minute // 60

    async def say(self, action, **request):
        self.said += 1
        received = Received(Call(str(self.said), action, request), "", 0)
        return json.loads(await self.world.dialect.answer(self.caller, received))[2]

    async def start(self, id_tag):
        begun = {"connectorId": 1, "idTag": id_tag, "meterStart": START_WH, "timestamp": self.at(0)}
        self.number = (await self.say("StartTransaction", **begun))["transactionId"]

    async def read(self, minute):
        register = {"value": str(START_WH + self.wh(minute))}
        power = {"value": str(self.watts), "measurand": "Power.Active.Import", "unit": "W"}
        values = [{"timestamp": self.at(minute), "sampledValue": [register, power]}]
        await self.say("MeterValues", connectorId=1, transactionId=self.number, meterValue=values)

    async def stop(self, minute):
        over = {"transactionId": self.number, "meterStop": START_WH + self.wh(minute), "timestamp": self.at(minute)}
        await self.say("StopTransaction", **over)


@pytest.mark.parametrize("watts", [11_000, 50_000])
@pytest.mark.parametrize("ahead_s", [YEARS_AGO_S, -HOURS_S, 0, 120, HOURS_S])
def test_a_queue_loses_no_energy_whatever_its_clock_shows(ahead_s, watts):
    """A whole charge on account while the line is gone, told at once when it is back."""

    async def story(world):
        await world.add_station("CP-1")
        await world.database.write(charging.add_tag, "OWNER-1", "The owner")
        teller = Teller(world, ahead_s, watts)
        await asyncio.sleep(3600)
        await teller.start("OWNER-1")
        for minute in range(1, 60):
            await teller.read(minute)
        await teller.stop(60)
        row = await world.database.read(lambda sql: sql.execute(select(store.sessions)).one())
        charge = await world.charge(row.id)
        assert (charge.session.energy_wh, charge.flags) == (watts, ())
        now = world.house_clock.now()
        assert charge.progress.tally.at_ms <= now.ms + 120_000
        assert all(reading.at_ms <= now.ms for reading in await world.database.read(readings_of, teller.number))

    tell(story, stations=False)


@pytest.mark.parametrize("watts", [11_000, 50_000])
@pytest.mark.parametrize("ahead_s", [YEARS_AGO_S, -HOURS_S, 0, 90, HOURS_S])
def test_an_outage_costs_no_energy_and_no_time_whatever_the_clock_shows(ahead_s, watts):
    """A prepaid charge whose line is gone for half an hour; the station keeps its readings."""

    async def story(world):
        await world.add_station("CP-1")
        await world.add_driver()
        paid = await world.pay("cp-1-1", 50_000_000)
        await world.until_status(paid.charge.id, "starting")
        teller = Teller(world, ahead_s, watts)
        await teller.start(paid.charge.id_tag)
        for minute in [*range(1, 6), 36, *range(37, 41)]:
            await asyncio.sleep(1860 if minute == 36 else 60)
            for told in range(6, 37) if minute == 36 else [minute]:
                await teller.read(told)
        await teller.stop(40)
        charge = await world.charge(paid.charge.id)
        assert (charge.session.energy_wh, charge.flags) == (teller.wh(40), ())
        assert charge.progress.tally.at_ms - charge.progress.tally.started_ms == 2_400_000

    tell(story, stations=False)


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
