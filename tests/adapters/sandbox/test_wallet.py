"""The demo's phone: scan, pay, receive, over HTTP and nothing else."""

import asyncio

import pytest

from commonwatt.adapters.payment.sandbox import Found, Kind
from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.protocols import lnurl


async def test_a_code_is_looked_at_before_it_is_paid(shop, wallet):
    for text in (lnurl.encode_lnurl(shop.base + "/pay"), shop.base.replace("http", "lnurlp") + "/pay"):
        found = (await wallet.look(text)).value
        assert found == Found(Kind.PAY, text, "Charging at left socket", 1000, 10_000_000, 20)
    assert await wallet.balance_msat() == 5_000_000


async def test_a_pay_link_is_paid_and_shows_where_to_go_on(shop, wallet):
    page = lnurl.page_link(shop.base + "/c/1", shop.base + "/pay")
    paid = (await wallet.pay(page, 50_000, "B-CW 1")).value
    assert (paid.amount_msat, paid.held, paid.link) == (50_000, False, shop.base + "/s/1")
    assert shop.comments == ["B-CW 1"]
    assert await wallet.balance_msat() == 4_950_000


async def test_a_hold_is_locked_until_the_shop_decides(shop, wallet):
    shop.hold = True
    paid = (await wallet.pay(shop.base + "/pay", 50_000, wait_s=0)).value
    assert paid.held
    assert (await wallet.history())[0]["state"] == "in flight"
    await shop.rail.settle_invoice(shop.preimages[0])
    assert (await wallet.history())[0]["state"] == "done"


async def test_a_payment_waits_for_a_quick_decision(shop, wallet):
    shop.hold = True
    paying = asyncio.create_task(wallet.pay(shop.base + "/pay", 50_000, wait_s=10))
    async for report in shop.rail.watch():
        await shop.rail.settle_invoice(shop.preimages[0])
        assert report.paid_msat == 50_000
        break
    assert not (await paying).value.held


async def test_change_is_received_once(shop, wallet):
    assert await wallet.take(shop.base + "/change") == Done(77_000)
    assert await wallet.balance_msat() == 5_077_000
    assert (await wallet.take(shop.base + "/change")).reason == "The change was taken already"
    assert [line["way"] for line in await wallet.history()] == ["in"]


async def test_invoices_are_paid_and_made(shop, wallet, network):
    await network.add_node("friend", 100_000)
    bolt11 = (await wallet.receive(30_000, "lunch")).value
    found = (await wallet.look("lightning:" + bolt11)).value
    assert (found.kind, found.title, found.min_msat, found.max_msat) == (Kind.INVOICE, "lunch", 30_000, 30_000)
    await network.pay("friend", bolt11, amount_msat=30_000, fee_limit_msat=0, timeout_s=0)
    assert await wallet.balance_msat() == 5_030_000
    open_amount = (await wallet.receive(None)).value
    assert (await wallet.look(open_amount)).value.min_msat == 1


@pytest.mark.parametrize(
    "text",
    ["", "hello", "lnbcrt1nonsense", "nobody@localhost:1", "http://10.0.0.1/pay", "https://", "lnurl1" + "q" * 9000],
)
async def test_what_cannot_be_read_moves_nothing(wallet, text):
    assert isinstance(await wallet.look(text), Failed | Unknown)
    assert isinstance(await wallet.pay(text, 1000), Failed | Unknown)
    assert isinstance(await wallet.take(text), Failed | Unknown)
    assert await wallet.balance_msat() == 5_000_000


async def test_the_amount_must_fit_and_be_there(shop, wallet):
    assert (await wallet.pay(shop.base + "/pay")).code == "amount"
    assert (await wallet.pay(shop.base + "/pay", 999)).code == "amount"
    assert "balance" in (await wallet.pay(shop.base + "/pay", 6_000_000)).reason
    assert (await wallet.take(shop.base + "/change", 78_000)).code == "amount"
    assert (await wallet.take(shop.base + "/pay")).code == "pay"
    assert (await wallet.pay(shop.base + "/change", 1000)).code == "withdraw"
