"""Steps that stories share: pay and plug in, charge so much, unplug, settle, and see that nobody lost anything."""

from sim import laws
from sim.world import PURSE_MSAT, World, run

from commonwatt.adapters.station.virtual.car import Car

PAYMENT = 5_000_000


def tell(story, *, seed=0, rules=None, hold=True, stations=True):
    """Run a story in a fresh world and check the laws of the end.

    Without `stations` the story itself says what stations report, and nobody but it knows what really flowed.
    """

    async def whole():
        async with World(seed, rules=rules, hold=hold) as world:
            await story(world)
            await world.heal()
            await (laws.check_healed(world) if stations else laws.check(world))

    run(whole)


async def pay_and_plug(world, station, *, amount=PAYMENT, car=None, driver="driver"):
    """Pay at the station's first connector and plug in; return the payment."""
    paid = await world.pay(f"{station.identity.lower()}-1", amount, driver=driver)
    await world.until_status(paid.charge.id, "starting")
    await station.plug(1, car or Car())
    return paid


async def charge_some(world, station, wh=1500):
    """Let so much energy flow in the charge that runs at the first connector."""

    def flowed():
        here = station.connector(1)
        return here.transaction is not None and here.true_meter_wh - here.transaction.true_start_wh > wh

    await world.until(flowed, within_s=4 * 3600)


async def finish(world, station, paid, wh=1500):
    """Charge a while, unplug, and return the ended session and what really flowed."""
    await charge_some(world, station, wh)
    await station.unplug(1)
    ended = await world.until_status(paid.charge.id, "ended", within_s=7200)
    return ended, station.truths[-1].energy_wh


async def spent(world, driver="driver"):
    """What a driver has less than at the beginning."""
    return PURSE_MSAT - await world.network.balance_msat(driver)
