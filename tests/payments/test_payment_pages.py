"""The page of a payment in doubt: what is known, who must look, who may decide how; and rails, one of them silent."""

import asyncio

import pytest
from litestar.di import Provide
from litestar.template import TemplateConfig
from litestar.testing import AsyncTestClient

from commonwatt.adapters.payment.sandbox import SandboxRail
from commonwatt.books import Entry, post
from commonwatt.kernel import BTC, Amount
from commonwatt.kit.pages.assets import BUILT
from commonwatt.kit.pages.engine import PageEngine, environment
from commonwatt.kit.web import Behaviour, Live, Site, build_app
from commonwatt.members import DEPENDENCIES, EXCEPTION_HANDLERS, Actor, Role
from commonwatt.payments import PayoutState, asking, pay_out, payout_of
from commonwatt.payments.pages import ROUTES
from commonwatt.payments.store import change_payout

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
HTML = {"accept": "text/html"}


class SignedIn:
    """Stands in for the sign-in middleware."""

    role = Role.OPERATOR
    proved_ms = 0

    def __call__(self, app):
        async def run(scope, receive, send):
            scope["user"] = Actor("member/1", "Ann", SignedIn.role, member_id="1", proved_ms=SignedIn.proved_ms)
            await app(scope, receive, send)

        return run


class Silent:
    """A rail that never says what it holds."""

    name = "silent"
    capabilities = SandboxRail.capabilities

    async def balance(self):
        await asyncio.sleep(3600)


def no_worth(*_):
    """Know no rate."""


@pytest.fixture
async def client(world):
    app = build_app(
        ROUTES,
        site=Site("Test", "http://testserver.local"),
        database=world.database,
        clock=world.clock,
        ids=world.database.ids,
        live=Live(),
        dependencies={
            "rails": {"silent": Silent(), "sandbox": world.rail},
            "worth": Provide(lambda: no_worth, sync_to_thread=False),
            **DEPENDENCIES,
        },
        behaviour=Behaviour(
            middleware=[SignedIn()],
            exception_handlers=EXCEPTION_HANDLERS,
            template_config=TemplateConfig(instance=PageEngine(environment(), world.clock)),
            limited=False,
        ),
    )
    async with AsyncTestClient(app, base_url="http://testserver.local") as client:
        client.headers.update(HTML)
        yield client


@pytest.fixture
async def payout(world):
    world.rail.faults.down = True
    bolt11 = await world.their_invoice(expiry_s=3600)

    def ask(work):
        entries = [Entry("rail:sandbox", Amount(BTC, 100_000)), Entry("session:1", Amount(BTC, -100_000))]
        post(work, "fund", entries, "prepaid")
        asked = pay_out(
            work,
            key="change:1",
            bolt11=bolt11,
            amount_msat=20_000,
            account="session:1",
            subject="session/1",
            rail_name="sandbox",
            fee_limit_msat=1_000,
        )
        change_payout(work.sql, asked.id, tried=True, state=PayoutState.DOUBTFUL, reason="nobody knows")
        return asked

    return await world.database.write(ask)


@pytest.fixture
def proved(world):
    """The operator has shown a passkey just now."""
    SignedIn.proved_ms = world.clock.now().ms
    yield
    SignedIn.proved_ms = 0


async def see(client, payout, role=Role.OPERATOR, **query):
    SignedIn.role = role
    answer = await client.get(f"/payments/out/{payout.id}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.usefixtures("proved")
async def test_doubt_is_shown_and_who_may_decide_can(client, world, payout):
    page = await see(client, payout)
    assert "It is not known whether this payment arrived." in page
    assert f'action="/payments/out/{payout.id}/confirm"' in page
    assert f'action="/payments/out/{payout.id}/give-back"' in page
    assert "In doubt" in (await client.get("/payments", params={"tab": "out", "state": "doubtful"})).text
    answer = await client.post(f"/payments/out/{payout.id}/confirm", data={"_": ""}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/payments/out/{payout.id}")
    assert (await world.database.read(payout_of, payout.id)).state is PayoutState.DONE
    page = await see(client, payout)
    assert "/confirm" not in page
    assert "/give-back" not in page


async def test_an_auditor_sees_the_doubt_and_decides_nothing(client, world, payout):
    page = await see(client, payout, Role.AUDITOR)
    assert "It is not known whether this payment arrived." in page
    assert "/give-back" not in page
    for act in ("confirm", "give-back"):
        answer = await client.post(f"/payments/out/{payout.id}/{act}", data={"_": ""}, follow_redirects=False)
        assert answer.status_code == 403
    assert (await world.database.read(payout_of, payout.id)).state is PayoutState.DOUBTFUL


@pytest.mark.parametrize("act", ["confirm", "give-back"])
async def test_deciding_asks_for_the_passkey_first(client, world, payout, act):
    SignedIn.role = Role.OPERATOR
    asked = await client.post(f"/payments/out/{payout.id}/{act}", data={"_": ""}, follow_redirects=False)
    assert asked.status_code == 403
    assert "/prove/begin" in asked.text
    assert (await world.database.read(payout_of, payout.id)).state is PayoutState.DOUBTFUL


@pytest.mark.usefixtures("proved")
async def test_what_is_given_back_is_owed_again_once(client, world, payout):
    SignedIn.role = Role.OPERATOR
    there = f"/payments/out/{payout.id}/give-back"
    assert (await client.post(there, data={"_": ""}, follow_redirects=False)).status_code == 303
    assert (await world.database.read(payout_of, payout.id)).state is PayoutState.FAILED
    refused = await client.post(there, data={"_": ""}, follow_redirects=False)
    assert refused.status_code == 409
    assert "Nothing was changed." in refused.text


async def test_a_silent_rail_hides_no_other(client, monkeypatch):
    monkeypatch.setattr(asking, "BALANCE_S", 0.01)
    page = (await asyncio.wait_for(client.get("/rails"), 4)).text
    assert page.index("no answer in time") < page.index("<h2>sandbox</h2>")
    assert (page.count("Does not answer"), page.count("Answers")) == (1, 1)
