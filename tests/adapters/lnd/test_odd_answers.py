"""The LND rail against a server that answers as no node should: nothing raises, nothing leaks, nothing hangs."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from commonwatt.adapters.payment.lnd import LndConfig, LndRail
from commonwatt.adapters.payment.lnd.client import ANSWER_BYTES_MAX, LINE_BYTES_MAX, Answer, LndClient, Refusal, Silence
from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.payments.ports import InvoiceState, InvoiceTerms

MACAROON = "0201036c6e6402f801030a10dead"
PREIMAGE = bytes(range(32))
TERMS = InvoiceTerms(PREIMAGE, 1_234, "a charge", None, 600, hold=True)
DECODED = {"payment_hash": TERMS.payment_hash.hex(), "num_msat": "1234"}


class FakeNode:
    """Answers each path from a table: a (status, body) pair, or a handler."""

    def __init__(self) -> None:
        self.table = {}
        self.heard = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.heard.append((request.method, request.path, request.headers.get("Grpc-Metadata-macaroon")))
        entry = next((entry for path, entry in self.table.items() if request.path.startswith(path)), (404, b"no"))
        if callable(entry):
            return await entry(request)
        status, body = entry
        return web.Response(status=status, body=body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.fixture
async def node():
    fake = FakeNode()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.handle)
    server = TestServer(app)
    await server.start_server()
    fake.url = f"http://127.0.0.1:{server.port}"
    yield fake
    await server.close()


@pytest.fixture
async def rail(node):
    rail = LndRail(LndConfig(node.url, MACAROON, timeout_s=0.5))
    yield rail
    await rail.close()


@pytest.fixture
async def client(node):
    client = LndClient(LndConfig(node.url, MACAROON, timeout_s=0.5))
    yield client
    await client.close()


async def answers_of(rail: LndRail):
    """Every method's outcome, one after the other."""
    yield await rail.create_invoice(TERMS)
    yield await rail.look_up_invoice(TERMS.payment_hash)
    yield await rail.settle_invoice(PREIMAGE)
    yield await rail.cancel_invoice(TERMS.payment_hash)
    yield await rail.pay("lnbcrt1abc", amount_msat=1_234, fee_limit_msat=0, timeout_s=1)
    yield await rail.look_up_payment(TERMS.payment_hash)
    yield await rail.balance()


NONSENSE = [
    (200, b""),
    (200, b"<html>router login</html>"),
    (200, b"[1, 2]"),
    (200, b"null"),
    (200, b"\xff\xfe{"),
    (200, b"[" * 100_000),
    (502, b"<html>bad gateway</html>"),
    (500, b"{}"),
    (500, {"code": "2", "message": "text"}),
    (500, {"error": 5}),
    (503, {"code": 14, "message": "connection refused"}),
    (504, {"code": 4, "message": "deadline exceeded"}),
    (500, {"code": 2, "message": "wallet locked, unlock it to enable full RPC access"}),
    (500, {"code": 2, "message": "the RPC server is in the process of starting up, but not yet ready to accept calls"}),
    (301, b""),
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda entry: str(entry)[:40])
async def test_nonsense_is_unknown_for_whatever_moves_or_tells_money(node, rail, nonsense):
    node.table = {"/": nonsense}
    outcomes = [outcome async for outcome in answers_of(rail)]
    assert all(isinstance(outcome, Unknown) for outcome in outcomes), outcomes


async def test_an_object_without_the_expected_fields_is_unknown(node, rail):
    node.table = {"/v2/invoices/settle": (200, {}), "/v2/invoices/cancel": (200, {}), "/": (200, {"result": 7})}
    outcomes = [outcome async for outcome in answers_of(rail)]
    assert [type(outcome) for outcome in outcomes] == [Unknown, Unknown, Done, Done, Unknown, Unknown, Unknown]


ODD_OBJECTS = [
    {"state": "LOST"},
    {"state": "SETTLED", "amt_paid_msat": -5},
    {"state": "SETTLED", "amt_paid_msat": "1e3"},
    {"state": "SETTLED", "amt_paid_msat": True},
    {"state": "SETTLED", "amt_paid_msat": "9" * 5000},
    {"state": "ACCEPTED", "htlcs": "many"},
    {"state": "ACCEPTED", "htlcs": [1]},
    {"state": "ACCEPTED", "htlcs": [{"state": "ACCEPTED", "amt_msat": 1.5}]},
]


@pytest.mark.parametrize("body", ODD_OBJECTS, ids=str)
async def test_an_invoice_of_odd_shape_is_unknown(node, rail, body):
    node.table = {"/v2/invoices/lookup": (200, body)}
    assert isinstance(await rail.look_up_invoice(TERMS.payment_hash), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "SUCCEEDED"},
        {"status": "SUCCEEDED", "payment_preimage": "zz" * 32},
        {"status": "SUCCEEDED", "payment_preimage": "00" * 31},
        {"status": "SUCCEEDED", "payment_preimage": "00" * 32, "fee_msat": "-1"},
        {"status": "EVAPORATED"},
        {},
    ],
    ids=str,
)
async def test_a_payment_of_odd_shape_is_unknown(node, rail, body):
    node.table = {"/v2/router/track": (200, json.dumps({"result": body}).encode() + b"\n")}
    assert isinstance(await rail.look_up_payment(TERMS.payment_hash), Unknown)


