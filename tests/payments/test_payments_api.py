"""Payments over HTTP: filters, pages, what stays secret, rails that do not answer."""

from functools import partial

import pytest
from litestar.testing import AsyncTestClient

from commonwatt.kit.web import Behaviour, Live, Site, build_app
from commonwatt.members import EXCEPTION_HANDLERS, TERMINAL
from commonwatt.payments import PaymentFilter, list_invoices, pay_out
from commonwatt.payments.api import ROUTES
from commonwatt.payments.queries import INVOICES


class SignedIn:
    """Stands in for the sign-in middleware."""

    actor = TERMINAL

    def __call__(self, app):
        async def run(scope, receive, send):
            scope["user"] = SignedIn.actor
            await app(scope, receive, send)

        return run


@pytest.fixture
async def client(world):
    app = build_app(
        ROUTES,
        site=Site("Test", "http://testserver.local"),
        database=world.database,
        clock=world.clock,
        ids=world.database.ids,
        live=Live(),
        dependencies={"rails": {"sandbox": world.rail}},
        behaviour=Behaviour(middleware=[SignedIn()], exception_handlers=EXCEPTION_HANDLERS),
    )
    SignedIn.actor = TERMINAL
    async with AsyncTestClient(app) as client:
        yield client


async def some_payments(world):
    for number in range(3):
        invoice = await world.invoice(100_000, subject=f"session/{number}", account=f"session:{number}")
        await world.pay(invoice)
        await world.hear(invoice)
        world.clock.step(seconds=1)
    await world.invoice(subject="session/9", account="session:9")
    world.clock.step(seconds=1)
    await world.database.write(
        pay_out,
        key="change:0",
        bolt11=await world.their_invoice(),
        amount_msat=20_000,
        account="session:0",
        subject="session/0",
        rail_name="sandbox",
        fee_limit_msat=1000,
    )
    await world.jobs.settle()


async def test_one_list_of_both_directions_in_pages(client, world):
    await some_payments(world)
    seen, cursor = [], ""
    while cursor is not None:
        page = (
            await client.get("/api/v1/payments", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [(item["direction"], item["subject"], item["state"]) for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [
        ("out", "session/0", "done"),
        ("in", "session/9", "open"),
        ("in", "session/2", "settled"),
        ("in", "session/1", "settled"),
        ("in", "session/0", "settled"),
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("direction=in", 4),
        ("direction=out", 1),
        ("state=settled", 3),
        ("subject=session/0", 2),
        ("search=session/9", 1),
        ("search=%25", 0),
        ("rail=lnd", 0),
        ("from=2026-05-01T12:00:02Z&to=2026-05-01T12:00:04Z", 2),
    ],
)
async def test_filters(client, world, query, count):
    await some_payments(world)
    assert len((await client.get(f"/api/v1/payments?{query}")).json()["items"]) == count


@pytest.mark.parametrize("query", ["direction=up", "state=odd", "from=yesterday", "cursor=WyJ4Il0", "limit=0"])
async def test_bad_questions_are_answered_as_problems(client, query):
    answer = await client.get(f"/api/v1/payments?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_the_preimage_shows_only_when_it_proves_a_payment(client, world):
    invoice = await world.invoice()
    before = (await client.get(f"/api/v1/payments/{invoice.payment_hash}")).json()
    assert before["preimage"] is None
    await world.pay(invoice)
    await world.hear(invoice)
    after = (await client.get(f"/api/v1/payments/{invoice.payment_hash}")).json()
    assert len(after["preimage"]) == 64
    assert after["paid"]["units"] == invoice.amount_msat
    assert (await client.get("/api/v1/payments/" + "0" * 64)).status_code == 404
    assert (await client.get("/api/v1/payments/nothing")).status_code == 404


async def test_sums_of_a_day(client, world):
    await some_payments(world)
    sums = (await client.get("/api/v1/payments/sums")).json()
    assert sums["received"]["units"] == 300_000
    assert (sums["received_count"], sums["paid_out_count"]) == (3, 1)
    assert sums["fees"]["units"] == 21


async def test_rails_say_what_they_can_and_when_they_are_down(client, world):
    rail = (await client.get("/api/v1/rails")).json()["items"][0]
    assert rail["capabilities"]["hold"] is True
    assert rail["spendable"]["units"] == 1_000_000_000
    world.rail.faults.down = True
    rail = (await client.get("/api/v1/rails")).json()["items"][0]
    assert (rail["reachable"], rail["spendable"]) == (False, None)
    assert "down" in rail["problem"]


async def test_nobody_reads_payments_without_signing_in(client):
    SignedIn.actor = None
    assert (await client.get("/api/v1/payments")).status_code == 401


async def test_lists_are_sorted_by_amount_and_page_in_that_order(world):
    for amount in (300_000, 100_000, 200_000, 100_000):
        await world.invoice(amount, subject=f"session/{amount}", account=f"session:{amount}")
        world.clock.step(seconds=1)
    seen, after = [], ()
    while rows := await world.database.read(partial(list_invoices, sort="amount"), PaymentFilter(), 2, after):
        seen += [row.amount_msat for row in rows]
        after = INVOICES.key(rows[-1], "amount")
    assert seen == [100_000, 100_000, 200_000, 300_000]
    most = await world.database.read(partial(list_invoices, sort="-amount"), PaymentFilter(), 1)
    assert most[0].amount_msat == 300_000
