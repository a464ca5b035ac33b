"""Ends that go wrong, each under its own name: what charges is stopped, and each end is its own charge's."""

import asyncio

import pytest
from tests.scenario.steps import PAYMENT, charge_some, finish, pay_and_plug, spent, tell

from commonwatt import charging, tariffs
from commonwatt.adapters.payment.sandbox.faults import Fault
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.books import Entry, post
from commonwatt.charging import jobs, store
from commonwatt.charging.errors import ChangeClaimed
from commonwatt.charging.reports import StartReport, StopReport
from commonwatt.kernel import BTC, EUR, Amount, Instant, Unknown
from commonwatt.payments import cancel_invoice, invoices_of, pay_out
from commonwatt.payments.events import InvoiceAccepted
from commonwatt.tariffs import Component, Element, Kind


async def stop(world, transaction_id, meter_wh, *, at=None, id_tag=None):
    report = StopReport("CP-1", transaction_id, meter_wh, at or world.clock.now(), "Local", id_tag)
    await world.database.write(charging.stop_transaction, report, world.rules)


def test_a_station_that_was_away_when_the_bill_was_posted_is_stopped_when_it_returns():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        await station.go_offline()
        await world.database.write(charging.ask_to_stop, paid.charge.id, "the credit is used up", world.rules)
        await world.until_status(paid.charge.id, "ended", within_s=300)
        await station.go_online()
        await world.until(lambda: station.connector(1).transaction is None, within_s=180)

    tell(story)


def test_a_station_that_goes_on_after_its_charge_was_given_up_is_stopped():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        await world.database.write(charging.note_boot, "CP-1", world.clock.now(), charging.Rules(reboot_s=1))
        charge = await world.charge(paid.charge.id)
        transaction = charge.session.transaction_id
        await station.go_offline()
        await world.until_status(paid.charge.id, "ended", within_s=300)
        await station.go_online()
        await world.until(lambda: station.connector(1).transaction is None, within_s=180)
        row = await world.database.read(store.transaction_by_id, transaction)
        assert row.stopped_ms is not None

    tell(story)


def test_the_late_stop_of_an_earlier_charge_ends_nobody_else_s():
    """It has lost its number; its one-time tag names its own charge, its time a moment before the present one began."""

    async def story(world):
        await world.database.write(charging.add_tag, "OWNER-1", "The owner")
        station = await world.add_station("CP-1", connectors=2)
        first = await pay_and_plug(world, station)
        earlier, _ = await finish(world, station, first, 300)
        second = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        running = await world.charge(second.charge.id)
        before = Instant(running.began.ms - 60_000)
        await stop(world, -1, 0, at=before, id_tag=earlier.id_tag)
        await stop(world, -1, 77_777, at=before, id_tag="OWNER-1")
        await stop(world, -1, 77_777, at=before)
        assert (await world.charge(second.charge.id)).session.status.value == "charging"
        await stop(world, -1, station.connector(1).true_meter_wh, id_tag=running.id_tag)
        assert (await world.charge(second.charge.id)).session.status.value == "ended"
        await station.unplug(1)

    tell(story)


def test_time_that_only_we_counted_is_not_billed():
    """The line is lost, the car leaves at once, and the station tells it half an hour later."""

    async def story(world):
        hourly = tariffs.Tariff("", "", "Hours", EUR, (Element((Component(Kind.TIME, 6_000_000, 0),)),))
        tariff = await world.database.write(tariffs.create_tariff, hourly)
        await world.database.write(tariffs.assign_tariff, tariff.id)
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        await station.go_offline()
        await asyncio.sleep(5)
        await station.unplug(1)
        await world.until_status(paid.charge.id, "ended", within_s=4 * 3600)
        await station.go_online()
        await asyncio.sleep(60)
        ended = await world.charge(paid.charge.id)
        stood_s = (station.truths[0].stopped_ms - station.truths[0].started_ms) // 1000
        assert ended.session.billed_msat <= 6_000_000 * stood_s // 3600 * 100_000 // 6_000 + 100_000

    tell(story)


def test_the_limit_holds_where_a_station_sends_no_power():
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("no-power"))
        paid = await pay_and_plug(world, station, amount=1_500_000, car=Car(power_w_max=22_000.0))
        ended = await world.until_status(paid.charge.id, "ended", within_s=3600)
        assert ended.session.uncollected_msat == 0
        assert ended.session.billed_msat > 1_200_000

    tell(story)


def test_a_stop_that_tells_the_energy_of_the_charge_is_not_billed_on_top():
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("session-energy"))
        for _ in range(2):  # the register stands high at the second
            paid = await pay_and_plug(world, station, amount=20_000_000)
            ended, truth = await finish(world, station, paid, 3000)
        assert truth - 200 <= ended.session.energy_wh <= truth + 1

    tell(story)