@pytest.mark.parametrize(
    "body", [{"channels": 3}, {"channels": [3]}, {"channels": [{"local_constraints": "x"}]}], ids=str
)
async def test_channels_of_odd_shape_leave_the_balance_unknown(node, rail, body):
    node.table = {"/v1/channels": (200, body)}
    assert isinstance(await rail.balance(), Unknown)


async def test_balance_leaves_out_reserves_and_never_goes_below_zero(node, rail):
    wide = {"local_balance": "900", "remote_balance": "50"}
    wide |= {"local_constraints": {"chan_reserve_sat": "100"}, "remote_constraints": {"chan_reserve_sat": "60"}}
    node.table = {"/v1/channels": (200, {"channels": [wide, {"local_balance": "7"}]})}
    balance = (await rail.balance()).value
    assert (balance.spendable_msat, balance.receivable_msat) == (807_000, 0)


async def test_an_oversized_answer_is_cut_short(node, client):
    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        block = b" " * 65536
        for _ in range(2 * ANSWER_BYTES_MAX // len(block)):
            await response.write(block)
        return response

    node.table = {"/": endless}
    answer = await client.call("GET", "/v1/getinfo", timeout_s=20)
    assert answer == Silence("the node's answer is longer than any answer should be")


async def test_an_oversized_line_of_a_stream_is_cut_short(node, client):
    async def long_line(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * (LINE_BYTES_MAX + 1))
        await asyncio.sleep(5)
        return response

    node.table = {"/": long_line}
    replies = [reply async for reply in client.stream("GET", "/v1/x", timeout_s=3)]
    assert replies == [Silence("the node's answer is longer than any answer should be")]


async def test_a_slow_answer_is_unknown_in_time(node, rail):
    asked = asyncio.Event()

    async def never(request):
        asked.set()
        await asyncio.Event().wait()

    node.table = {"/": never}
    begun = asyncio.get_running_loop().time()
    assert isinstance(await rail.create_invoice(TERMS), Unknown)
    assert isinstance(await rail.look_up_payment(TERMS.payment_hash), Unknown)
    assert asyncio.get_running_loop().time() - begun < 3
    assert asked.is_set()


async def test_an_answer_that_drips_is_unknown_in_time(node, rail):
    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    node.table = {"/": drip}
    assert isinstance(await rail.balance(), Unknown)


async def test_an_answer_that_breaks_off_is_unknown(node, rail):
    async def broken(request):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"channels": [')
        request.transport.abort()
        return response

    node.table = {"/": broken}
    for outcome in [outcome async for outcome in answers_of(rail)]:
        assert isinstance(outcome, Unknown)


async def test_a_redirect_is_not_followed_and_the_macaroon_stays(node, rail):
    async def elsewhere(request):
        raise web.HTTPFound("/elsewhere")

    node.table = {"/v1/channels": elsewhere, "/elsewhere": (200, {})}
    assert isinstance(await rail.balance(), Unknown)
    assert [path for _, path, _ in node.heard] == ["/v1/channels"]


@pytest.mark.parametrize("echo", [MACAROON, MACAROON.upper(), base64.b64encode(bytes.fromhex(MACAROON)).decode()])
async def test_a_node_that_echoes_the_macaroon_does_not_spread_it(node, rail, echo):
    node.table = {"/": (500, {"code": 2, "message": f"cannot read {echo}"})}
    for outcome in [outcome async for outcome in answers_of(rail)]:
        assert echo.lower() not in outcome.reason.lower()
    assert MACAROON not in repr(LndConfig(node.url, MACAROON)) + repr(rail.client)


async def test_a_stream_without_end_of_payment_is_unknown(node, rail):
    flying = json.dumps({"result": {"status": "IN_FLIGHT"}}).encode() + b"\n"
    node.table = {
        "/v1/payreq": (200, DECODED),
        "/v2/router/send": (200, flying),
        "/v2/router/track": (200, flying),
    }
    outcome = await rail.pay("lnbcrt1abc", amount_msat=1_234, fee_limit_msat=0, timeout_s=1)
    assert isinstance(outcome, Unknown)


async def test_never_heard_of_after_a_lost_send_is_still_unknown(node, rail):
    node.table = {
        "/v1/payreq": (200, DECODED),
        "/v2/router/send": (502, b"gone"),
        "/v2/router/track": (404, {"error": {"code": 5, "message": "payment isn't initiated"}}),
    }
    outcome = await rail.pay("lnbcrt1abc", amount_msat=1_234, fee_limit_msat=0, timeout_s=1)
    assert isinstance(outcome, Unknown)


async def test_a_refused_send_that_was_never_begun_has_failed(node, rail):
    node.table = {
        "/v1/payreq": (200, DECODED),
        "/v2/router/send": (500, {"error": {"code": 2, "message": "self-payments not allowed"}}),
        "/v2/router/track": (404, {"error": {"code": 5, "message": "payment isn't initiated"}}),
    }
    outcome = await rail.pay("lnbcrt1abc", amount_msat=1_234, fee_limit_msat=0, timeout_s=1)
    assert outcome == Failed("self-payments not allowed", "refused")


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("FAILURE_REASON_TIMEOUT", "timeout"),
        ("FAILURE_REASON_NO_ROUTE", "no-route"),
        ("FAILURE_REASON_INSUFFICIENT_BALANCE", "no-balance"),
        ("FAILURE_REASON_OF_TOMORROW", "failed"),
    ],
)
async def test_each_failure_has_its_code(node, rail, reason, code):
    ended = json.dumps({"result": {"status": "FAILED", "failure_reason": reason}}).encode() + b"\n"
    node.table = {"/v1/payreq": (200, DECODED), "/v2/router/send": (200, ended)}
    outcome = await rail.pay("lnbcrt1abc", amount_msat=1_234, fee_limit_msat=0, timeout_s=1)
    assert isinstance(outcome, Failed)
    assert outcome.code == code


