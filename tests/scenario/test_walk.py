"""A charging session, as ARCHITECTURE.md tells it: scan, pay, charge, stop, get the change back."""

from sim import laws
from sim.world import World, run
from tests.scenario.steps import charge_some

from commonwatt.adapters.station.virtual.car import Car
from commonwatt.books import balance
from commonwatt.kernel import BTC


def test_a_charging_session():
    async def story():
        async with World() as world:
            station = await world.add_station("CP-1")
            paid = await world.pay("cp-1-1", 5_000_000)
            await world.until_status(paid.charge.id, "starting")
            await station.plug(1, Car())
            await world.until_status(paid.charge.id, "charging")
            await charge_some(world, station)
            await station.unplug(1)
            ended = await world.until_status(paid.charge.id, "ended")
            session = ended.session
            assert session.energy_wh == station.truths[0].energy_wh
            assert session.paid_msat == 5_000_000
            assert 0 < session.billed_msat < session.paid_msat
            await world.claim(ended)
            await world.house.jobs.settle()
            left = (await world.charge(ended.id)).owed_msat
            assert left == 0
            await laws.check_healed(world)
            spent = 100_000_000_000 - await world.network.balance_msat("driver")
            assert spent == session.billed_msat
            assert (await world.database.read(balance, f"session:{ended.id}", asset=BTC)).units == 0

    run(story)