def test_a_payee_that_holds_its_change_holds_up_nobody():
    async def story(world):
        real, world.rail.pay = world.rail.pay, hold
        station = await world.add_station("CP-1")
        await world.add_driver()
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        for number in range(70):
            await world.database.write(owe, number, await world.invoice("driver", 1000))
        await asyncio.sleep(0.2)
        asked = world.clock.now()
        await world.database.write(charging.ask_to_stop, paid.charge.id, "the driver stopped it", world.rules)
        await world.until(lambda: station.connector(1).transaction is None, within_s=120)
        assert world.clock.now().since(asked) <= 15_000
        world.rail.pay = real

    async def hold(*_args, **_named):
        await asyncio.sleep(60)
        return Unknown("the payee holds it")

    def owe(work, number, bolt11):
        account, subject = f"session:guest{number}", f"session/guest{number}"
        entries = [Entry("rail:sandbox", Amount(BTC, 1000)), Entry(account, Amount(BTC, -1000))]
        post(work, f"guest:{number}", entries, "A guest's money")
        key = f"change:guest{number}:0"
        pay_out(
            work,
            key=key,
            bolt11=bolt11,
            amount_msat=1000,
            account=account,
            subject=subject,
            rail_name="sandbox",
            fee_limit_msat=0,
        )

    tell(story, stations=False)


def test_an_address_that_fails_once_is_tried_again():
    async def story(world):
        station = await world.add_station("CP-1")
        await world.add_driver()
        paid = await pay_and_plug(world, station)
        await world.database.write(charging.leave_address, paid.charge.secret, "driver@wallet")
        await charge_some(world, station, 300)
        world.rail.faults.plan("pay", Fault.FAIL, times=2)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        await asyncio.sleep(600)
        assert (await world.charge(ended.id)).owed_msat < 1000
        assert await spent(world) == ended.session.billed_msat + (await world.charge(ended.id)).owed_msat

    tell(story)


def test_an_address_that_is_left_days_after_the_end_is_asked(monkeypatch):
    monkeypatch.setattr(jobs, "GIVE_UP_MS", 60_000)

    async def story(world):
        station = await world.add_station("CP-1")
        await world.add_driver()
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        await asyncio.sleep(300)
        await world.database.write(charging.leave_address, ended.secret, "driver@wallet")
        await asyncio.sleep(20)
        assert (await world.charge(ended.id)).owed_msat < 1000

    tell(story)


def test_another_address_does_not_wait_for_the_next_try_of_the_first():
    async def story(world):
        station = await world.add_station("CP-1")
        await world.add_driver()
        paid = await pay_and_plug(world, station)
        await world.database.write(charging.leave_address, paid.charge.secret, "driver@wallet")
        await charge_some(world, station, 300)
        world.rail.faults.plan("pay", Fault.FAIL, times=4)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        await asyncio.sleep(600)
        assert (await world.charge(ended.id)).owed_msat > 1000, "the next try is minutes away"
        await world.database.write(charging.leave_address, ended.secret, "driver@elsewhere")
        await asyncio.sleep(20)
        assert (await world.charge(ended.id)).owed_msat < 1000

    tell(story)


def test_a_claim_whose_payment_failed_is_not_answered_as_paid():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        ended, _ = await finish(world, station, paid, 300)
        offer = await world.database.read(charging.offer_change, ended.secret)
        bolt11 = await world.invoice("driver", offer.max_msat)
        world.rail.faults.plan("pay", Fault.FAIL)
        claim = (charging.claim_change, ended.secret, offer.k1, bolt11, ("sandbox",), world.rules)
        await world.database.write(*claim)
        await asyncio.sleep(30)
        assert (await world.charge(ended.id)).owed_msat == offer.max_msat
        with pytest.raises(ChangeClaimed):
            await world.database.write(*claim)

    tell(story)


def test_news_of_a_lock_that_is_over_starts_nothing():
    async def story(world):
        await world.add_station("CP-1")
        await world.add_driver()
        charge, bolt11 = await world.scan("cp-1-1", PAYMENT)
        [invoice] = await world.database.read(lambda sql: invoices_of(sql, charge.subject))
        await world.database.write(cancel_invoice, invoice.payment_hash)
        await world.house.jobs.settle()
        late = InvoiceAccepted(invoice.payment_hash, charge.subject, PAYMENT)
        await world.database.write(charging.note_accepted, late, world.rules)
        assert (await world.charge(charge.id)).session.held_msat == 0
        assert bolt11

    tell(story)


def test_a_prepaid_charge_that_begins_at_the_other_connector_is_followed_there():
    async def story(world):
        await world.add_station("CP-1", connectors=2)
        paid = await world.pay("cp-1-1", PAYMENT)
        charge = await world.until_status(paid.charge.id, "starting")
        start = StartReport("CP-1", 2, charge.id_tag, 0, world.clock.now())
        number = (await world.database.write(charging.start_transaction, start)).transaction_id
        assert (await world.charge(charge.id)).connector == 2
        assert [one.id for one in await world.database.read(store.active_charges, "CP-1", 2)] == [charge.id]
        await stop(world, number, 0)

    tell(story, stations=False)
