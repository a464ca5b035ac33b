"""Charge points of strangers charge a paid session on the whole real server: money and energy come out exactly."""

import asyncio
import json
from pathlib import Path

import lnurl
import pytest
from tests.conformance.conftest import MSAT_PER_WH, PAYMENT_MSAT, eventually, state_of
from tests.peers import npm

from commonwatt import charging
from commonwatt.books import balance

CHARGER = Path(__file__).with_name("charger.cjs")


async def take_everything(town, visit):
    """Take the change while it charges; return it in msat once it is in the driver's wallet."""
    offer = await town.change(visit)
    invoice, payment_hash = await town.invoice(offer.maxWithdrawable)
    await lnurl.execute_withdraw(offer, invoice)
    await town.arrived(payment_hash, offer.maxWithdrawable)
    return int(offer.maxWithdrawable)


async def books_are_closed(town, visit):
    """Wait until nothing of the session is owed or on its way."""
    charge = await town.database.read(charging.charge_by_secret, visit.secret)

    async def left():
        return (await town.database.read(balance, charge.account)).units

    await eventually(left, lambda msat: msat == 0)


async def test_the_python_charge_point_delivers_what_was_paid(town):
    visit = await town.pay()
    tag = await town.charger.begin()
    assert 0 < len(tag) <= 20
    await town.charger.meter(40)
    await town.until(visit, "charging")
    await town.charger.meter(60)
    station = asyncio.create_task(town.charger.end_when_asked(more_wh=7))
    change = await take_everything(town, visit)
    await station
    assert (await visit.paying).value.amount_msat == PAYMENT_MSAT
    session = await town.session(visit)
    assert (session.status, session.energy_wh, session.billed_msat) == ("ended", 107, 107 * MSAT_PER_WH)
    assert change == PAYMENT_MSAT - 107 * MSAT_PER_WH
    await books_are_closed(town, visit)


async def test_the_python_charge_point_is_stopped_at_the_end_of_the_credit(town):
    """It sends no power: what may flow until the next reading is told by the pace of its register."""
    visit = await town.pay(600 * MSAT_PER_WH)
    await town.charger.begin()
    await town.charger.meter(50)
    await town.until(visit, "charging")
    station = asyncio.create_task(town.charger.end_when_asked(more_wh=300))
    await town.charger.meter(400)
    await station
    session = await town.until(visit, "ended")
    assert (session.energy_wh, session.billed_msat) == (750, 600 * MSAT_PER_WH)
    await visit.paying
    assert "Nothing is left" in (await town.change(visit)).reason


async def test_the_python_charge_point_without_energy_costs_nothing(town):
    visit = await town.pay()
    await town.charger.begin()
    await town.charger.end()
    session = await town.until(visit, "cancelled")
    assert (session.billed_msat, session.change_msat) == (0, 0)
    assert (await visit.paying).reason


@pytest.mark.npm
async def test_the_strict_node_charge_point_delivers_what_was_paid(town):
    npm.partner("ocpp-rpc")
    url, identity = town.running.stations_url, "STATION-ROAD"
    process = asyncio.create_task(town.node(str(CHARGER), url, identity, "5000", "5040", "5100"))
    await eventually(lambda: state_of(town, "station-road-1"), lambda state: state == "Available")
    visit = await town.pay(name="station-road-1")
    await town.until(visit, "charging")

    async def energy():
        return (await town.session(visit)).energy_wh

    await eventually(energy, lambda wh: wh == 100)
    change = await take_everything(town, visit)
    told = json.loads(await process)
    assert (told["boot"], told["tag"], told["refused"]) == ("Accepted", "Accepted", [])
    assert told["asked"]["connectorId"] == 1
    session = await town.session(visit)
    assert session.energy_wh == 111
    assert session.billed_msat == 111 * 49_000 // 60  # 0.49 EUR per kWh at 60,000 EUR per bitcoin
    assert change == PAYMENT_MSAT - session.billed_msat
    await books_are_closed(town, visit)
