"""Ways to take energy or money from the owner, or too much from the driver, each under its own name."""

import asyncio

import pytest
from tests.scenario.steps import PAYMENT, charge_some, pay_and_plug, spent, tell

from commonwatt import charging, tariffs
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.charging import store
from commonwatt.charging.errors import SessionNotCharging, TagKnown
from commonwatt.charging.pricing import bill_of, rate_of, tariff_of, to_msat
from commonwatt.charging.reports import Authorisation, Sample, SampleReport, StartReport, StopReport
from commonwatt.kernel import EUR, Done, Instant, Unknown
from commonwatt.tariffs import Component, Element, Kind

HOUR_S = 3600


async def start(world, connector, id_tag, *, at=None, meter_wh=1000):
    report = StartReport("CP-1", connector, id_tag, meter_wh, at or world.clock.now())
    return await world.database.write(charging.start_transaction, report, world.rules)


async def stop(world, transaction_id, meter_wh, *, at=None, id_tag=None):
    report = StopReport("CP-1", transaction_id, meter_wh, at or world.clock.now(), "Local", id_tag)
    await world.database.write(charging.stop_transaction, report, world.rules)


@pytest.mark.parametrize(("id_tag", "meter_wh"), [("STRANGER", 1005), (None, 999_000), (None, 1)])
def test_the_end_of_what_was_refused_ends_no_paid_charge(id_tag, meter_wh):
    """It has lost its number: a tag ends only what began under it, and a register only what it can follow."""

    async def story(world):
        station = await world.add_station("CP-1", connectors=2)
        refused = await start(world, 2, "STRANGER")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        await stop(world, -1, meter_wh, id_tag=id_tag)
        assert (await world.charge(paid.charge.id)).session.status.value == "charging"
        row = await world.database.read(store.transaction_by_id, refused.transaction_id)
        assert (row.stopped_ms is not None) == (id_tag is not None)
        await station.unplug(1)
        await world.until_status(paid.charge.id, "ended", within_s=HOUR_S)

    tell(story)


def test_a_tag_in_other_letters_is_the_same_tag():
    """OCPP compares tags without regard to case; readers of different makers write them differently."""

    async def story(world):
        station = await world.add_station("CP-1")
        await world.database.write(charging.add_tag, "04AbCd", "A neighbour")
        with pytest.raises(TagKnown):
            await world.database.write(charging.add_tag, "04aBcD", "Another one")
        first = await start(world, 1, "04abcd")
        assert first.authorisation is Authorisation.ACCEPTED
        assert await start(world, 1, "04ABCD") == first, "the same start, told again"
        await stop(world, -1, 1500, id_tag="04ABCD")
        row = await world.database.read(store.transaction_by_id, first.transaction_id)
        assert row.stopped_ms is not None
        await world.database.write(charging.block_tag, "04ABCD")
        assert await world.database.write(charging.authorise, "CP-1", "04abcd") is Authorisation.BLOCKED
        paid = await world.pay("cp-1-1", PAYMENT)
        starting = await world.until_status(paid.charge.id, "starting")
        own = await start(world, 1, starting.id_tag.lower(), meter_wh=1500)
        assert own.authorisation is Authorisation.ACCEPTED
        assert (await world.charge(paid.charge.id)).session.transaction_id == own.transaction_id
        await stop(world, own.transaction_id, 1600)
        assert station.connector(1).transaction is None

    tell(story, stations=False)


def test_what_is_billed_is_the_bill_also_where_it_fell_meanwhile():
    """A quarter of an hour was begun at the price of charging; the time parked after it takes the rounding back."""

    async def story(world):
        components = (Component(Kind.TIME, 6_000_000, 0, 900), Component(Kind.PARKING_TIME, 1_000_000, 0, 60))
        tariff = tariffs.Tariff("", "", "Hours", EUR, (Element(components),))
        tariff = await world.database.write(tariffs.create_tariff, tariff)
        await world.database.write(tariffs.assign_tariff, tariff.id)
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        before = await world.charge(paid.charge.id)
        await station.pause(1)
        await asyncio.sleep(300)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended", within_s=HOUR_S)
        bill = await world.database.read(bill_of, ended)
        due_msat = await world.database.read(
            lambda sql: to_msat(tariff_of(sql, ended), rate_of(sql, ended), bill.gross)
        )
        assert ended.session.billed_msat == due_msat < before.session.cost_msat

    tell(story)


@pytest.mark.parametrize("set_back_at", [5, 40], ids=["in mid-charge", "before the last word"])
def test_a_clock_that_is_set_back_while_a_car_charges_gives_no_energy_away(set_back_at):
    async def story(world):
        await world.add_station("CP-1")
        paid = await world.pay("cp-1-1", 10_000_000)
        waiting = await world.until_status(paid.charge.id, "starting")
        number = (await start(world, 1, waiting.id_tag, meter_wh=0)).transaction_id
        for turn in range(1, 40):
            await asyncio.sleep(30)
            at = world.clock.now().plus(seconds=-HOUR_S if turn >= set_back_at else 0)
            sample = Sample(at, energy_wh=92 * turn, power_w=11_000)
            report = SampleReport("CP-1", 1, number, (sample,))
            await world.database.write_together(charging.record_samples, report)
        await asyncio.sleep(600)
        await stop(world, number, 92 * 39 + 1800, at=world.clock.now().plus(seconds=-HOUR_S))
        ended = await world.until_status(paid.charge.id, "ended")
        assert ended.session.energy_wh == 92 * 39 + 1800
        assert ended.session.billed_msat == ended.session.cost_msat

    tell(story, stations=False)


