"""What an older backup does wrong when it is restored, each under its own name: it owes what was paid since."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from sim.power import Power
from sim.world import World, run
from tests.scenario.steps import PAYMENT, charge_some, pay_and_plug, spent

from commonwatt import charging
from commonwatt.charging.actions.release_change import release_change, release_changes
from commonwatt.charging.errors import ChangeWithheld, SessionRunning
from commonwatt.kit.database import open_engine
from commonwatt.main.backup import make_backup, restore_backup
from commonwatt.main.config import Data
from commonwatt.members import TERMINAL
from commonwatt.payments import payouts_of

ADDRESS = "driver@wallet.example"
LONG_S = 1200


class Site:
    """A house whose data is a directory, so that it is backed up and restored as an owner does it."""

    def __init__(self, world, folder):
        self.world, self.data, self.file = world, Data(dir=folder), folder.parent / "backup.tar"

    def back_up(self):
        make_backup(self.data, self.file, self.world.clock.now())

    async def restore(self):
        """Lose the disk and start over the backup; return of how many sessions the change is withheld."""
        world = self.world
        world.cut_power(away_s=1e9)
        world._restart.cancel()
        world._restart = None
        world.engine.dispose()
        restored = restore_backup(self.data, self.file, world.clock.now(), replace=True)
        world.engine = open_engine(self.data.database)
        world.power = Power()
        await world.power.task(world._open_house())
        for station in world.stations.values():
            await station.go_offline()
            await station.go_online()
            await world.until(lambda one=station.identity: world.house.hub.is_connected(one))
        return restored.withheld

    async def release(self, charge):
        return await self.world.database.write(release_change, charge.id, actor=TERMINAL)


@asynccontextmanager
async def site(tmp_path):
    (tmp_path / "data").mkdir()
    async with World(3, path=tmp_path / "data" / "commonwatt.sqlite") as world:
        await world.add_station("CP-1")
        await world.add_driver()
        yield Site(world, tmp_path / "data")


async def end(world, session_id):
    await world.stations["CP-1"].unplug(1)
    return await world.until_status(session_id, "ended", within_s=7200)


async def charged(world, *, address=None):
    station = world.stations["CP-1"]
    paid = await world.pay("cp-1-1", PAYMENT, address=address)
    await world.until_status(paid.charge.id, "starting")
    await station.plug(1)
    await charge_some(world, station, 500)
    return paid.charge


def test_a_backup_from_mid_charge_pays_the_address_no_second_time(tmp_path):
    """The charge ends again by its last reading, and an address was left for the change."""

    async def story():
        async with site(tmp_path) as here:
            world = here.world
            charge = await charged(world, address=ADDRESS)
            here.back_up()
            await end(world, charge.id)
            await asyncio.sleep(300)
            cost = await spent(world)
            assert (await world.charge(charge.id)).owed_msat < 1000, "the change was paid"
            assert await here.restore() == 1
            with pytest.raises(SessionRunning):
                await here.release(charge)
            again = await world.until_status(charge.id, "ended", within_s=2 * 86_400)
            await asyncio.sleep(LONG_S)
            assert again.session.billed
            assert again.withholds
            assert await spent(world) == cost
            assert await world.database.read(payouts_of, charge.subject) == []

    run(story)


def test_a_backup_from_before_the_claim_pays_the_secret_link_no_second_time(tmp_path):
    async def story():
        async with site(tmp_path) as here:
            world = here.world
            charge = await charged(world)
            ended = await end(world, charge.id)
            here.back_up()
            await world.claim(ended)
            await asyncio.sleep(300)
            cost = await spent(world)
            assert await here.restore() == 1
            with pytest.raises(ChangeWithheld):
                await world.claim(ended)
            await world.database.write(charging.leave_address, ended.secret, ADDRESS)
            await asyncio.sleep(LONG_S)
            assert await spent(world) == cost
            assert (await world.charge(charge.id)).owed_msat == ended.owed_msat, "it stays the driver's"

    run(story)


def test_a_backup_from_before_the_payment_returns_a_used_payment_no_second_time(tmp_path):
    """The restored house finds the offer paid, and no charge that belongs to it."""

    async def story():
        async with site(tmp_path) as here:
            world, station = here.world, here.world.stations["CP-1"]
            charge, bolt11 = await world.scan("cp-1-1", PAYMENT, address=ADDRESS)
            here.back_up()
            world.send("driver", bolt11, PAYMENT)
            await world.until_status(charge.id, "starting")
            await station.plug(1)
            await charge_some(world, station, 500)
            await end(world, charge.id)
            await asyncio.sleep(300)
            cost = await spent(world)
            assert await here.restore() == 1
            await asyncio.sleep(LONG_S)
            again = await world.charge(charge.id)
            assert (again.session.over, again.withholds) == (True, True)
            assert await spent(world) == cost

    run(story)


def test_change_that_was_on_its_way_at_the_backup_and_failed_is_paid_by_one_claim_alone(tmp_path):
    """The restored house finds that the first claim failed, and knows nothing of the second, which was paid."""

    async def story():
        async with site(tmp_path) as here:
            world = here.world
            charge = await charged(world)
            ended = await end(world, charge.id)
            world.rail.faults.down = True
            await world.claim(ended)
            here.back_up()
            (payout,) = await world.database.read(payouts_of, charge.subject)
            await world.network.cancel("driver", bytes.fromhex(payout.payment_hash))
            world.rail.faults.down = False
            await asyncio.sleep(600)
            await world.claim(await world.charge(charge.id))
            await asyncio.sleep(600)
            cost = await spent(world)
            assert await here.restore() == 1, "its payment was on its way"
            await asyncio.sleep(600)
            assert await spent(world) == cost
            assert (await world.charge(charge.id)).withholds

    run(story)


def test_what_was_not_paid_before_is_released_and_paid_once(tmp_path):
    async def story():
        async with site(tmp_path) as here:
            world = here.world
            linked = await end(world, (await charged(world)).id)
            addressed = await charged(world, address=ADDRESS)
            here.back_up()
            assert await here.restore() == 2
            addressed = await end(world, addressed.id)
            assert addressed.withholds
            before = await spent(world)
            await here.release(linked)
            await here.release(linked)
            await world.claim(await world.charge(linked.id))
            await world.database.write(release_changes, [linked.id, addressed.id], actor=TERMINAL)
            await here.release(addressed)
            await asyncio.sleep(LONG_S)
            due = linked.owed_msat + addressed.owed_msat - addressed.owed_msat % 1000
            assert before - await spent(world) == due
            for charge in (linked, addressed):
                assert len(await world.database.read(payouts_of, charge.subject)) == 1
                assert (await world.charge(charge.id)).owed_msat < 1000

    run(story)


def test_a_restored_house_sells_as_before(tmp_path):
    """What begins after the restore is no affair of the backup: its change leaves by itself."""

    async def story():
        async with site(tmp_path) as here:
            world = here.world
            here.back_up()
            assert await here.restore() == 0
            paid = await pay_and_plug(world, world.stations["CP-1"])
            await world.database.write(charging.leave_address, paid.charge.secret, ADDRESS)
            await charge_some(world, world.stations["CP-1"], 500)
            ended = await end(world, paid.charge.id)
            await asyncio.sleep(300)
            assert ended.withheld is None
            assert (await world.charge(ended.id)).owed_msat < 1000

    run(story)


def test_a_transaction_begun_after_the_backup_shares_no_number_with_a_new_one(tmp_path):
    """Its car goes on under its number; another driver's charge neither gets its energy nor ends with it."""

    async def story():
        async with site(tmp_path) as here:
            world = here.world
            station = await world.add_station("CP-2", connectors=2)
            await world.add_driver("second")
            here.back_up()
            lost = await world.pay("cp-2-1", PAYMENT)
            await world.until_status(lost.charge.id, "starting")
            await station.plug(1)
            await charge_some(world, station, 300)
            number = (await world.charge(lost.charge.id)).session.transaction_id
            await here.restore()
            await asyncio.sleep(30)
            paid = await world.pay("cp-2-2", PAYMENT, driver="second")
            await world.until_status(paid.charge.id, "starting")
            await station.plug(2)
            await world.until_status(paid.charge.id, "charging")
            await asyncio.sleep(300)
            await station.unplug(1)
            await asyncio.sleep(60)
            charge = await world.charge(paid.charge.id)
            assert charge.session.transaction_id > number + 1000
            assert charge.session.status == "charging"
            await station.unplug(2)
            ended = await world.until_status(paid.charge.id, "ended", within_s=7200)
            assert ended.session.energy_wh == station.truths[-1].energy_wh

    run(story)


def test_a_transaction_begun_after_the_backup_is_on_nobody_else_s_bill(tmp_path):
    """At the connector where another driver charged at the backup; to the restored house that charge still runs."""

    async def story():
        async with site(tmp_path) as here:
            world, station = here.world, here.world.stations["CP-1"]
            charge = await charged(world)
            here.back_up()
            at_backup = await world.charge(charge.id)
            await end(world, charge.id)
            lost = await world.pay("cp-1-1", PAYMENT, driver="second")
            await world.until_status(lost.charge.id, "starting")
            await station.plug(1)
            await charge_some(world, station, 500)
            await here.restore()
            await asyncio.sleep(300)
            await station.unplug(1)
            await asyncio.sleep(60)
            after = await world.charge(charge.id)
            assert after.session.energy_wh <= at_backup.session.energy_wh
            assert after.session.billed_msat == 0 or after.session.billed_msat <= at_backup.session.cost_msat

    run(story)
