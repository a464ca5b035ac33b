"""Our own clock is set back, by hours or a day: nobody's money waits until it shows the same time again."""

import asyncio

import pytest
from tests.scenario.steps import PAYMENT, charge_some, pay_and_plug, spent, tell

from commonwatt import charging
from commonwatt.charging import store

HOUR_S = 3600


def set_ahead(world, hours):
    """Let the house's clock go wrong before anything happens; sources of rates go by it too."""
    world.rates._clock = world.house_clock
    world.house_clock.off_ms = 1000 * HOUR_S * hours


async def until_over(world, charge):
    """Return the charge at its end, and after how many seconds it ended."""
    begun = world.clock.now()

    async def over():
        return (await world.charge(charge.id)).session.over

    await world.until(over, within_s=30 * HOUR_S)
    return await world.charge(charge.id), world.clock.now().since(begun) / 1000


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("hours", [2, 24])
def test_locked_money_of_a_silent_station_goes_back_in_time(hours, away):
    """Also where the clock is set back while the house is down."""

    async def story(world):
        station = await world.add_station("CP-1")
        set_ahead(world, hours)
        await asyncio.sleep(1000)
        paid = await world.pay("cp-1-1", PAYMENT)
        await world.until_status(paid.charge.id, "starting")
        await asyncio.sleep(2)
        await station.go_offline()
        if away:
            world.cut_power(3)
        world.house_clock.off_ms = 0
        if away:
            await world._restart
        charge, after_s = await until_over(world, paid.charge)
        assert (charge.session.status.value, after_s < 110) == ("cancelled", True)
        await asyncio.sleep(10)
        assert paid.wallet.done()
        assert await spent(world) == 0

    tell(story)


def test_a_silent_station_is_billed_in_time():
    async def story(world):
        station = await world.add_station("CP-1")
        set_ahead(world, 24)
        await asyncio.sleep(1000)
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        await station.go_offline()
        await world.database.write(charging.ask_to_stop, paid.charge.id, "driver", world.rules)
        world.house_clock.off_ms = 0
        charge, after_s = await until_over(world, paid.charge)
        assert (charge.session.status.value, after_s < 110) == ("ended", True)

    tell(story)


def test_an_offer_that_nobody_pays_lapses_in_time():
    async def story(world):
        station = await world.add_station("CP-1")
        set_ahead(world, 24)
        await asyncio.sleep(1000)
        charge, _ = await world.scan("cp-1-1", PAYMENT)
        world.house_clock.off_ms = 0
        charge, after_s = await until_over(world, charge)
        assert (charge.session.status.value, after_s < 640) == ("cancelled", True)
        assert station.online

    tell(story)


def test_no_wait_is_shortened_below_its_term():
    """A clock that goes back by less than was waited changes no deadline."""

    async def story(world):
        station = await world.add_station("CP-1")
        paid = await world.pay("cp-1-1", PAYMENT)
        await world.until_status(paid.charge.id, "starting")
        await station.go_offline()
        await asyncio.sleep(30)

        def deadline(sql):
            return store.charge_by_id(sql, paid.charge.id).session.deadline_ms

        before = await world.database.read(deadline)
        world.house_clock.off_ms = -10_000
        assert await world.database.write(charging.wait_no_longer, world.rules) == 0
        assert await world.database.read(deadline) == before
        world.house_clock.off_ms = 0

    tell(story)
