"""`commonwatt demo --walk`: one whole paid session told in the terminal, over real sockets, ending with the books."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from commonwatt import charging, stations, tariffs
from commonwatt.adapters.payment.sandbox import Paid, SandboxWallet
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.books import check_books, trial_balance
from commonwatt.charging import Charge
from commonwatt.charging.lnurl import pay_url, withdraw_url
from commonwatt.kernel import BTC, ENERGY, Amount, Asset, Broken, Done, Failed, Outcome, Rounding, Unknown, amount_text
from commonwatt.kit.cli import rounded_text, say, say_json, short, table, wrapped
from commonwatt.kit.database import Database
from commonwatt.main.config import Address, Config
from commonwatt.main.demo.settings import demo_config
from commonwatt.main.demo.town import furnish
from commonwatt.main.serving import Serving, serving

T = TypeVar("T")
PLACE, CONNECTOR = "TOWN-HALL", "town-hall-1"
PAYMENT_MSAT = 10_000_000
ENOUGH_WH = 300
PATIENCE_S = 60.0


class Teller:
    """Counts the steps; prints them for people as they happen, keeps them for programs."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Begin at the first."""
        self.as_json = as_json
        self.steps: list[dict[str, Any]] = []

    def step(self, text: str, **amounts: Amount) -> None:
        """Tell the next step."""
        number = len(self.steps) + 1
        self.steps.append({"step": number, "text": text, "amounts": amounts})
        if not self.as_json:
            say(wrapped(f"{number:>2}. {text}", indent="    "))


async def walk(*, as_json: bool = False) -> None:
    """Tell one session from the scan to the change; raises Broken when anything does not come out."""
    with tempfile.TemporaryDirectory(prefix="commonwatt-walk-") as folder:
        base = Config()
        anywhere = Address("127.0.0.1", 0)
        config = demo_config(replace(base, data=replace(base.data, dir=Path(folder))), anywhere, anywhere)
        config = replace(config, charging=replace(config.charging, sample_s=1))
        async with serving(config) as running:
            await running.house.database.write(furnish, config.site.timezone)
            teller = Teller(as_json=as_json)
            await _walk(running, teller)
    if as_json:
        say_json(teller.steps)
    else:
        say("\nNext, do one yourself: commonwatt demo")


async def _walk(running: Serving, teller: Teller) -> None:
    database, site = running.house.database, running.site
    network = running.worlds.sandbox
    assert network is not None  # noqa: S101 (the walk's rail is the sandbox)
    teller.step("A server starts on free ports, with pages, the API and a socket for stations.")
    station = VirtualStation(PLACE, running.stations_url, connectors=1)
    station.charger.connectors[1] = replace(station.connector(1), power_w_max=150_000.0)
    await station.start()
    await station.until(lambda here: here.online and not here.owes)
    await _until(lambda: _connector_is(running, "Available"))
    teller.step(f"A charge point connects by OCPP 1.6 and reports: {CONNECTOR} is free.")
    wallet = SandboxWallet(network)
    try:
        before = await wallet.balance_msat()
        found = _done(await wallet.look(pay_url(site, CONNECTOR)), "the code could not be read")
        least = Amount(BTC, found.min_msat)
        teller.step(f"The driver scans the code: “{found.title}”, {amount_text(least)} or more.", least=least)
        paid: Paid = _done(await wallet.pay(pay_url(site, CONNECTOR), PAYMENT_MSAT), "the payment failed")
        secret = paid.link.rpartition("/")[2] or await _secret_of(running)
        charge = await _until_status(running, secret, "starting")
        worth = await _price_of(running, charge)
        state = "it stays locked until energy flows" if paid.held else "it is taken at once"
        teller.step(f"The wallet pays {worth(PAYMENT_MSAT)}; {state}.", paid=Amount(BTC, PAYMENT_MSAT))
        teller.step(f"The station is asked to start, with a one-time tag; session {short(charge.id)} waits for a car.")
        await station.plug(1, Car(battery_wh=77_000, stored_wh=20_000, power_w_max=150_000))
        charge = await _until_status(running, secret, "charging")
        teller.step("The car is plugged in; the first energy flows, and the locked payment becomes the owner's.")
        charge = await _until_energy(running, secret)
        session = charge.session
        teller.step(
            f"{session.energy_wh} Wh so far: {worth(session.cost_msat)} of {worth(session.credit_msat)} are used.",
            energy=Amount(ENERGY, session.energy_wh),
            cost=Amount(BTC, session.cost_msat),
        )
        got = _done(await wallet.take(withdraw_url(site, secret), wait_s=30), "the change did not come")
        charge = await _charge(running, secret)
        session = charge.session
        teller.step("The driver scans the change: the charge stops, after its last reading the rest is paid.")
        spent = before - await wallet.balance_msat()
        bill = amount_text(Amount(Asset.of(charge.asset), charge.gross_units))
        teller.step(
            f"{session.energy_wh} Wh cost {amount_text(Amount(BTC, session.billed_msat))} ({bill}); "
            f"{worth(got)} came back to the wallet, which is {amount_text(Amount(BTC, spent))} poorer.",
            energy=Amount(ENERGY, session.energy_wh),
            billed=Amount(BTC, session.billed_msat),
            change=Amount(BTC, got),
            spent=Amount(BTC, spent),
        )
        teller.step("The driver keeps a receipt, as a page, a PDF and JSON.")
        await _settled(running, charge.id)
        truth = station.truths[0]
        if truth.energy_wh != session.energy_wh or session.billed_msat + got + charge.owed_msat != PAYMENT_MSAT:
            raise Broken("The walk did not come out: what was paid is not what was billed and returned.")
    finally:
        await wallet.close()
        await station.stop()
    await _tell_books(database, teller)