async def test_the_fee_limit_and_the_time_limit_go_to_the_node(node, rail):
    sent = {}

    async def send(request):
        sent.update(await request.json())
        return web.Response(body=b'{"result": {"status": "FAILED"}}\n')

    node.table = {"/v1/payreq": (200, DECODED), "/v2/router/send": send}
    await rail.pay("lnbcrt1abc", amount_msat=1_234, fee_limit_msat=77, timeout_s=9)
    assert sent == {"payment_request": "lnbcrt1abc", "timeout_seconds": 9, "fee_limit_msat": "77"}


async def test_a_memo_is_cut_to_what_an_invoice_can_hold_between_characters(node, rail):
    sent = {}

    async def add(request):
        sent.update(await request.json())
        return web.json_response({"payment_request": "lnbcrt1abc"})

    node.table = {"/v2/invoices/hodl": add}
    assert isinstance(await rail.create_invoice(InvoiceTerms(PREIMAGE, 1, "ü" * 500, None, 60, hold=True)), Done)
    assert sent["memo"] == "ü" * 319
    assert sent["hash"] == base64.b64encode(TERMS.payment_hash).decode()
    assert base64.b64encode(PREIMAGE).decode() not in json.dumps(sent)


@pytest.mark.parametrize("route_hints", [False, True])
async def test_private_channels_are_asked_for_when_the_owner_says_so(node, route_hints):
    sent = {}

    async def add(request):
        sent.update(await request.json())
        return web.json_response({"payment_request": "lnbcrt1abc"})

    node.table = {"/v2/invoices/hodl": add}
    rail = LndRail(LndConfig(node.url, MACAROON, route_hints=route_hints))
    assert isinstance(await rail.create_invoice(TERMS), Done)
    assert sent["private"] is route_hints
    await rail.close()


@pytest.mark.parametrize("amount_msat", [0, -1])
async def test_an_invoice_over_nothing_is_not_asked_for(node, rail, amount_msat):
    outcome = await rail.create_invoice(InvoiceTerms(PREIMAGE, amount_msat, "", None, 60, hold=False))
    assert isinstance(outcome, Failed)
    assert node.heard == []


async def test_a_watch_outlives_nonsense_and_refusals(node, rail):
    path = f"/v2/invoices/subscribe/{base64.urlsafe_b64encode(TERMS.payment_hash).decode()}"
    said = iter([(502, b"gone"), (200, b"{"), (200, b'{"result": {"state": "LOST"}}\n')])
    held = {"result": {"state": "ACCEPTED", "htlcs": [{"state": "ACCEPTED", "amt_msat": "1234"}]}}

    async def subscribe(request):
        status, body = next(said, (200, json.dumps(held).encode() + b"\n"))
        return web.Response(status=status, body=body)

    node.table = {path: subscribe, "/v2/invoices/hodl": (200, {"payment_request": "lnbcrt1abc"}), "/v1": (502, b"")}
    await rail.create_invoice(TERMS)
    watch = rail.watch()
    async with asyncio.timeout(5):
        report = await anext(watch)
    await watch.aclose()
    assert (report.state, report.paid_msat) == (InvoiceState.ACCEPTED, 1_234)


async def test_the_client_tells_refusals_from_silence(node, client):
    node.table = {
        "/no": (500, {"code": 2, "message": "invoice still open"}),
        "/busy": (500, {"code": 13, "message": "x"}),
    }
    assert await client.call("GET", "/no") == Refusal(2, "invoice still open")
    assert isinstance(await client.call("GET", "/busy"), Silence)
    node.table = {"/": (200, {"a": 1})}
    assert await client.call("GET", "/") == Answer({"a": 1})
    assert {macaroon for _, _, macaroon in node.heard} == {MACAROON}
