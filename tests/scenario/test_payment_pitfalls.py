"""What payments do wrong, each under its own name: money that came is billed, given back, or owed; never lost."""

import asyncio
from dataclasses import replace

import pytest
from tests.scenario.steps import PAYMENT, charge_some, pay_and_plug, spent, tell

from commonwatt import charging
from commonwatt.adapters.payment.sandbox.faults import Fault
from commonwatt.charging.driver_view import session_context
from commonwatt.charging.errors import ChangeClaimed, NoChange, SessionOver
from commonwatt.kernel import Failed
from commonwatt.payments import invoice_of, payouts_of
from commonwatt.payments.errors import WrongNetwork
from commonwatt.payments.ports import InvoiceState
from commonwatt.payments.reports import Stage
from commonwatt.protocols.bolt11 import Network, decode, encode
from commonwatt.tariffs.errors import NoRate


async def charged(world, *, driver="driver", amount=PAYMENT):
    station = world.stations.get("CP-1") or await world.add_station("CP-1")
    paid = await pay_and_plug(world, station, driver=driver, amount=amount)
    await charge_some(world, station)
    await station.unplug(1)
    return await world.until_status(paid.charge.id, "ended")


def test_payment_after_expiry():
    async def story(world):
        await world.add_station("CP-1")
        charge, invoice = await charging.offer_session(
            world.database, world.house.hub, world.rail, connector="cp-1-1", amount_msat=PAYMENT, rules=world.rules
        )
        await world.add_driver()
        await asyncio.sleep(world.rules.invoice_s + 60)
        outcome = await world.send("driver", invoice.bolt11, PAYMENT)
        assert isinstance(outcome, Failed)
        assert (await world.charge(charge.id)).session.status == "cancelled"
        assert await spent(world) == 0

    tell(story)


@pytest.mark.parametrize("hold", [True, False], ids=["hold", "prepaid"])
def test_paid_twice(hold):
    """Two drivers pay for one connector: the second has everything back."""

    async def story(world):
        station = await world.add_station("CP-1")
        offers = [
            await charging.offer_session(
                world.database, world.house.hub, world.rail, connector="cp-1-1", amount_msat=PAYMENT, rules=world.rules
            )
            for _ in range(2)
        ]
        for driver, (_, invoice) in zip(("driver", "second"), offers, strict=True):
            await world.add_driver(driver)
            world.send(driver, invoice.bolt11, PAYMENT)
        first = await world.until_status(offers[0][0].id, "starting")
        second = await world.until_status(offers[1][0].id, "cancelled")
        await station.plug(1)
        await world.until_status(first.id, "charging")
        if not hold:
            assert second.owed_msat == PAYMENT
            await world.claim(second, driver="second")
        await asyncio.sleep(10)
        assert await spent(world, "second") <= 0 if hold else await spent(world, "second") == 0

    tell(story, hold=hold)


@pytest.mark.parametrize("hold", [True, False], ids=["hold", "prepaid"])
def test_rail_down_while_charging(hold):
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await world.pay("cp-1-1", PAYMENT)
        await world.until_status(paid.charge.id, "starting")
        world.rail.faults.down = True
        await station.plug(1)
        await charge_some(world, station)
        await station.unplug(1)
        await asyncio.sleep(120)
        world.rail.faults.down = False
        ended = await world.until_status(paid.charge.id, "ended")

        async def billed():
            return (await world.charge(ended.id)).session.billed_msat > 0

        await world.until(billed)

    tell(story, hold=hold)


def test_an_accepted_payment_that_nobody_told_us_of_is_found():
    async def story(world):
        station = await world.add_station("CP-1")
        world.rail.faults.drop.add(InvoiceState.ACCEPTED)
        paid = await world.pay("cp-1-1", PAYMENT)
        await world.until_status(paid.charge.id, "starting", within_s=60)
        await station.plug(1)
        await world.until_status(paid.charge.id, "charging")

    tell(story)


def test_rate_source_down():
    async def story(world):
        await world.add_station("CP-1")
        world.rates.down = True
        await asyncio.sleep(3600)
        with pytest.raises(NoRate):
            await world.pay("cp-1-1", PAYMENT)

    tell(story)


def test_the_rate_of_a_session_is_its_own():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 500)
        world.rates._prices["EUR"] *= 3
        await asyncio.sleep(300)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        fair = ended.gross_units * 100_000_000_000 // 60_000_000_000
        assert ended.session.billed_msat == fair

    tell(story)


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
def test_change_whose_payment_is_unknown_arrives_once(fault):
    async def story(world):
        ended = await charged(world)
        before = await spent(world)
        world.rail.faults.plan("pay", fault)
        world.rail.faults.plan("look_up_payment", Fault.LOSE_ANSWER, times=3)
        await world.claim(ended)
        await world.heal()
        assert before - await spent(world) == ended.owed_msat

    tell(story)


def test_change_that_cannot_be_paid_is_owed_again():
    async def story(world):
        ended = await charged(world)
        world.rail.faults.plan("pay", Fault.FAIL)
        await world.claim(ended)
        await asyncio.sleep(5)
        assert (await world.charge(ended.id)).owed_msat == ended.owed_msat
        await world.claim(ended)
        await asyncio.sleep(5)
        assert (await world.charge(ended.id)).owed_msat == 0

    tell(story)