async def _tell_books(database: Database, teller: Teller) -> None:
    await database.read(check_books)
    lines = await database.read(trial_balance)
    teller.step("The books balance, to the last msat:")
    total = sum(line.debit.units - line.credit.units for line in lines if line.debit.asset.code == BTC.code)
    if teller.as_json:
        teller.steps[-1]["accounts"] = [line for line in lines if line.debit or line.credit]
        teller.steps[-1]["difference_msat"] = total
        return
    rows = [
        [line.account, amount_text(line.debit) if line.debit else "", amount_text(line.credit) if line.credit else ""]
        for line in lines
        if line.debit or line.credit
    ]
    say(table(["Account", "Debit", "Credit"], rows, "lrr"))
    say(f"Debits less credits: {total} msat.")


async def _price_of(running: Serving, charge: Charge) -> Callable[[int], str]:
    """Return how to write an amount in sats with what it is worth at the charge's own rate, as its bill has it."""
    rate_id = charge.rate_id
    if rate_id is None:
        return lambda msat: amount_text(Amount(BTC, msat))
    rate = await running.house.database.read(tariffs.rate_by_id, rate_id)

    def worth(msat: int) -> str:
        units = tariffs.msat_to_fiat(msat, rate, Rounding.HALF_EVEN).quotient
        return f"{amount_text(Amount(BTC, msat))} ({rounded_text(Amount(Asset.of(rate.currency), units))})"

    return worth


async def _connector_is(running: Serving, status: str) -> bool:
    view = await running.house.database.read(stations.find_connector, CONNECTOR)
    return view is not None and view.online and view.status == status


async def _secret_of(running: Serving) -> str:
    newest = await running.house.database.read(
        lambda sql: sql.exec_driver_sql("SELECT secret FROM session ORDER BY id DESC LIMIT 1").scalar()
    )
    return str(newest)


async def _charge(running: Serving, secret: str) -> Charge:
    charge = await running.house.database.read(charging.charge_by_secret, secret)
    if charge is None:
        raise Broken("The session of the walk is gone.")
    return charge


async def _until_status(running: Serving, secret: str, status: str) -> Charge:
    async def reached() -> bool:
        return (await _charge(running, secret)).session.status.value == status

    await _until(reached)
    return await _charge(running, secret)


async def _until_energy(running: Serving, secret: str) -> Charge:
    async def enough() -> bool:
        return (await _charge(running, secret)).session.energy_wh >= ENOUGH_WH

    await _until(enough)
    return await _charge(running, secret)


async def _settled(running: Serving, session_id: str) -> None:
    async def quiet() -> bool:
        query = "SELECT count(*) FROM payments_payouts WHERE ended_ms IS NULL AND subject = ?"
        open_ones = await running.house.database.read(
            lambda sql: sql.exec_driver_sql(query, (f"session/{session_id}",)).scalar()
        )
        return open_ones == 0

    await _until(quiet)


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not await true():
        if asyncio.get_running_loop().time() > deadline:
            raise Broken(f"The walk waited {PATIENCE_S:.0f} s in vain.")
        await asyncio.sleep(0.1)


def _done(outcome: Outcome[T], what: str) -> T:
    match outcome:
        case Done(value):
            return value
        case Failed(reason, _) | Unknown(reason):
            raise Broken(f"The walk broke: {what} ({reason}).")
