"""What meters, clocks and lost lines do to energy and time, each under its own name, told as stations tell it."""

import asyncio

import pytest
from tests.scenario.steps import tell

from commonwatt import charging, tariffs
from commonwatt.charging import store
from commonwatt.charging.reports import Sample, SampleReport, StartReport, StatusReport, StopReport
from commonwatt.kernel import EUR, Done
from commonwatt.tariffs import Component, Element, Kind, Restrictions

HOUR_S = 3600
KWH_40_CENT = Element((Component(Kind.ENERGY, 400_000, 0),))
IDLE_AFTER_15_MIN = Element((Component(Kind.PARKING_TIME, 6_000_000, 0),), Restrictions(min_parked_s=900))
HOURS = Element((Component(Kind.TIME, 6_000_000, 0), Component(Kind.PARKING_TIME, 1_000_000, 0)))


class Meter:
    """A charge on account at CP-1, told by hand: `true_wh` is what has flowed."""

    def __init__(self, world):
        self.world, self.number, self.true_wh = world, 0, 0

    async def price(self, *elements):
        write = self.world.database.write
        made = await write(tariffs.create_tariff, tariffs.Tariff("", "", "Told", EUR, elements))
        await write(tariffs.assign_tariff, made.id)
        await write(charging.add_tag, "OWNER", "Ann")
        await self.world.add_station("CP-1")

    async def start(self, at=None, tag="OWNER", meter_wh=0):
        report = StartReport("CP-1", 1, tag, meter_wh, at or self.world.clock.now())
        answer = await self.world.database.write(charging.start_transaction, report, self.world.rules)
        self.number = answer.transaction_id

    async def says(self, status):
        report = StatusReport("CP-1", 1, status, "NoError", self.world.clock.now())
        await self.world.database.write(charging.note_status, report, self.world.rules)

    async def tell(self, *samples):
        report = SampleReport("CP-1", 1, self.number, samples)
        await self.world.database.write_together(charging.record_samples, report)

    async def charge(self, watts, seconds, *, every=30, step_wh=1, power=True):
        """Let power flow evenly; the register counts in steps."""
        for _ in range(seconds // every):
            await asyncio.sleep(every)
            self.true_wh += watts * every // HOUR_S
            shown = self.true_wh // step_wh * step_wh
            await self.tell(Sample(self.world.clock.now(), energy_wh=shown, power_w=watts if power else None))

    async def stop(self, meter_wh, at=None, samples=()):
        report = StopReport("CP-1", self.number, meter_wh, at or self.world.clock.now(), "Local", None, samples)
        await self.world.database.write(charging.stop_transaction, report, self.world.rules)
        return await self.world.database.read(store.charge_by_transaction, self.number)


def an_hour_of_charge_and_five_parked(began):
    """Samples of every five minutes."""
    for minute in range(5, 361, 5):
        charging_now = minute <= 60
        energy_wh = min(minute, 60) * 180
        yield Sample(began.plus(seconds=60 * minute), energy_wh=energy_wh, power_w=10_800 if charging_now else 0)


@pytest.mark.parametrize("told", ["as it happens", "in one message", "with the end"])
def test_many_readings_cost_the_same_in_one_message_as_in_many(told):
    """A station that was away tells the hour of charge and the five hours parked after it at once."""

    async def story(world):
        meter = Meter(world)
        await meter.price(HOURS)
        began = world.clock.now()
        samples = tuple(an_hour_of_charge_and_five_parked(began))
        if told == "as it happens":
            await meter.start()
            for sample in samples:
                await asyncio.sleep(300)
                await meter.tell(sample)
            ended = await meter.stop(10_800)
        else:
            await asyncio.sleep(6 * HOUR_S)
            await meter.start(began)
            if told == "in one message":
                await meter.tell(*samples)
            ended = await meter.stop(10_800, samples[-1].at, samples if told == "with the end" else ())
        assert ended.gross_units == 6_000_000 + 5 * 1_000_000

    tell(story, stations=False)


def test_energy_told_late_costs_what_its_hour_cost():
    """Charged in the evening at the price of the day, told in the morning at the price of the night."""

    async def story(world):
        meter = Meter(world)
        day = Element((Component(Kind.ENERGY, 1_000_000, 0),), Restrictions(start_minute=360, end_minute=1320))
        await meter.price(day, Element((Component(Kind.ENERGY, 100_000, 0),)))
        await asyncio.sleep(8 * HOUR_S)
        evening = world.clock.now()
        await asyncio.sleep(10 * HOUR_S)
        await meter.start(evening)
        samples = tuple(an_hour_of_charge_and_five_parked(evening))
        ended = await meter.stop(10_800, evening.plus(seconds=10 * HOUR_S), samples)
        assert ended.gross_units == 10_800_000

    tell(story, stations=False)


def test_what_keeps_a_full_car_awake_is_no_charging():
    async def story(world):
        meter = Meter(world)
        await meter.price(HOURS)
        await meter.start()
        await meter.charge(10_800, HOUR_S, every=60)
        for _ in range(5 * 60):
            await asyncio.sleep(60)
            await meter.tell(Sample(world.clock.now(), energy_wh=meter.true_wh, power_w=5))
        ended = await meter.stop(meter.true_wh)
        assert ended.gross_units == 6_000_000 + 5 * 1_000_000

    tell(story, stations=False)


@pytest.mark.parametrize("power", [True, False], ids=["with power", "by the register alone"])
def test_what_charges_slowly_is_not_idle(power):
    """A bicycle, or a car that takes little for days."""

    async def story(world):
        meter = Meter(world)
        await meter.price(HOURS)
        await meter.start()
        await meter.charge(75, 2 * HOUR_S, every=48, power=power)
        ended = await meter.stop(meter.true_wh)
        assert ended.gross_units == 2 * 6_000_000

    tell(story, stations=False)


@pytest.mark.parametrize("step_wh", [1, 100, 1000])
def test_a_coarse_register_makes_no_idle_car_of_one_that_charges(step_wh):
    """Without power, nothing moves for up to a quarter of an hour; the connector says that it charges."""

    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT, IDLE_AFTER_15_MIN)
        await meter.start()
        await meter.says("Charging")
        await meter.charge(3_600, 2 * HOUR_S, step_wh=step_wh, power=False)
        ended = await meter.stop(meter.true_wh // step_wh * step_wh)
        assert ended.gross_units == ended.session.energy_wh * 400

    tell(story, stations=False)


def test_a_car_that_its_connector_calls_suspended_is_idle():
    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT, IDLE_AFTER_15_MIN)
        await meter.start()
        await meter.says("Charging")
        await meter.charge(3_600, HOUR_S, step_wh=100, power=False)
        await meter.says("SuspendedEV")
        await meter.charge(0, HOUR_S, step_wh=100, power=False)
        ended = await meter.stop(meter.true_wh)
        parked_min = ended.progress.tally.parked_ms / 60_000
        assert 55 <= parked_min <= 60
        assert ended.gross_units == 3_600 * 400 + (round(parked_min * 10) - 150) * 10_000

    tell(story, stations=False)


