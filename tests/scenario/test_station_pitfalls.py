"""What stations do wrong, each under its own name: nobody loses money, nothing is billed twice or never."""

import asyncio
import json
from dataclasses import replace

import pytest
from sqlalchemy import select
from tests.scenario.steps import PAYMENT, charge_some, finish, pay_and_plug, spent, tell

from commonwatt import charging, tariffs
from commonwatt.adapters.station.dialect import Caller, Received
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.books import list_accounts
from commonwatt.charging import queries, store
from commonwatt.charging.errors import ConnectorBusy, ConnectorOut
from commonwatt.charging.reports import Authorisation, StartReport, StatusReport
from commonwatt.kernel import Failed, Instant
from commonwatt.protocols.ocppj import Call
from commonwatt.tariffs import Component, Element, Kind

both_rails = pytest.mark.parametrize("hold", [True, False], ids=["hold", "prepaid"])


async def transactions(world):
    return await world.database.read(lambda sql: sql.execute(select(store.transactions)).all())


@both_rails
def test_accepted_but_never_plugged(hold):
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("never-plugs-in"))
        paid = await world.pay("cp-1-1", PAYMENT)
        charge = await world.until_status(paid.charge.id, "cancelled", within_s=180)
        assert not station.truths
        if not hold:
            assert charge.owed_msat == PAYMENT
            await world.claim(charge)
        await world.heal()
        assert await spent(world) <= 0 if hold else await spent(world) == 0

    tell(story, hold=hold)


@both_rails
def test_start_repeated_with_new_ids(hold):
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("repeat-start"))
        paid = await pay_and_plug(world, station)
        ended, energy_wh = await finish(world, station, paid)
        assert len(await transactions(world)) == 1
        assert ended.session.energy_wh == energy_wh

    tell(story, hold=hold)


@both_rails
def test_stop_repeated_with_new_ids(hold):
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("repeat-stop"))
        paid = await pay_and_plug(world, station)
        ended, energy_wh = await finish(world, station, paid)
        await asyncio.sleep(60)
        again = await world.charge(ended.id)
        assert (again.session, again.returned_msat) == (ended.session, 0)
        assert ended.session.energy_wh == energy_wh

    tell(story, hold=hold)


def test_stop_hours_late():
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("stop-late=14400"))
        paid = await pay_and_plug(world, station)
        ended, _ = await finish(world, station, paid)
        await world.claim(ended)
        await asyncio.sleep(5 * 3600)
        late = await world.charge(ended.id)
        assert (late.session.billed_msat, late.owed_msat) == (ended.session.billed_msat, 0)
        assert (await transactions(world))[0].stopped_ms is not None

    tell(story)


@pytest.mark.parametrize("fault", ["meter-stop-zero", "values-after-stop", "reset-register", "time-without-zone"])
def test_impossible_registers_and_late_values(fault):
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of(fault))
        paid = await pay_and_plug(world, station)
        ended, energy_wh = await finish(world, station, paid)
        sample_wh = 11_000 * 60 // 3600 + 10
        assert energy_wh - sample_wh <= ended.session.energy_wh <= energy_wh
        if fault == "reset-register":
            assert "register-reset" in ended.flags

    tell(story)


def test_kwh_labelled_wh():
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("kwh-as-wh"))
        paid = await pay_and_plug(world, station, amount=20_000_000, car=Car(battery_wh=80_000, stored_wh=8_000))
        await charge_some(world, station, 9_500)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        assert "kwh-labelled-wh" in ended.flags
        assert 8_000 <= ended.session.energy_wh <= 10_000

    tell(story)


def test_reboot_mid_session():
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("reboot=600"))
        paid = await pay_and_plug(world, station)
        ended = await world.until_status(paid.charge.id, "ended", within_s=3600)
        assert ended.session.energy_wh == station.truths[0].energy_wh > 0

    tell(story)


def test_dropped_link_mid_session():
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of("drop-link=300"))
        paid = await pay_and_plug(world, station)
        ended, energy_wh = await finish(world, station, paid)
        assert ended.session.energy_wh == energy_wh

    tell(story)


def test_offline_while_charging_ends_by_the_late_report():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 500)
        await station.go_offline()
        await asyncio.sleep(900)
        await station.unplug(1)
        await asyncio.sleep(900)
        await station.go_online()
        ended = await world.until_status(paid.charge.id, "ended")
        assert ended.session.energy_wh == station.truths[0].energy_wh

    tell(story)


@pytest.mark.parametrize("off_s", [-86_400, 86_400 * 365, -86_400 * 365 * 20])
def test_wrong_clock(off_s):
    async def story(world):
        station = await world.add_station("CP-1", faults=Faults.of(f"wrong-clock={off_s}"))
        paid = await pay_and_plug(world, station)
        ended, energy_wh = await finish(world, station, paid)
        assert ended.session.energy_wh == energy_wh
        assert abs(ended.began.since(paid.charge.made)) < 120_000
        assert ended.progress.tally.parked_ms < 3600_000

    tell(story)


