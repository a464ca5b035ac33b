"""The wallet's side of LNURL over real sockets, and the guard against being sent into our own network."""

import ipaddress
import socket

import pytest
from aiohttp import web

from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.payments import LnurlClient, fetch_invoice_from_address
from commonwatt.payments.guarded_http import BYTES_MAX, GuardedHttp, is_public
from commonwatt.protocols import lnurl
from commonwatt.protocols.bolt11 import Bolt11, Network, encode
from commonwatt.protocols.lnurl import PayAnswer, PayRequest, WithdrawRequest

METADATA = lnurl.compose_metadata("Purse")


def invoice(amount_msat):
    return encode(Bolt11(Network.REGTEST, amount_msat, 1, b"\x01" * 32, b"\x02" * 32, "x"), b"\x03" * 32)


@pytest.fixture
async def service():
    """A service that offers what the test puts into `answers`, and remembers what it was asked."""
    answers, asked = {}, []

    async def answer(request):
        asked.append(request.path_qs)
        found = answers[request.path]
        if callable(found):
            found = found(request)
        return found if isinstance(found, web.StreamResponse) else web.json_response(found)

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    yield base, answers, asked
    await runner.cleanup()


@pytest.fixture
async def client():
    client = LnurlClient(allow_loopback=True)
    yield client
    await client.close()


def purse(base, answers, **more):
    request = PayRequest(base + "/cb", 1000, 1_000_000, METADATA, comment_allowed=5)
    answers["/.well-known/lnurlp/ann"] = {**request.compose(), **more}
    answers["/cb"] = lambda http: PayAnswer(invoice(int(http.query["amount"]))).compose()


async def test_an_address_gives_an_invoice(service):
    base, answers, asked = service
    purse(base, answers, vendor="extra keys are none of our business")
    address = "ann@" + base.removeprefix("http://")
    outcome = await fetch_invoice_from_address(address, 12_345, "too long a comment", allow_loopback=True)
    assert outcome == Done(invoice(12_345))
    assert asked[-1] == "/cb?amount=12345&comment=too+l"


async def test_an_lnurl_gives_an_invoice_and_another_amount_is_refused(service, client):
    base, answers, _ = service
    purse(base, answers)
    link = lnurl.encode_lnurl(base + "/.well-known/lnurlp/ann")
    assert await client.fetch_invoice(link, 5000) == Done(invoice(5000))
    assert (await client.fetch_invoice(link, 999)).code == "amount"
    answers["/cb"] = PayAnswer(invoice(5001)).compose()
    assert (await client.fetch_invoice(link, 5000)).code == "amount"
    answers["/cb"] = {"pr": "lnbc1nonsense"}
    assert (await client.fetch_invoice(link, 5000)).code == "service"
    answers["/cb"] = {"status": "ERROR", "reason": "closed today"}
    assert (await client.fetch_invoice(link, 5000)).reason == "closed today"


async def test_money_is_taken_with_an_invoice(service, client):
    base, answers, asked = service
    answers["/w"] = WithdrawRequest(base + "/wcb?s=1", "k1", "Change", 1, 5000).compose()
    answers["/wcb"] = {"status": "OK"}
    request = (await client.offer(base.replace("http://", "lnurlw://") + "/w")).value
    assert await client.withdraw(request, "lnbc1x") == Done(None)
    assert asked[-1] == "/wcb?s=1&k1=k1&pr=lnbc1x"
    assert (await client.fetch_invoice(base + "/w", 5000)).code == "service"
    answers["/wcb"] = {"status": "ERROR", "reason": "taken already"}
    assert await client.withdraw(request, "lnbc1x") == Failed("taken already", "declined")


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: web.Response(body=b"x" * (BYTES_MAX + 1)),
        lambda _: web.Response(text="<html>"),
        lambda _: web.Response(status=302, headers={"Location": "http://169.254.169.254/latest"}),
        lambda _: web.Response(status=302, headers={"Location": "http://10.0.0.1/"}),
        lambda _: web.Response(status=302, headers={"Location": "/again"}),
        lambda _: web.Response(status=302, headers={"Location": "file:///etc/passwd"}),
    ],
    ids=["huge", "html", "metadata service", "private", "circle", "file"],
)
async def test_hostile_answers_fail(service, client, answer):
    base, answers, _ = service
    answers["/again"] = answers["/x"] = answer
    assert isinstance(await client.offer(base + "/x"), Failed)


async def test_a_redirection_within_bounds_is_followed(service, client):
    base, answers, _ = service
    purse(base, answers)
    answers["/old"] = lambda _: web.Response(status=302, headers={"Location": "/.well-known/lnurlp/ann"})
    assert isinstance(await client.offer(base + "/old"), Done)


async def test_a_service_that_is_down_is_unknown(client, unused_tcp_port):
    assert isinstance(await client.offer(f"http://127.0.0.1:{unused_tcp_port}/x"), Unknown)
    assert isinstance(await client.offer("nonsense"), Failed)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.1.2.3/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[fe80::1]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "http://example.com/",
    ],
)
async def test_without_the_sandbox_nothing_near_is_asked(url):
    http = GuardedHttp()
    outcome = await http.get(url)
    assert isinstance(outcome, Failed)
    assert outcome.code == "forbidden"
    await http.close()


async def test_a_name_that_resolves_to_us_is_refused_after_it_was_resolved(monkeypatch):
    def resolve(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.168.7.7", port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    http = GuardedHttp(allow_loopback=True)
    outcome = await http.get("https://innocent.example.com/")
    assert isinstance(outcome, Failed)
    assert outcome.code == "forbidden"
    await http.close()


@pytest.mark.parametrize(
    ("address", "public"),
    [("1.1.1.1", True), ("2606:4700::1111", True), ("2002:0a00:0001::1", False), ("::", False), ("fc00::1", False)],
)
def test_what_counts_as_the_open_internet(address, public):
    assert is_public(ipaddress.ip_address(address)) is public
