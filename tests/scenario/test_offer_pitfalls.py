"""Offers and ends at odd moments, each under its own name: what is paid buys something, what is not is no sum."""

import asyncio

import pytest
from tests.scenario.steps import PAYMENT, charge_some, pay_and_plug, spent, tell

from commonwatt import charging, stations, tariffs
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.books import balance
from commonwatt.charging import period_sums, queries, station_view, store
from commonwatt.charging.actions import offer_session
from commonwatt.charging.errors import AmountOutOfRange, SessionOver
from commonwatt.charging.receipt import receipt_of
from commonwatt.charging.reports import Sample, SampleReport, StartReport, StatusReport, StopReport
from commonwatt.kernel import EUR
from commonwatt.kit.web import Site
from commonwatt.payments import Decision, Stage, invoices_of
from commonwatt.tariffs import Component, Element, Kind

ENERGY, FEE = Component(Kind.ENERGY, 400_000, 0), Component(Kind.FLAT, 5_000_000, 0)
TAG = "NEIGHBOUR"
both_rails = pytest.mark.parametrize("hold", [True, False], ids=["hold", "prepaid"])


async def sell(world, *components):
    draft = tariffs.Tariff("", "", "T", EUR, (Element(components),), vat_included=True)
    tariff = await world.database.write(tariffs.create_tariff, draft)
    await world.database.write(tariffs.assign_tariff, tariff.id)


async def begin(world, tag):
    report = StartReport("CP-1", 1, tag, 0, world.clock.now())
    return (await world.database.write(charging.start_transaction, report, world.rules)).transaction_id


async def measure(world, number, wh, power_w):
    sample = Sample(world.clock.now(), energy_wh=wh, power_w=power_w)
    await world.database.write_together(charging.record_samples, SampleReport("CP-1", 1, number, (sample,)))


async def end(world, number, wh):
    report = StopReport("CP-1", number, wh, world.clock.now(), "Local")
    await world.database.write(charging.stop_transaction, report, world.rules)
    return await world.database.read(store.charge_by_transaction, number)


async def earned(world):
    """What the owner's pages say was earned today: the overview, the station, the chart of days."""
    now = world.clock.now()
    since, until, site = now.plus(seconds=-7200), now.plus(seconds=1), Site("Test", "http://testserver.local")
    today = now.utc().date()
    [day] = await world.database.read(period_sums.sums_by_day, site.zone, "EUR", today, today)
    gross = await world.database.read(queries.sum_gross, since, until)
    station = await world.database.read(station_view.sums_of, "CP-1", since, "EUR")
    return {gross.get("EUR", 0), station["money"].units, day.units}


def late(monkeypatch, meanwhile):
    """Let something happen between the decision to make an invoice and its draft."""
    real = offer_session.request_invoice

    async def slow(*args, **kwargs):
        await meanwhile()
        return await real(*args, **kwargs)

    monkeypatch.setattr(offer_session, "request_invoice", slow)


async def nothing_is_payable(world, charge):
    invoices = await world.database.read(invoices_of, charge.subject)
    assert all(one.state is not Stage.OPEN or one.decision is Decision.CANCEL for one in invoices)
    await asyncio.sleep(5)
    return await world.database.read(invoices_of, charge.subject)


@both_rails
def test_less_than_the_fee_is_not_taken_and_the_least_buys_energy(hold):
    async def story(world):
        await sell(world, ENERGY, FEE)
        station = await world.add_station("CP-1")
        with pytest.raises(AmountOutOfRange) as refused:
            await world.pay("cp-1-1", 1_000_000)
        least = refused.value.fields["min_msat"]
        assert least == 9_000_000, "5.00 + 0.40 euro at 60,000"
        paid = await pay_and_plug(world, station, amount=least)
        ended = await world.until_status(paid.charge.id, "ended", within_s=3600)
        assert ended.session.energy_wh > 500
        assert ended.session.uncollected_msat == 0

    tell(story, hold=hold)


def test_a_cancelled_charge_with_a_fee_is_in_no_sum():
    async def story(world):
        await sell(world, ENERGY, FEE)
        await world.database.write(charging.add_tag, TAG, "A neighbour")
        await world.add_station("CP-1")
        number = await begin(world, TAG)
        await asyncio.sleep(60)
        await measure(world, number, 0, 0)
        assert await earned(world) == {5_000_000}
        charge = await end(world, number, 0)
        assert (charge.session.status, charge.gross_units, charge.earned_units) == ("cancelled", 0, 0)
        assert await earned(world) == {0}
        receipt = await world.database.read(receipt_of, charge, Site("Test", "http://testserver.local"))
        assert (receipt["gross"], receipt["lines"]) == (0, [])

    tell(story, stations=False)