@pytest.mark.parametrize(("watts", "every"), [(150_000, 30), (50_000, 60), (22_000, 120), (11_000, 300)], ids=str)
@pytest.mark.parametrize("follows", [False, True], ids=["its own clock", "our clock"])
def test_our_clock_set_back_in_mid_charge_gives_no_energy_away(watts, every, follows):
    """We were an hour ahead when it began; what was heard then lies in our future now."""

    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT)
        clock = world.house_clock if follows else world.clock
        world.house_clock.off_ms = 1000 * HOUR_S
        await meter.start(clock.now())
        for number in range(1, 6 * HOUR_S // 4 // every + 1):
            await asyncio.sleep(every)
            if number == 4:
                world.house_clock.off_ms = 0
            meter.true_wh += watts * every // HOUR_S
            await meter.tell(Sample(clock.now(), energy_wh=meter.true_wh, power_w=watts))
        ended = await meter.stop(meter.true_wh, clock.now())
        assert ended.session.energy_wh == meter.true_wh

    tell(story, stations=False)


@pytest.mark.parametrize("strongest_w", [None, 120_000, 11_000])
def test_what_a_fast_charger_gave_without_a_line_is_billed_as_far_as_it_can_have(strongest_w):
    """It was heard at 10 kW while it grew; the end tells 50 kWh in half an hour, and no reading comes after it."""

    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT)
        if strongest_w:
            await meter.start()
            await meter.charge(strongest_w, 600)
            await meter.stop(meter.true_wh)
            await asyncio.sleep(60)
        await meter.start(meter_wh=100_000)
        await asyncio.sleep(30)
        await meter.tell(Sample(world.clock.now(), energy_wh=100_060, power_w=10_000))
        await asyncio.sleep(HOUR_S // 2)
        ended = await meter.stop(150_060)
        weak = strongest_w == 11_000
        assert ended.session.energy_wh == (60 if weak else 50_060)
        assert ("register-jump" in ended.flags, "register-gap" in ended.flags) == (weak, not weak)

    tell(story, stations=False)


@pytest.mark.parametrize("before", ["nothing", "11 kW", "11 MW for kW"])
def test_a_last_word_too_high_is_not_billed_where_power_was_known(before):
    """80 kWh too much after a quarter of an hour of silence, by a charger that gives 11 kW."""

    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT)
        if before != "nothing":
            await meter.start()
            await meter.charge(11_000, 600)
            if before == "11 MW for kW":
                await meter.tell(Sample(world.clock.now(), energy_wh=meter.true_wh, power_w=11_000_000))
            await meter.stop(meter.true_wh)
            await asyncio.sleep(60)
        await meter.start(meter_wh=meter.true_wh)
        begun_wh = meter.true_wh
        await meter.charge(11_000, HOUR_S // 2)
        known_wh = meter.true_wh - begun_wh
        await asyncio.sleep(900)
        ended = await meter.stop(meter.true_wh + 2_750 + 80_000)
        assert (ended.session.energy_wh, ended.flags) == (known_wh, ("register-jump",))

    tell(story, stations=False)


def test_an_old_jump_takes_nothing_from_a_last_word_that_can_be_true():
    """No power is sent in this charge; another at the connector was measured at 11 kW."""

    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT)
        await meter.start()
        await meter.charge(11_000, 600)
        await meter.stop(meter.true_wh)
        await asyncio.sleep(60)
        meter.true_wh = 0
        await meter.start()
        await meter.charge(60_000, 600, power=False)
        await asyncio.sleep(30)
        await meter.tell(Sample(world.clock.now(), energy_wh=9_000_000))
        await meter.charge(60_000, 60, power=False)
        await asyncio.sleep(HOUR_S // 2)
        ended = await meter.stop(meter.true_wh + 30_000)
        assert ended.session.energy_wh == meter.true_wh + 30_000

    tell(story, stations=False)


def test_a_last_word_after_a_zero_that_was_none_counts_nothing_twice():
    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT)
        await meter.start()
        await meter.charge(6_000, 300)
        await asyncio.sleep(30)
        await meter.tell(Sample(world.clock.now(), energy_wh=0, power_w=6_000))
        await asyncio.sleep(HOUR_S // 2)
        ended = await meter.stop(meter.true_wh + 75_000)
        assert ended.session.energy_wh == meter.true_wh + 75_000

    tell(story, stations=False)


def test_power_in_a_wrong_unit_ends_no_charge():
    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT)
        paid = await world.pay("cp-1-1", 50_000_000)
        waiting = await world.until_status(paid.charge.id, "starting")
        await meter.start(tag=waiting.id_tag)
        await meter.charge(11_000, 120)
        await asyncio.sleep(30)
        await meter.tell(Sample(world.clock.now(), power_w=900_000_000))
        assert (await world.charge(paid.charge.id)).session.status.value == "charging"
        await meter.stop(meter.true_wh)

    tell(story, stations=False)


def test_a_charge_under_the_tag_of_one_that_ended_is_asked_to_stop_as_long_as_it_goes_on():
    async def story(world):
        meter = Meter(world)
        await meter.price(KWH_40_CENT)
        paid = await world.pay("cp-1-1", 5_000_000)
        waiting = await world.until_status(paid.charge.id, "starting")
        await meter.start(tag=waiting.id_tag)
        await meter.charge(11_000, 120)
        await meter.stop(meter.true_wh)
        asked = []

        async def refuse(_identity, number):
            asked.append(number)
            return Done(False)

        world.house.hub.remote_stop = refuse
        await asyncio.sleep(60)
        await meter.start(tag=waiting.id_tag, meter_wh=99_999)
        meter.true_wh = 99_999
        await meter.charge(11_000, 600)
        assert len(asked) > 10
        await meter.stop(meter.true_wh)

    tell(story, stations=False)