@pytest.mark.parametrize("id_tag", ["OWNER-1", "STRANGER"])
def test_a_start_of_the_past_that_is_told_late_ends_no_running_charge(id_tag):
    async def story(world):
        await world.database.write(charging.add_tag, "OWNER-1", "The owner")
        station = await world.add_station("CP-1")
        past = world.clock.now()
        await asyncio.sleep(600)
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        late = await start(world, 1, id_tag, at=past, meter_wh=0)
        await asyncio.sleep(30)
        assert (await world.charge(paid.charge.id)).session.status.value == "charging"
        await stop(world, late.transaction_id, 0, at=Instant(past.ms + 300_000), id_tag=id_tag)
        await charge_some(world, station, 600)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        assert ended.session.energy_wh > 600

    tell(story, stations=False)


def test_change_goes_to_the_address_that_was_corrected_while_the_first_was_asked():
    async def story(world):
        async def fetch(address, amount):
            await asyncio.sleep(8)
            return Done(await world.invoice(address.partition("@")[0], amount))

        world.house.charger._fetch = fetch
        for name in ("stranger", "driver"):
            await world.add_driver(name)
        station = await world.add_station("CP-1")
        paid = await world.pay("cp-1-1", PAYMENT, address="stranger@typo.example")
        await world.until_status(paid.charge.id, "starting")
        await station.plug(1, Car())
        await charge_some(world, station, 300)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended", within_s=HOUR_S)
        await asyncio.sleep(3)
        await world.database.write(charging.leave_address, ended.secret, "driver@right.example")
        await asyncio.sleep(60)
        assert await spent(world, "stranger") == 0
        assert await spent(world) < ended.session.billed_msat + 1000

    tell(story)


@pytest.mark.parametrize("fault", ["", "no-power"])
def test_a_station_that_agrees_to_stop_and_goes_on_is_asked_again(fault):
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of(fault) if fault else None)
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        ask, asked = world.house.hub.remote_stop, []

        async def agree_once(identity, transaction_id):
            asked.append(transaction_id)
            return Done(True) if len(asked) == 1 else await ask(identity, transaction_id)

        world.house.hub.remote_stop = agree_once
        await world.database.write(charging.ask_to_stop, paid.charge.id, "the driver stopped it", world.rules)
        await world.until_status(paid.charge.id, "ended", within_s=300)
        await world.until(lambda: station.connector(1).transaction is None, within_s=180)

    tell(story)


def test_what_a_refused_tag_began_is_stopped_though_the_station_does_not_answer_at_first():
    async def story(world):
        station = await world.add_station("CP-1")
        refused = await start(world, 1, "STRANGER")
        asked = []

        async def answer_late(_identity, transaction_id):
            asked.append(transaction_id)
            return Unknown("no answer") if len(asked) == 1 else Done(True)

        world.house.hub.remote_stop = answer_late
        await asyncio.sleep(120)
        assert asked == [refused.transaction_id] * 2
        sample = Sample(world.clock.now(), energy_wh=2000, power_w=11_000)
        report = SampleReport("CP-1", 1, refused.transaction_id, (sample,))
        await world.database.write_together(charging.record_samples, report)
        await asyncio.sleep(10)
        assert len(asked) == 3
        await stop(world, refused.transaction_id, 2000)
        assert station.connector(1).transaction is None

    tell(story)


def test_credit_is_added_only_while_energy_flows():
    """Paid at once and never locked, it would come back over the payer's own costly channel, at the owner's cost."""

    async def story(world):
        station = await world.add_station("CP-1")
        paid = await world.pay("cp-1-1", PAYMENT)
        await world.until_status(paid.charge.id, "starting")
        wish = {"secret": paid.charge.secret, "amount_msat": PAYMENT, "rules": world.rules}
        with pytest.raises(SessionNotCharging):
            await charging.offer_top_up(world.database, {"sandbox": world.rail}, **wish)
        await station.plug(1)
        await charge_some(world, station, 100)
        _, invoice = await charging.offer_top_up(world.database, {"sandbox": world.rail}, **wish)
        assert invoice.amount_msat == PAYMENT
        await station.unplug(1)
        await world.until_status(paid.charge.id, "ended")

    tell(story)


def test_the_fees_of_returning_change_are_bounded_by_what_the_charge_brought():
    rules = charging.Rules(fee_base_msat=5_000, fee_ppm=5_000, fee_unearned_msat=100_000)
    assert rules.fee_limit(1_000_000, 0) == 5_000 + 5_000
    assert rules.fee_limit(1_000_000_000, 0) == 5_000 + 100_000
    assert rules.fee_limit(1_000_000_000, 60_000_000) == 5_000 + 3_000_000
    assert rules.fee_limit(1_000_000_000, 500_000_000) == 5_000 + 5_000_000
