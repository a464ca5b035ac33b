"""Two real lnd nodes pay for a real session over real sockets, and the change comes back to the driver's node."""

import asyncio
import time
from dataclasses import replace

import pytest
from tests.peers.lightning import lnd_network

from commonwatt import charging, stations
from commonwatt.adapters.payment.lnd import LndRail
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.books import balance, check_books
from commonwatt.charging.lnurl import pay_url, withdraw_url
from commonwatt.kernel import Done
from commonwatt.main.config import Address, Config, Lnd, Rates
from commonwatt.main.demo.settings import demo_config
from commonwatt.main.demo.town import furnish
from commonwatt.main.serving import serving
from commonwatt.payments.lnurl_client import LnurlClient
from commonwatt.payments.ports import InvoiceTerms

__all__ = ["lnd_network"]
PAYMENT_MSAT = 5_000_123
PATIENCE_S = 90


def configured(folder, node):
    base = Config()
    anywhere = Address("127.0.0.1", 0)
    config = demo_config(replace(base, data=replace(base.data, dir=folder)), anywhere, anywhere)
    return replace(
        config,
        payments=replace(config.payments, rails=("lnd",)),
        lnd=Lnd(url=node.rest_url, macaroon_path=node.macaroon_path, tls_cert_path=node.tls_cert_path),
        rates=Rates(fixed="60000.00"),
        charging=replace(config.charging, sample_s=1),
    )


async def eventually(question, wanted):
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(answer := await question()):
        assert time.monotonic() < deadline, f"after {PATIENCE_S} s it is still {answer}"
        await asyncio.sleep(0.2)
    return answer


@pytest.mark.lnd
async def test_two_lnd_nodes_pay_for_a_session_and_get_the_change_back(lnd_network, tmp_path):
    driver = LndRail(lnd_network.driver.config())
    client = LnurlClient(allow_loopback=True)
    async with serving(configured(tmp_path, lnd_network.shop)) as running:
        database = running.house.database
        await database.write(furnish, "Europe/Berlin")
        station = VirtualStation("TOWN-HALL", running.stations_url)
        station.charger.connectors[1] = replace(station.connector(1), power_w_max=150_000.0)
        await station.start()

        async def connector():
            return (await database.read(stations.find_connector, "town-hall-1")).status

        async def session():
            return await database.read(charging.charge_by_secret, secret)

        try:
            await eventually(connector, lambda status: status == "Available")
            offer = (await client.offer(pay_url(running.site, "town-hall-1"))).value
            answer = (await client.invoice(offer, PAYMENT_MSAT)).value
            secret = answer.success.url.rpartition("/")[2]
            paying = asyncio.create_task(
                driver.pay(answer.bolt11, amount_msat=PAYMENT_MSAT, fee_limit_msat=50_000, timeout_s=60)
            )
            await eventually(session, lambda charge: charge.session.status == "starting")
            assert (await session()).session.held_msat == PAYMENT_MSAT
            await station.plug(1, Car(battery_wh=77_000, stored_wh=20_000, power_w_max=150_000))
            await eventually(session, lambda charge: charge.session.paid_msat == PAYMENT_MSAT)
            assert isinstance(await paying, Done)
            await eventually(session, lambda charge: charge.session.energy_wh > 200)
            change = (await client.offer(withdraw_url(running.site, secret))).value
            assert change.max_msat == (await session()).owed_msat
            terms = InvoiceTerms(database.ids.secret(32), change.max_msat, "change", None, 600, hold=False)
            invoice = (await driver.create_invoice(terms)).value
            assert isinstance(await client.withdraw(change, invoice.bolt11), Done)

            async def arrived():
                return (await driver.look_up_invoice(terms.payment_hash)).value.paid_msat

            await eventually(arrived, lambda msat: msat == change.max_msat)
            ended = await session()
            assert ended.session.energy_wh == station.truths[0].energy_wh
            assert ended.session.billed_msat + change.max_msat == PAYMENT_MSAT
            await database.read(check_books)

            async def left():
                return (await database.read(balance, "rail:lnd")).units

            await eventually(left, lambda msat: msat <= ended.session.billed_msat)
        finally:
            await station.stop()
            await client.close()
            await driver.close()