def test_a_charge_whose_payment_is_not_ours_yet_has_no_receipt():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        world.rail.faults.plan("settle_invoice", Fault.LOSE_REQUEST, times=1000)
        await charge_some(world, station, 300)
        await station.unplug(1)
        charge = await world.until_status(paid.charge.id, "ended")
        assert not charge.session.billed
        assert (await shown(world, charge))["receipt"] == ""
        await world.heal()
        charge = await world.charge(charge.id)
        assert charge.session.billed
        assert (await shown(world, charge))["receipt"] == f"/r/{charge.id}"

    tell(story)


async def shown(world, charge):
    now = world.clock.now()
    return await world.database.read(session_context, charge, now, "UTC", world.rules)


def test_change_is_claimed_once():
    async def story(world):
        ended = await charged(world)
        offer = await world.database.read(charging.offer_change, ended.secret)
        claim = (ended.secret, offer.k1)
        first, other = [await world.invoice("driver", offer.max_msat) for _ in range(2)]
        for _ in range(3):
            await world.database.write(charging.claim_change, *claim, first, ("sandbox",), world.rules)
        with pytest.raises(ChangeClaimed):
            await world.database.write(charging.claim_change, *claim, other, ("sandbox",), world.rules)
        await asyncio.sleep(5)
        with pytest.raises(NoChange):
            await world.database.read(charging.offer_change, ended.secret)

    tell(story)


def test_change_goes_to_the_address_that_the_driver_left():
    async def story(world):
        station = await world.add_station("CP-1")
        await world.add_driver()
        paid = await world.pay("cp-1-1", PAYMENT, address="driver@wallet.example")
        await world.until_status(paid.charge.id, "starting")
        await station.plug(1)
        await charge_some(world, station)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        await asyncio.sleep(10)
        assert (await world.charge(ended.id)).owed_msat < 1000
        assert 0 < await spent(world) <= ended.session.billed_msat + 1000

    tell(story)


def test_the_credit_ends_the_charge_and_a_top_up_prolongs_it():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station, amount=1_000_000)
        await world.until_status(paid.charge.id, "charging")
        _, invoice = await charging.offer_top_up(
            world.database, {"sandbox": world.rail}, secret=paid.charge.secret, amount_msat=1_000_000, rules=world.rules
        )
        await world.send("driver", invoice.bolt11, 1_000_000)
        ended = await world.until_status(paid.charge.id, "ended", within_s=7200)
        assert ended.session.reason == "the credit is used up"
        assert 1_000_000 < ended.session.billed_msat <= 2_000_000
        assert ended.session.uncollected_msat == 0
        assert ended.session.billed_msat == ended.session.cost_msat

    tell(story)


def test_a_top_up_that_comes_after_the_end_is_change():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await world.until_status(paid.charge.id, "charging")
        _, invoice = await charging.offer_top_up(
            world.database, {"sandbox": world.rail}, secret=paid.charge.secret, amount_msat=PAYMENT, rules=world.rules
        )
        await world.send("driver", invoice.bolt11, PAYMENT)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        assert ended.owed_msat == 2 * PAYMENT - ended.session.billed_msat
        with pytest.raises(SessionOver):
            await charging.offer_top_up(
                world.database,
                {"sandbox": world.rail},
                secret=paid.charge.secret,
                amount_msat=PAYMENT,
                rules=world.rules,
            )

    tell(story)


def test_parked_time_uses_up_the_credit_without_any_sample():
    """A station that says nothing while an idle fee runs is stopped by the clock."""

    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station, amount=1_500_000)
        await charge_some(world, station, 300)
        await station.pause(1)
        await asyncio.sleep(120)
        await station.go_offline()
        stopped = await world.until_status(paid.charge.id, "stopping", "ended", within_s=3 * 3600)
        assert stopped.session.cost_msat <= 1_500_000

    tell(story)


def test_change_goes_back_over_the_rail_and_the_network_that_the_payment_came_from():
    """A site that moved from play money to real money owes its old sessions play money alone."""

    async def story(world):
        ended = await charged(world)
        offer = await world.database.read(charging.offer_change, ended.secret)
        own = await world.invoice("driver", offer.max_msat)
        real = encode(replace(decode(own), network=Network.MAINNET), secret_key=bytes([7]) * 32)
        for rails in (("sandbox", "lnd"), ("lnd", "sandbox"), ("lnd",)):
            with pytest.raises(WrongNetwork):
                await world.database.write(charging.claim_change, ended.secret, offer.k1, real, rails, world.rules)
        rails = ("lnd", "sandbox")
        await world.database.write(charging.claim_change, ended.secret, offer.k1, own, rails, world.rules)
        [payout] = await world.database.read(payouts_of, ended.subject)
        assert payout.rail == "sandbox"

    tell(story)


def test_offers_that_nobody_pays_neither_pile_up_at_a_connector_nor_block_it():
    rules = charging.Rules(offers_max=3)

    async def story(world):
        await world.add_station("CP-1")
        offers = []
        for _ in range(5):
            offers.append(
                await charging.offer_session(
                    world.database, world.house.hub, world.rail, connector="cp-1-1", amount_msat=PAYMENT, rules=rules
                )
            )
            await asyncio.sleep(1)
        for charge, invoice in offers[:2]:
            withdrawn = await world.until_status(charge.id, "cancelled")
            assert withdrawn.session.reason == "too many newer offers"
            assert (await world.database.read(invoice_of, invoice.payment_hash)).state is Stage.CANCELLED
        await world.add_driver("driver")
        world.send("driver", offers[2][1].bolt11, PAYMENT)
        await world.until_status(offers[2][0].id, "starting")

    tell(story, rules=rules)