@both_rails
def test_what_was_delivered_and_not_paid_is_not_earned(hold):
    async def story(world):
        await sell(world, Component(Kind.ENERGY, 400_000, 200_000))
        await world.add_station("CP-1")
        paid = await world.pay("cp-1-1", PAYMENT)
        starting = await world.until_status(paid.charge.id, "starting")
        number = await begin(world, starting.id_tag)
        await asyncio.sleep(60)
        await measure(world, number, 100, 6_000)
        await asyncio.sleep(3600)
        assert (await world.charge(paid.charge.id)).gross_units == 40_000
        ended = await end(world, number, 10_000)
        assert ended.gross_units == 4_000_000
        await asyncio.sleep(5)
        ended = await world.charge(ended.id)
        assert (ended.session.billed_msat, ended.session.uncollected_msat > 0) == (PAYMENT, True)
        assert ended.earned_units == 3_000_000, "5,000 sats at 60,000"
        assert await earned(world) == {ended.earned_units}
        receipt = await world.database.read(receipt_of, ended, Site("Test", "http://testserver.local"))
        assert (receipt["gross"], receipt["waived"]) == (3_000_000, 1_000_000)
        vat_msat = await world.database.read(balance, "vat")
        assert (receipt["vat"], vat_msat.units) == (500_000, 833_333), (
            "0.50 euro, on the books rounded down to the msat"
        )

    tell(story, hold=hold, stations=False)


def test_credit_that_is_asked_for_as_the_session_ends_is_not_taken(monkeypatch):
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)

        async def unplug():
            await station.unplug(1)
            await world.until_status(paid.charge.id, "ended")

        late(monkeypatch, unplug)
        with pytest.raises(SessionOver):
            await charging.offer_top_up(
                world.database, {"sandbox": world.rail}, secret=paid.charge.secret, amount_msat=PAYMENT,
                rules=world.rules,
            )  # fmt: skip
        first, second = await nothing_is_payable(world, paid.charge)
        assert (first.state, second.state) == (Stage.SETTLED, Stage.CANCELLED)

    tell(story)


@both_rails
def test_an_offer_that_is_withdrawn_while_its_invoice_is_made_is_not_given(monkeypatch, hold):
    async def story(world):
        await world.add_station("CP-1")

        async def fault():
            report = StatusReport("CP-1", 1, "Faulted", "GroundFailure", world.clock.now())
            await world.database.write(charging.note_status, report, world.rules)

        late(monkeypatch, fault)
        with pytest.raises(SessionOver):
            await world.pay("cp-1-1", PAYMENT)
        [charge] = await world.database.read(queries.list_sessions, queries.SessionFilter(offers=True))
        [invoice] = await nothing_is_payable(world, charge)
        assert invoice.state is Stage.CANCELLED

    tell(story, hold=hold)


@both_rails
def test_a_station_that_is_removed_in_mid_charge_withholds_no_change(hold):
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 300)
        await world.database.write(stations.remove_station, "CP-1")
        await station.go_offline()
        ended = await world.until_status(paid.charge.id, "ended", within_s=5)
        assert ended.session.energy_wh > 250
        assert "removed" in ended.session.reason
        await asyncio.sleep(2)
        ended = await world.charge(ended.id)
        assert ended.owed_msat == PAYMENT - ended.session.billed_msat > 0
        await world.claim(ended)
        await asyncio.sleep(5)
        assert await spent(world) <= ended.session.billed_msat

    tell(story, hold=hold, stations=False)


@both_rails
def test_a_station_that_is_removed_before_the_charge_gives_all_back(hold):
    async def story(world):
        await world.add_station("CP-1", connectors=2)
        paid = await world.pay("cp-1-1", PAYMENT)
        await world.until_status(paid.charge.id, "starting")
        offer, invoice = await world.scan("cp-1-2", PAYMENT)
        await world.database.write(stations.remove_station, "CP-1")
        cancelled = await world.until_status(paid.charge.id, "cancelled", within_s=5)
        await world.until_status(offer.id, "cancelled", within_s=5)
        await nothing_is_payable(world, offer)
        assert await world.send("driver", invoice, PAYMENT) is not None
        if not hold:
            await world.claim(cancelled)
            await asyncio.sleep(5)
        assert await spent(world) <= 0

    tell(story, hold=hold, stations=False)


def test_a_charge_on_account_at_a_removed_station_is_billed():
    async def story(world):
        await world.database.write(charging.add_tag, TAG, "A neighbour")
        station = await world.add_station("CP-1")
        await station.plug(1, Car())
        await station.scan(1, TAG)
        await charge_some(world, station, 300)
        [running] = await world.database.read(store.active_charges, "CP-1")
        await world.database.write(stations.remove_station, "CP-1")
        ended = await world.until_status(running.id, "ended", within_s=5)
        assert ended.gross_units > 0
        assert await world.database.read(store.active_charges, "CP-1") == []

    tell(story, stations=False)