@pytest.mark.parametrize("off_s", [-20 * 365 * 86_400, 86_400, 1])
def test_a_start_repeated_by_a_clock_that_is_wrong_is_one_charge(off_s):
    """The time that nobody can believe is replaced by ours, which is another at each retry."""

    async def story(world):
        await world.add_station("CP-1")
        await world.database.write(charging.add_tag, "OWNER-1", "The owner")
        caller = Caller("CP-1", clock=world.house_clock, flag=lambda *_: None)
        told = world.house_clock.now().plus(seconds=off_s)
        said = {"connectorId": 1, "idTag": "OWNER-1", "meterStart": 5000, "timestamp": told.iso()}
        numbers = set()
        for retry in range(3):
            await asyncio.sleep(30 * retry)
            call = Call(str(retry), "StartTransaction", said)
            answer = json.loads(await world.dialect.answer(caller, Received(call, "", 0)))
            assert answer[2]["idTagInfo"]["status"] == "Accepted"
            numbers.add(answer[2]["transactionId"])
        [number] = numbers
        await asyncio.sleep(3600)
        stop = {"transactionId": number, "meterStop": 9000, "timestamp": told.plus(seconds=3600).iso()}
        await world.dialect.answer(caller, Received(Call("stop", "StopTransaction", stop), "", 0))
        [row] = await world.database.read(lambda sql: sql.execute(select(store.sessions)).all())
        assert row.energy_wh == 4000
        again = Call("again", "StartTransaction", said | {"meterStart": 9000})
        answer = json.loads(await world.dialect.answer(caller, Received(again, "", 0)))
        assert answer[2]["transactionId"] != number
        stop |= {"transactionId": answer[2]["transactionId"]}
        await world.dialect.answer(caller, Received(Call("end", "StopTransaction", stop), "", 0))

    tell(story, stations=False)


@pytest.mark.parametrize("fault", ["offline-start", "unknown-id"])
def test_local_user_starts_while_the_station_is_offline(fault):
    async def story(world):
        await world.database.write(charging.add_tag, "OWNER-1", "The owner")
        station = await world.add_station("CP-1", faults=Faults.of(fault))
        await station.plug(1, Car())
        await station.scan(1, "OWNER-1")
        await charge_some(world, station)
        await station.unplug(1)
        await world.until(lambda: not station.owes and station.online, within_s=3600)
        rows = await world.database.read(lambda sql: sql.execute(select(store.sessions)).all())
        assert [(row.kind, row.status, row.energy_wh) for row in rows] == [
            ("local", "ended", station.truths[0].energy_wh)
        ]

    tell(story)


def test_nobody_can_pay_at_a_station_that_is_away_or_taken():
    async def story(world):
        station = await world.add_station("CP-1")
        await pay_and_plug(world, station)
        await charge_some(world, station, 100)
        with pytest.raises(ConnectorBusy):
            await world.pay("cp-1-1", PAYMENT, driver="second")
        await station.unplug(1)
        await world.until(lambda: not station.owes)
        await station.go_offline()
        await asyncio.sleep(1)
        with pytest.raises(ConnectorOut):
            await world.pay("cp-1-1", PAYMENT, driver="second")

    tell(story)


def test_a_stranger_s_tag_is_refused_and_its_charge_is_on_nobody_s_bill():
    async def story(world):
        station = await world.add_station("CP-1")
        await station.plug(1, Car())
        said = await station.scan(1, "STRANGER")
        assert "Invalid" in said or not station.truths
        assert await world.database.read(lambda sql: sql.execute(select(store.sessions)).all()) == []

    tell(story)


def test_the_station_that_never_answers_a_stop_is_billed_by_its_last_reading():
    async def story(world):
        station = await world.add_station("CP-1")
        paid = await pay_and_plug(world, station)
        await charge_some(world, station, 500)
        await station.go_offline()
        await world.database.write(charging.ask_to_stop, paid.charge.id, "the driver stopped it", world.rules)
        ended = await world.until_status(paid.charge.id, "ended", within_s=200)
        assert 0 < ended.session.billed_msat < PAYMENT
        await world.claim(ended)
        await asyncio.sleep(600)
        assert (await world.charge(ended.id)).owed_msat == 0
        assert isinstance(ended.ended, Instant)

    tell(story)


def test_a_station_that_seldom_sends_readings_is_asked_for_one():
    """Its own rhythm is a quarter of an hour; locked money must not wait so long."""

    async def story(world):
        station = await world.add_station("CP-1")
        await asyncio.sleep(5)
        assert station.charger.settings.change("MeterValueSampleInterval", "900") == "Accepted"
        paid = await pay_and_plug(world, station)
        charge = await world.until_status(paid.charge.id, "charging", within_s=115)
        assert charge.session.paid_msat in (0, PAYMENT)
        await charge_some(world, station)
        await station.unplug(1)
        ended = await world.until_status(paid.charge.id, "ended")
        assert ended.session.energy_wh == station.truths[0].energy_wh

    tell(story)


