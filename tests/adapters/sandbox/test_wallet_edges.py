"""The wallet's pages, API and command line, over a running server."""

import asyncio
import json
import re

import httpx
import pytest
from tests.german import english_in

from commonwatt.adapters.payment.sandbox import api, pages
from commonwatt.adapters.payment.sandbox.cli import wallet as wallet_command
from commonwatt.adapters.payment.sandbox.pages import read_sats
from commonwatt.kit import pages as page_kit
from commonwatt.kit.cli import Program, run_group
from commonwatt.kit.web import Behaviour, Live, Site, build_app, listen, serve


@pytest.fixture
def app(database, clock, ids, network):
    return build_app(
        [*api.ROUTES, *pages.ROUTES, *page_kit.ROUTES],
        site=Site("Demo", "http://testserver.local", sandbox=True),
        database=database,
        clock=clock,
        ids=ids,
        live=Live(),
        dependencies={"sandbox": network},
        behaviour=Behaviour(template_config=page_kit.template_engine(clock), limited=False),
    )


@pytest.fixture
async def client(app, network, shop):
    server = await serve(app, listen("127.0.0.1", 0))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield client
    await server.stop()
    if network.phone is not None:
        await network.phone.close()


def text_of(answer):
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)).replace("\u202f", " ")


async def test_the_page_says_that_it_is_play_money_and_what_to_do_first(client):
    page = text_of(await client.get("/wallet"))
    assert "play money" in page
    assert "5,000 sat" in page
    assert "Nothing paid yet" in page


async def test_what_did_not_work_is_told_in_the_reader_s_language_without_jargon(client, shop):
    german = {"accept": "text/html", "accept-language": "de"}
    for code in ("hello", "lnurl1qqq", "lnbcrt1qqq", "name@", "%s%(x)s"):
        page = text_of(await client.get("/wallet", params={"code": code}, headers=german))
        assert "Das ist weder ein Zahlungscode noch eine Lightning-Adresse" in page
        assert english_in(page.replace(code, "")) == []
        assert not re.search("invoice|lnurl(?!1)", page, re.IGNORECASE)
    await client.post("/wallet/take", data={"code": shop.base + "/change", "sats": "77"})
    refused = await client.post("/wallet/take", data={"code": shop.base + "/change", "sats": "77"}, headers=german)
    assert "Die Gegenseite sagt: The change was taken already" in text_of(refused)
    poor = await client.post("/wallet/pay", data={"code": shop.base + "/pay", "sats": "6000"}, headers=german)
    assert "In dieser Wallet ist nicht genug Geld." in text_of(poor)


async def test_scan_confirm_pay_and_go_on(client, shop):
    scanned = await client.post("/wallet/scan", data={"code": shop.base + "/pay"})
    assert "Charging at left socket" in text_of(scanned)
    paid = await client.post("/wallet/pay", data={"code": shop.base + "/pay", "sats": "50", "comment": "B-CW 1"})
    assert f'href="{shop.base}/s/1"' in paid.text
    assert "4,950 sat" in text_of(paid)
    assert shop.comments == ["B-CW 1"]


async def test_a_lock_is_told_in_words(client, shop, monkeypatch):
    shop.hold = True
    paid = await client.post("/wallet/pay", data={"code": shop.base + "/pay", "sats": "50"})
    assert "Locked until the charge point confirms" in text_of(paid)
    await shop.rail.cancel_invoice(next(iter([p async for p in _hashes(shop)])))
    assert "came back" in text_of(await client.get("/wallet"))


async def _hashes(shop):
    async for report in shop.rail.watch():
        yield report.payment_hash
        return


async def test_change_is_received_with_one_button(client, shop):
    found = await client.get("/wallet", params={"code": shop.base + "/change"})
    assert 'value="77"' in found.text
    taken = await client.post("/wallet/take", data={"code": shop.base + "/change", "sats": "77"})
    assert "Received:" in text_of(taken)
    again = await client.post("/wallet/take", data={"code": shop.base + "/change", "sats": "77"})
    assert "taken already" in text_of(again)


@pytest.mark.parametrize("sats", ["", "x", "-5", "0", "1.2345", "1e30", "NaN", "Infinity"])
async def test_an_amount_that_is_none_is_asked_for_again(client, network, shop, sats):
    answer = await client.post("/wallet/pay", data={"code": shop.base + "/pay", "sats": sats})
    assert "An amount in sats" in text_of(answer)
    assert await network.balance_msat("wallet") == 5_000_000


