"""The LND rail against two real lnd nodes: every promise of the port that only a real network can break."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from contextlib import aclosing

import pytest
from tests.adapters.lnd.lightning_steps import ODD_MSAT, ended, issue, pay, terms, told, until

from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.payments.ports import InvoiceState, InvoiceTerms

pytestmark = pytest.mark.lnd


async def test_a_plain_invoice_is_paid_to_the_msat_with_our_own_preimage(shop, driver):
    wanted = terms()
    bolt11 = await issue(shop, wanted)
    before = await shop.look_up_invoice(wanted.payment_hash)
    assert (before.value.state, before.value.paid_msat) == (InvoiceState.OPEN, 0)
    paid = await pay(driver, bolt11)
    assert isinstance(paid, Done), paid
    assert paid.value.preimage == wanted.preimage
    assert (paid.value.amount_msat, paid.value.fee_msat) == (ODD_MSAT, 0)
    report = await until(shop, wanted.payment_hash, InvoiceState.SETTLED)
    assert report.paid_msat == ODD_MSAT


async def test_money_flows_both_ways_so_change_comes_back(shop, driver):
    wanted = terms(amount_msat=777_001)
    paid = await pay(shop, await issue(driver, wanted), 777_001)
    assert isinstance(paid, Done)
    assert paid.value.preimage == wanted.preimage


async def test_the_same_terms_again_answer_with_the_same_invoice(shop):
    for hold in (False, True):
        wanted = terms(hold=hold)
        assert await issue(shop, wanted) == await issue(shop, wanted)


async def test_the_same_preimage_over_another_amount_is_a_conflict(shop):
    wanted = terms()
    await issue(shop, wanted)
    other = InvoiceTerms(wanted.preimage, ODD_MSAT + 1, "", None, 600, hold=False)
    answer = await shop.create_invoice(other)
    assert isinstance(answer, Failed)
    assert answer.code == "conflict"


@pytest.mark.parametrize("hold", [False, True])
async def test_an_invoice_commits_to_a_description_hash(shop, lnd_network, hold):
    digest = hashlib.sha256(b'[["text/plain","CP-1"]]').digest()
    bolt11 = await issue(shop, terms(hold=hold, description_hash=digest))
    read = await asyncio.to_thread(lnd_network.driver.call, "GET", f"/v1/payreq/{bolt11}")
    assert read["description_hash"] == digest.hex()
    assert int(read["num_msat"]) == ODD_MSAT


async def test_a_hold_locks_and_settles_and_the_payer_sees_success(shop, driver):
    wanted = terms(hold=True, amount_msat=50_000_123)
    paying = pay(driver, await issue(shop, wanted), 50_000_123)
    held = await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
    assert held.paid_msat == 50_000_123
    assert isinstance(await driver.look_up_payment(wanted.payment_hash), Unknown)
    assert await shop.settle_invoice(wanted.preimage) == Done(None)
    assert await shop.settle_invoice(wanted.preimage) == Done(None)
    paid = await paying
    assert isinstance(paid, Done)
    assert paid.value.preimage == wanted.preimage
    late = await shop.cancel_invoice(wanted.payment_hash)
    assert isinstance(late, Failed)
    assert late.code == "settled"


async def test_a_hold_is_given_back_and_the_payer_sees_failure(shop, driver):
    wanted = terms(hold=True)
    paying = pay(driver, await issue(shop, wanted))
    await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
    assert await shop.cancel_invoice(wanted.payment_hash) == Done(None)
    assert await shop.cancel_invoice(wanted.payment_hash) == Done(None)
    paid = await paying
    assert isinstance(paid, Failed)
    assert paid.code == "refused-by-payee"
    late = await shop.settle_invoice(wanted.preimage)
    assert isinstance(late, Failed)
    assert late.code == "cancelled"
    assert (await shop.look_up_invoice(wanted.payment_hash)).value.paid_msat == 0


async def test_an_open_invoice_can_be_made_unpayable(shop, driver):
    wanted = terms()
    bolt11 = await issue(shop, wanted)
    assert await shop.cancel_invoice(wanted.payment_hash) == Done(None)
    paid = await pay(driver, bolt11)
    assert isinstance(paid, Failed)


async def test_a_hold_that_nobody_paid_cannot_be_settled(shop):
    wanted = terms(hold=True)
    await issue(shop, wanted)
    answer = await shop.settle_invoice(wanted.preimage)
    assert isinstance(answer, Failed)
    assert answer.code == "open"


async def test_what_the_node_never_heard_of_is_missing(shop):
    nothing = secrets.token_bytes(32)
    nowhere = hashlib.sha256(nothing).digest()
    for answer in (
        await shop.look_up_invoice(nowhere),
        await shop.settle_invoice(nothing),
        await shop.cancel_invoice(nowhere),
        await shop.look_up_payment(nowhere),
    ):
        assert isinstance(answer, Failed)
        assert answer.code == "missing"


async def test_paying_twice_pays_once(shop, driver):
    wanted = terms()
    bolt11 = await issue(shop, wanted)
    first, second = await pay(driver, bolt11), await pay(driver, bolt11)
    assert isinstance(first, Done)
    assert first == second == await driver.look_up_payment(wanted.payment_hash)
    assert (await shop.look_up_invoice(wanted.payment_hash)).value.paid_msat == ODD_MSAT


async def test_two_calls_at_once_pay_once(shop, driver):
    wanted = terms(hold=True)
    bolt11 = await issue(shop, wanted)
    calls = [pay(driver, bolt11) for _ in range(3)]
    held = await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
    assert held.paid_msat == ODD_MSAT
    await shop.settle_invoice(wanted.preimage)
    outcomes = await asyncio.gather(*calls)
    assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
    assert len(set(outcomes)) == 1


async def test_a_payment_that_outlives_its_time_is_unknown_until_looked_up(shop, driver):
    wanted = terms(hold=True)
    bolt11 = await issue(shop, wanted)
    outcome = await pay(driver, bolt11, timeout_s=1)
    assert isinstance(outcome, Unknown)
    assert isinstance(await driver.look_up_payment(wanted.payment_hash), Unknown)
    await shop.settle_invoice(wanted.preimage)
    found = await ended(driver, wanted.payment_hash)
    assert isinstance(found, Done)
    assert found.value.preimage == wanted.preimage


async def test_more_than_the_channel_holds_fails_and_says_so(shop, driver):
    amount_msat = 40_000_000_000
    wanted = terms(amount_msat=amount_msat)
    outcome = await pay(driver, await issue(shop, wanted), amount_msat)
    assert isinstance(outcome, Failed)
    assert outcome.code in {"no-balance", "no-route"}
    known = await driver.look_up_payment(wanted.payment_hash)
    assert isinstance(known, Failed)
    assert known.code == outcome.code


async def test_an_expired_invoice_is_not_paid_and_reads_as_cancelled(shop, driver):
    wanted = terms(expiry_s=1)
    bolt11 = await issue(shop, wanted)
    await until(shop, wanted.payment_hash, InvoiceState.CANCELLED)
    outcome = await pay(driver, bolt11)
    assert isinstance(outcome, Failed)
    assert "expired" in outcome.reason


@pytest.mark.parametrize("text", ["lnbcrt1nonsense", "hello", "../getinfo", "lnbcrt" + "q" * 9000, ""])
async def test_what_is_no_invoice_is_refused(driver, text):
    outcome = await driver.pay(text, amount_msat=1, fee_limit_msat=0, timeout_s=5)
    assert isinstance(outcome, Failed)
    assert outcome.code == "bad-invoice"


async def test_an_invoice_over_another_amount_is_not_paid(shop, driver):
    outcome = await pay(driver, await issue(shop, terms()), ODD_MSAT - 1)
    assert isinstance(outcome, Failed)
    assert outcome.code == "amount"


async def test_an_invoice_without_amount_takes_ours(driver, shop, lnd_network):
    issued = await asyncio.to_thread(lnd_network.shop.call, "POST", "/v1/invoices", {"memo": "any"})
    outcome = await pay(driver, issued["payment_request"], 4_321)
    assert isinstance(outcome, Done)
    assert outcome.value.amount_msat == 4_321


async def test_the_watch_tells_of_holds_and_plain_payments(shop, driver):
    plain, settled, given_back = terms(), terms(hold=True), terms(hold=True)
    early = await issue(shop, plain)
    async with aclosing(shop.watch()) as reports:
        waiting = asyncio.create_task(told(reports, plain.payment_hash, InvoiceState.SETTLED))
        await asyncio.sleep(0.5)
        await pay(driver, early)
        assert (await waiting).paid_msat == ODD_MSAT
        for wanted, decide in ((settled, "settle"), (given_back, "cancel")):
            paying = pay(driver, await issue(shop, wanted))
            held = await told(reports, wanted.payment_hash, InvoiceState.ACCEPTED)
            assert held.paid_msat == ODD_MSAT
            if decide == "settle":
                await shop.settle_invoice(wanted.preimage)
                await told(reports, wanted.payment_hash, InvoiceState.SETTLED)
            else:
                await shop.cancel_invoice(wanted.payment_hash)
                await told(reports, wanted.payment_hash, InvoiceState.CANCELLED)
            await paying


async def test_balance_moves_by_what_was_paid(shop, driver):
    before, wanted = await shop.balance(), terms(amount_msat=2_000_000)
    await pay(driver, await issue(shop, wanted), 2_000_000)
    await until(shop, wanted.payment_hash, InvoiceState.SETTLED)
    async with asyncio.timeout(10):
        while True:
            after = await shop.balance()
            if after.value.spendable_msat - before.value.spendable_msat >= 1_999_000:
                break
            await asyncio.sleep(0.05)
    assert before.value.receivable_msat > after.value.receivable_msat
