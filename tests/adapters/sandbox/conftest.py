"""A sandbox with a shop that speaks LNURL over real HTTP, and a phone that knows only its links."""

from __future__ import annotations

import hashlib

import pytest
from aiohttp import web

from commonwatt.adapters.payment.sandbox import SandboxNetwork, SandboxRail, SandboxWallet
from commonwatt.kernel import SeededIds
from commonwatt.payments.ports import InvoiceTerms
from commonwatt.protocols import lnurl
from commonwatt.protocols.lnurl import PayAnswer, PayRequest, UrlAction, WithdrawRequest

METADATA = lnurl.compose_metadata("Charging at left socket")


class Shop:
    """A charge point's operator: takes payments, as holds when told, and gives change once."""

    def __init__(self, rail, ids):
        self.rail, self.ids, self.base = rail, ids, ""
        self.hold = False
        self.preimages = []
        self.change_msat = 77_000
        self.comments = []

    def routes(self):
        return [
            web.get("/pay", self.pay),
            web.get("/pay/cb", self.invoice),
            web.get("/change", self.change),
            web.get("/change/cb", self.give),
        ]

    async def pay(self, _request):
        return web.json_response(PayRequest(self.base + "/pay/cb", 1000, 10_000_000, METADATA, 20).compose())

    async def invoice(self, request):
        preimage = self.ids.secret(32)
        self.preimages.append(preimage)
        self.comments.append(request.query.get("comment", ""))
        hashed = hashlib.sha256(METADATA.encode()).digest()
        terms = InvoiceTerms(preimage, int(request.query["amount"]), "x", hashed, 600, self.hold)
        issued = (await self.rail.create_invoice(terms)).value
        answer = PayAnswer(issued.bolt11, UrlAction("Your charge", self.base + "/s/1"), disposable=False)
        return web.json_response(answer.compose())

    async def change(self, _request):
        if not self.change_msat:
            return web.json_response(lnurl.compose_error("The change was taken already"))
        return web.json_response(
            WithdrawRequest(self.base + "/change/cb", "k1", "Change", 1, self.change_msat).compose()
        )

    async def give(self, request):
        amount, self.change_msat = self.change_msat, 0
        await self.rail.pay(request.query["pr"], amount_msat=amount, fee_limit_msat=1000, timeout_s=5)
        return web.json_response(lnurl.compose_ok())


@pytest.fixture
async def network(clock):
    network = SandboxNetwork(None, clock, SeededIds(3))
    await network.add_node("shop", 1_000_000)
    await network.add_node("wallet", 5_000_000)
    yield network
    assert await network.conserved()
    network.close()


@pytest.fixture
async def shop(network):
    shop = Shop(SandboxRail(network, "shop"), SeededIds(4))
    app = web.Application()
    app.add_routes(shop.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.base = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    yield shop
    await runner.cleanup()


@pytest.fixture
async def wallet(network):
    wallet = SandboxWallet(network)
    yield wallet
    await wallet.close()