def test_amounts_are_read_to_the_millisatoshi():
    assert [read_sats(text) for text in ("50", " 1.5 ", "0,001")] == [50_000, 1500, 1]


async def test_hostile_codes_are_shown_as_text_only(client):
    answer = await client.post("/wallet/scan", data={"code": '"><script>alert(1)</script>'})
    assert "<script>alert" not in answer.text
    assert "That did not work" in text_of(answer)
    assert (await client.post("/wallet/scan", data={"code": "x" * 50_000})).status_code == 200


async def test_an_invoice_is_made_as_a_code(client):
    answer = await client.post("/wallet/receive", data={"sats": "21"})
    assert "lnbcrt210n1" in answer.text
    assert "An amount in sats" in text_of(await client.post("/wallet/receive", data={"sats": "x"}))


async def test_the_api_says_the_same(client, shop):
    path = "/api/v1/sandbox/wallet"
    found = (await client.post(path + "/scan", json={"text": shop.base + "/pay"})).json()
    assert (found["kind"], found["min"]["units"], found["comment_allowed"]) == ("pay", 1000, 20)
    paid = (await client.post(path + "/pay", json={"text": shop.base + "/pay", "amount_msat": 50_001})).json()
    assert (paid["amount"]["units"], paid["balance"]["units"]) == (50_001, 4_949_999)
    taken = (await client.post(path + "/take", json={"text": shop.base + "/change"})).json()
    assert taken["amount"]["units"] == 77_000
    made = (await client.post(path + "/receive", json={})).json()
    assert made["bolt11"].startswith("lnbcrt1")
    shown = (await client.get(path)).json()
    assert sorted(line["way"] for line in shown["history"]) == ["in", "out"]
    refused = await client.post(path + "/pay", json={"text": "nonsense", "amount_msat": 1})
    assert (refused.status_code, refused.json()["slug"]) == (409, "wallet-refused")
    for body in ({}, {"text": ""}, {"text": "x", "amount_msat": 0}, {"text": "x", "more": 1}):
        assert (await client.post(path + "/pay", json=body)).status_code == 400


async def test_the_command_line_speaks_to_a_running_server(client, shop, capsys):
    url = str(client.base_url)

    async def run(*words):
        program = Program(lambda overrides: overrides, lambda *_: pytest.fail("opened"))
        code = await asyncio.to_thread(run_group, wallet_command, ["--url", url, *words], program)
        told = capsys.readouterr()
        lines = [line for line in (told.out + told.err).splitlines() if " [info " not in line]
        return code, "\n".join(lines)

    assert (await run("balance"))[1].strip() == "5000 sat"
    assert "takes 1 sat to 10000 sat" in (await run("scan", shop.base + "/pay"))[1]
    code, told = await run("pay", shop.base + "/pay", "--sats", "50", "--yes", "--json")
    assert (code, json.loads(told.splitlines()[-1])["link"]) == (0, shop.base + "/s/1")
    assert (await run("pay", shop.base + "/pay", "--sats", "50"))[0] != 0
    assert (await run("pay", shop.base + "/pay", "--yes"))[0] != 0
    assert "77 sat received" in (await run("receive", shop.base + "/change"))[1]
    assert (await run("receive", "--sats", "3"))[1].startswith("lnbcrt30n1")
    assert "Change" in (await run("history"))[1]
    code, told = await run("scan", "nonsense")
    assert code == 1
    assert "neither an LNURL" in told
    for words in (("pay", "lnbc1xxx", "--yes"), ("scan", "xx"), ("receive", shop.base + "/change")):
        code, told = await run(*words)
        assert (code, ".." in told) == (1, False), told
    for words in (("scan", "foo@wallet.invalid"), ("pay", "foo@wallet.invalid", "--yes")):
        code, told = await run(*words)
        assert code == 4, told
        assert "No money moved" in told
        assert "istory" not in told


async def test_a_server_that_is_not_there_is_told(capsys, unused_tcp_port):
    program = Program(lambda overrides: overrides, lambda *_: None)
    code = run_group(wallet_command, ["--url", f"http://127.0.0.1:{unused_tcp_port}", "balance"], program)
    assert code != 0
    assert "commonwatt demo" in capsys.readouterr().err
