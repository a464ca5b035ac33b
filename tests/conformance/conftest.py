"""`town`: a whole running server, reachable by strangers as https://charge.example.com, once for each payment rail."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

import httpx
import lnurl
import pytest
from tests.conformance.charger import charger_at
from tests.conformance.gateway import HOST, environment, gateway, write_certificate
from tests.peers import npm

from commonwatt import charging, stations
from commonwatt.adapters.payment.lnd import LndRail
from commonwatt.adapters.payment.sandbox import SandboxRail
from commonwatt.books import check_books
from commonwatt.main.config import Address, Config, Lnd, Rates
from commonwatt.main.demo.settings import demo_config
from commonwatt.main.demo.town import furnish
from commonwatt.main.serving import serving
from commonwatt.main.worlds import PHONE
from commonwatt.payments.ports import InvoiceTerms

PATIENCE_S = 30
STATION, NAME = "MARKET-SQUARE", "market-square-1"
MSAT_PER_WH = 1_150
"""0.69 EUR per kWh at 60,000 EUR per bitcoin: the price of fast charging, at the station of the tests."""
PAYMENT_MSAT = 5_000_123


async def eventually(question, wanted):
    """Ask until the answer is wanted; return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not wanted(answer := await question()):
        assert time.monotonic() < deadline, f"after {PATIENCE_S} s it is still {answer}"
        await asyncio.sleep(0.05)
    return answer


@dataclass
class Visit:
    """A driver's payment: what the service answered, the session's secret, and the payment on its way."""

    answer: lnurl.LnurlPayActionResponse
    secret: str
    paying: asyncio.Task[Any]


async def state_of(town, name):
    """Return a connector's state as its station told it."""
    connector = await town.database.read(stations.find_connector, name)
    return connector.status if connector.online else "offline"


class Town:
    """The server with a charger of strangers, and a driver with a wallet of strangers."""

    def __init__(self, running, driver, charger, variables):
        self.running, self.driver, self.charger, self.variables = running, driver, charger, variables
        self.database = running.house.database

    def url(self, path):
        return self.running.site.url(path)

    async def raw(self, path, **query):
        """Ask as a program that checks nothing; return the JSON of the answer, which always comes with 200."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(self.url(path), params=query)
        assert answer.status_code == 200
        return answer.json()

    async def page(self, path, method="GET"):
        """Ask as a browser; return the status and the text."""
        async with httpx.AsyncClient() as client:
            answer = await client.request(method, self.url(path), headers={"Accept": "text/html"})
        return answer.status_code, answer.text

    async def pay(self, msat=PAYMENT_MSAT, *, name=NAME, comment=None):
        """Scan, ask for an invoice and pay it, as a wallet on the library would."""
        request = await lnurl.handle(f"{name}@{HOST}")
        answer = await lnurl.execute_pay_request(request, msat, comment=comment)
        return self.send(answer, msat)

    def send(self, answer, msat):
        """Pay an answer's invoice; a hold keeps that going until it is taken."""
        paying = self.driver.pay(str(answer.pr), amount_msat=msat, fee_limit_msat=50_000, timeout_s=60)
        return Visit(answer, str(answer.successAction.url).rpartition("/")[2], asyncio.create_task(paying))

    async def session(self, visit):
        return (await self.database.read(charging.charge_by_secret, visit.secret)).session

    async def until(self, visit, status):
        """Wait until the session stands so, at its end with the bill."""

        def reached(session):
            return session.status == status and (status != "ended" or session.billed)

        return await eventually(lambda: self.session(visit), reached)

    async def charged(self, wh, msat=PAYMENT_MSAT):
        """Return a whole visit at which so much was charged: paid, begun, metered and ended by the station."""
        visit = await self.pay(msat)
        await self.charger.begin()
        await self.charger.meter(wh)
        await eventually(lambda: self.session(visit), lambda session: session.status in {"charging", "stopping"})
        await self.charger.end()
        await self.until(visit, "ended")
        await visit.paying
        return visit

    async def invoice(self, msat, text="change"):
        """Return an invoice of the driver's wallet and its payment hash."""
        terms = InvoiceTerms(self.database.ids.secret(32), msat, text, None, 600, hold=False)
        return (await self.driver.create_invoice(terms)).value.bolt11, terms.payment_hash

    async def arrived(self, payment_hash, msat):
        """Wait until the driver's wallet has received so much for an invoice."""

        async def paid():
            return (await self.driver.look_up_invoice(payment_hash)).value.paid_msat

        await eventually(paid, lambda paid_msat: paid_msat == msat)

    async def change(self, visit, **options):
        """Scan the change of a visit."""
        return await lnurl.handle(self.url(f"/lnurl/withdraw/{visit.secret}"), **options)

    async def node(self, *arguments):
        """Run Node with the partners of npm; return what it printed."""
        process = await asyncio.create_subprocess_exec(
            str(npm.node()), *arguments, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=npm.environment(**self.variables, NODE_PATH=str(npm.modules())),
        )  # fmt: skip
        async with asyncio.timeout(60):
            told, complaints = await process.communicate()
        assert process.returncode == 0, complaints.decode(errors="replace")[-2000:]
        return told.decode()


def configured(folder, rail, node):
    """Return a demo's configuration with one rail, behind TLS and a name."""
    base, anywhere = Config(), Address("127.0.0.1", 0)
    config = demo_config(replace(base, data=replace(base.data, dir=folder)), anywhere, anywhere)
    chain, key = write_certificate(folder)
    config = replace(
        config,
        site=replace(config.site, base_url=f"https://{HOST}"),
        http=replace(config.http, tls_certificate=chain, tls_key=key),
        charging=replace(config.charging, sample_s=1, power_max_w=10_000_000),
        payments=replace(config.payments, rails=(rail,)),
        rates=Rates(fixed="60000.00"),
    )
    if node is None:
        return config
    lnd = Lnd(url=node.rest_url, macaroon_path=node.macaroon_path, tls_cert_path=node.tls_cert_path)
    return replace(config, lnd=lnd)


@pytest.fixture(params=["sandbox", pytest.param("lnd", marks=pytest.mark.lnd)])
async def town(request, tmp_path, monkeypatch):
    network = request.getfixturevalue("lnd_network") if request.param == "lnd" else None
    config = configured(tmp_path, request.param, network and network.shop)
    async with serving(config) as running, gateway(running.http_port) as proxy:
        variables = environment(proxy, config.http.tls_certificate)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        await running.house.database.write(furnish, "Europe/Berlin")
        driver = LndRail(network.driver.config()) if network else SandboxRail(running.worlds.sandbox, PHONE)
        async with charger_at(running.stations_url, STATION) as charger:
            here = Town(running, driver, charger, variables)
            await eventually(lambda: state_of(here, NAME), lambda state: state == "Available")
            yield here
        await running.house.database.read(check_books)
        await driver.close()