class Away:
    """A line whose station comes back after so many questions, as after a restart of ours."""

    def __init__(self, hub, times):
        self.hub, self.times, self.asked = hub, times, 0

    async def remote_start(self, *asked):
        self.asked += 1
        return Failed("no connection", "offline") if self.asked <= self.times else await self.hub.remote_start(*asked)

    def __getattr__(self, name):
        return getattr(self.hub, name)


def test_a_station_that_is_away_for_a_moment_at_the_start_is_asked_again():
    async def story(world):
        station = await world.add_station("CP-1")
        charge, invoice = await charging.offer_session(
            world.database, world.house.hub, world.rail, connector="cp-1-1", amount_msat=PAYMENT, rules=world.rules
        )
        await world.add_driver()
        world.house.charger._line = Away(world.house.hub, times=3)
        world.send("driver", invoice.bolt11, PAYMENT)
        await world.until_status(charge.id, "starting")
        await world.until(lambda: world.house.charger._line.asked == 4, within_s=30)
        await station.plug(1, Car())
        await world.until_status(charge.id, "charging", within_s=115)

    tell(story)


@pytest.mark.parametrize("paid", [True, False], ids=["prepaid", "on-account"])
def test_a_charge_whose_station_never_comes_back_ends_all_the_same(paid):
    async def story(world):
        await world.database.write(charging.add_tag, "NEIGHBOUR", "A neighbour")
        station = await world.add_station("CP-1")
        if paid:
            await pay_and_plug(world, station, amount=50_000_000)
        else:
            await station.plug(1, Car())
            await station.scan(1, "NEIGHBOUR")
        await charge_some(world, station, 1000)
        await world.database.write(charging.remove_tag, "NEIGHBOUR")
        [running] = await world.database.read(lambda sql: store.active_charges(sql, "CP-1"))
        await station.go_offline()
        ended = await world.until_status(running.id, "ended", within_s=3 * 3600)
        assert ended.session.energy_wh >= 900
        assert "did not report the end" in ended.session.reason
        owing = await world.database.read(list_accounts, "member")
        expected = [] if paid else [(ended.debtor, ended.gross_units)]
        assert [(account.name, account.balance.units) for account in owing] == expected
        assert "NEIGHBOUR" not in str(owing)

    tell(story, rules=charging.Rules(silence_s=3_600))


def test_a_connector_that_is_free_again_without_any_reading_ends_its_session():
    """It said that it charges, told no energy, and was unplugged while nobody listened."""

    async def story(world):
        await world.add_station("CP-1")
        paid = await world.pay("cp-1-1", PAYMENT)
        charge = await world.until_status(paid.charge.id, "starting")
        start = StartReport("CP-1", 1, charge.id_tag, 0, world.clock.now())
        await world.database.write(charging.start_transaction, start)
        for status in ("Charging", "Available"):
            report = StatusReport("CP-1", 1, status, "NoError", world.clock.now())
            await world.database.write(charging.note_status, report, world.rules)
        await world.until_status(paid.charge.id, "cancelled", within_s=300)

    tell(story)


def test_a_price_changed_afterwards_bills_no_charge_that_is_reported_late():
    async def story(world):
        await world.database.write(charging.add_tag, "OWNER-1", "The owner")
        station = await world.add_station("CP-1", faults=Faults.of("offline-start=7200"))
        await station.plug(1, Car())
        await station.scan(1, "OWNER-1")
        await charge_some(world, station, 2000)
        await station.unplug(1)
        [listed] = await world.database.read(tariffs.list_tariffs, world.clock.now())
        dear = replace(listed.current, elements=(Element((Component(Kind.ENERGY, 9_000_000, 0),)),))
        await world.database.write(tariffs.revise_tariff, listed.id, dear)
        await world.until(lambda: not station.owes and station.online, within_s=10_000)
        [charge] = await world.database.read(lambda sql: queries.list_sessions(sql, queries.SessionFilter()))
        price = listed.current.elements[0].components[0].price
        assert abs(charge.gross_units - price * station.truths[0].energy_wh // 1000) <= 10_000

    tell(story)


def test_a_tag_of_the_owner_s_charges_nothing_where_nothing_has_a_price():
    async def story(world):
        await world.database.write(charging.add_tag, "OWNER-1", "The owner")
        await world.database.write(tariffs.assign_tariff, None)
        station = await world.add_station("CP-1")
        assert await world.database.write(charging.authorise, "CP-1", "OWNER-1") == Authorisation.INVALID
        report = StartReport("CP-1", 1, "OWNER-1", 0, world.clock.now())
        answer = await world.database.write(charging.start_transaction, report)
        assert answer.authorisation == Authorisation.INVALID
        assert [row.id for row in await transactions(world)] == [answer.transaction_id], "what happened is kept"
        assert await station.scan(1, "OWNER-1") != "Accepted"

    tell(story)
