"""Every promise of `payments.ports.Rail`, kept by every adapter that there is."""

import asyncio
import hashlib
import secrets
from contextlib import aclosing

import pytest
from tests.contract.conftest import BENCHES, NAMES

from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.payments.ports import InvoiceState, InvoiceTerms
from commonwatt.protocols.bolt11 import decode

MSAT = 1_234_567
"""Not a whole number of satoshi."""
FEE_LIMIT_MSAT = 50_000
PATIENCE_S = 40


def terms(bench, *, amount_msat=MSAT, hold=False, description_hash=None, expiry_s=600):
    if not bench.ours.capabilities.msat:
        amount_msat = -(-amount_msat // 1000) * 1000
    return InvoiceTerms(secrets.token_bytes(32), amount_msat, "Charging · Zürich", description_hash, expiry_s, hold)


async def issue(rail, wanted):
    outcome = await rail.create_invoice(wanted)
    assert isinstance(outcome, Done), outcome
    assert outcome.value.payment_hash == wanted.payment_hash
    return outcome.value.bolt11


def pay(rail, bolt11, wanted, timeout_s=20, fee_limit_msat=FEE_LIMIT_MSAT):
    paying = rail.pay(bolt11, amount_msat=wanted.amount_msat, fee_limit_msat=fee_limit_msat, timeout_s=timeout_s)
    return asyncio.create_task(paying)


async def until(ask, wanted):
    """Ask again until the answer is as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            outcome = await ask()
            if wanted(outcome):
                return outcome
            await asyncio.sleep(0.02)


async def reaches(rail, payment_hash, state):
    def wanted(outcome):
        return isinstance(outcome, Done) and outcome.value.state is state

    return (await until(lambda: rail.look_up_invoice(payment_hash), wanted)).value


async def payment_ends(rail, payment_hash):
    return await until(lambda: rail.look_up_payment(payment_hash), lambda outcome: not isinstance(outcome, Unknown))


async def held(bench):
    """A hold invoice of ours whose money is locked, and the payment that waits."""
    if not bench.ours.capabilities.hold:
        pytest.skip("the backend cannot hold")
    wanted = terms(bench, hold=True)
    paying = pay(bench.theirs, await issue(bench.ours, wanted), wanted)
    report = await reaches(bench.ours, wanted.payment_hash, InvoiceState.ACCEPTED)
    assert report.paid_msat == wanted.amount_msat
    return wanted, paying


def test_every_adapter_has_a_bench():
    assert NAMES
    assert [name for name in NAMES if not (BENCHES / f"{name}.py").exists()] == []


async def test_an_invoice_says_what_it_was_asked_to_say(bench):
    wanted = terms(bench, expiry_s=432)
    invoice = decode(await issue(bench.ours, wanted))
    assert invoice.payment_hash == wanted.payment_hash
    assert invoice.amount_msat == wanted.amount_msat
    assert invoice.expiry_s == 432
    assert invoice.description == wanted.description
    assert invoice.payment_secret


@pytest.mark.parametrize("hold", [False, True])
async def test_an_invoice_commits_to_a_description(bench, hold):
    if not bench.ours.capabilities.description_hash or (hold and not bench.ours.capabilities.hold):
        pytest.skip("the backend cannot")
    hashed = hashlib.sha256(b'[["text/plain","Charging"]]').digest()
    invoice = decode(await issue(bench.ours, terms(bench, hold=hold, description_hash=hashed)))
    assert (invoice.description_hash, invoice.description) == (hashed, None)


@pytest.mark.parametrize("hold", [False, True])
async def test_the_same_preimage_answers_with_the_same_invoice(bench, hold):
    if hold and not bench.ours.capabilities.hold:
        pytest.skip("the backend cannot hold")
    wanted = terms(bench, hold=hold)
    assert await issue(bench.ours, wanted) == await issue(bench.ours, wanted)


async def test_an_open_invoice_is_open_and_an_unknown_one_is_missing(bench):
    wanted = terms(bench)
    await issue(bench.ours, wanted)
    report = (await bench.ours.look_up_invoice(wanted.payment_hash)).value
    assert (report.payment_hash, report.state, report.paid_msat) == (wanted.payment_hash, InvoiceState.OPEN, 0)
    unknown = await bench.ours.look_up_invoice(secrets.token_bytes(32))
    assert isinstance(unknown, Failed)
    assert unknown.code == "missing"


async def test_a_plain_payment_arrives_to_the_millisatoshi(bench):
    wanted = terms(bench)
    outcome = await pay(bench.theirs, await issue(bench.ours, wanted), wanted)
    assert isinstance(outcome, Done), outcome
    assert outcome.value.preimage == wanted.preimage
    report = await reaches(bench.ours, wanted.payment_hash, InvoiceState.SETTLED)
    assert report.paid_msat == wanted.amount_msat
    cancelled = await bench.ours.cancel_invoice(wanted.payment_hash)
    assert isinstance(cancelled, Failed)


async def test_a_hold_is_settled_once_and_for_all(bench):
    wanted, paying = await held(bench)
    assert not paying.done()
    for _ in range(2):
        assert isinstance(await bench.ours.settle_invoice(wanted.preimage), Done)
    assert isinstance(await paying, Done)
    report = await reaches(bench.ours, wanted.payment_hash, InvoiceState.SETTLED)
    assert report.paid_msat == wanted.amount_msat
    assert isinstance(await bench.ours.cancel_invoice(wanted.payment_hash), Failed)


async def test_a_hold_is_given_back_once_and_for_all(bench):
    wanted, paying = await held(bench)
    for _ in range(2):
        assert isinstance(await bench.ours.cancel_invoice(wanted.payment_hash), Done)
    assert isinstance(await paying, Failed)
    await reaches(bench.ours, wanted.payment_hash, InvoiceState.CANCELLED)
    assert isinstance(await bench.ours.settle_invoice(wanted.preimage), Failed)


async def test_settling_and_cancelling_at_once_end_in_one_truth(bench):
    wanted, paying = await held(bench)
    settled, cancelled = await asyncio.gather(
        bench.ours.settle_invoice(wanted.preimage), bench.ours.cancel_invoice(wanted.payment_hash)
    )
    assert isinstance(settled, Done) != isinstance(cancelled, Done)
    state = InvoiceState.SETTLED if isinstance(settled, Done) else InvoiceState.CANCELLED
    await reaches(bench.ours, wanted.payment_hash, state)
    assert isinstance(await paying, Done) == (state is InvoiceState.SETTLED)


async def test_money_that_nobody_locked_cannot_be_taken(bench):
    if not bench.ours.capabilities.hold:
        pytest.skip("the backend cannot hold")
    wanted = terms(bench, hold=True)
    await issue(bench.ours, wanted)
    assert not isinstance(await bench.ours.settle_invoice(wanted.preimage), Done)
    assert not isinstance(await bench.ours.settle_invoice(secrets.token_bytes(32)), Done)
    assert not isinstance(await bench.ours.cancel_invoice(secrets.token_bytes(32)), Done)


async def test_a_cancelled_invoice_cannot_be_paid(bench):
    wanted = terms(bench)
    bolt11 = await issue(bench.ours, wanted)
    for _ in range(2):
        assert isinstance(await bench.ours.cancel_invoice(wanted.payment_hash), Done)
    await reaches(bench.ours, wanted.payment_hash, InvoiceState.CANCELLED)
    assert isinstance(await pay(bench.theirs, bolt11, wanted), Failed)


async def test_an_expired_invoice_ends_by_itself(bench):
    wanted = terms(bench, expiry_s=2)
    bolt11 = await issue(bench.ours, wanted)
    await bench.pass_time(4)
    await reaches(bench.ours, wanted.payment_hash, InvoiceState.CANCELLED)
    assert isinstance(await pay(bench.theirs, bolt11, wanted), Failed)


async def test_a_payment_of_ours_is_made_once_and_can_be_proved(bench):
    wanted = terms(bench)
    bolt11 = await issue(bench.theirs, wanted)
    before = (await bench.ours.balance()).value.spendable_msat
    for _ in range(2):
        outcome = await pay(bench.ours, bolt11, wanted)
        assert isinstance(outcome, Done), outcome
    report = outcome.value
    assert (report.payment_hash, report.preimage) == (wanted.payment_hash, wanted.preimage)
    assert report.amount_msat == wanted.amount_msat
    assert 0 <= report.fee_msat <= FEE_LIMIT_MSAT
    assert await bench.ours.look_up_payment(wanted.payment_hash) == outcome

    async def spent():
        return before - (await bench.ours.balance()).value.spendable_msat

    cost = wanted.amount_msat + report.fee_msat
    assert abs(await until(spent, lambda msat: msat >= cost - 1000) - cost) <= 1000


async def test_two_calls_at_once_pay_once(bench):
    wanted = terms(bench)
    bolt11 = await issue(bench.theirs, wanted)
    outcomes = await asyncio.gather(pay(bench.ours, bolt11, wanted), pay(bench.ours, bolt11, wanted))
    assert not any(isinstance(outcome, Failed) for outcome in outcomes)
    assert isinstance(await payment_ends(bench.ours, wanted.payment_hash), Done)
    report = await reaches(bench.theirs, wanted.payment_hash, InvoiceState.SETTLED)
    assert report.paid_msat == wanted.amount_msat


async def test_a_payment_that_was_never_sent_is_missing(bench):
    unknown = await bench.ours.look_up_payment(secrets.token_bytes(32))
    assert isinstance(unknown, Failed)
    assert unknown.code == "missing"


async def test_a_payment_that_cannot_be_made_fails_for_good(bench):
    wanted = terms(bench)
    bolt11 = await issue(bench.theirs, wanted)
    await bench.theirs.cancel_invoice(wanted.payment_hash)
    assert isinstance(await pay(bench.ours, bolt11, wanted), Failed)
    assert isinstance(await bench.ours.look_up_payment(wanted.payment_hash), Failed)
    for nonsense in ("", "lnbcrt1nonsense", bolt11[:-1] + ("q" if bolt11[-1] != "q" else "p")):
        assert isinstance(await pay(bench.ours, nonsense, wanted), Failed)


async def test_an_open_amount_is_filled_in(bench):
    if bench.open_amount_invoice is None:
        pytest.skip("the other side issues no invoice without an amount")
    wanted = terms(bench)
    bolt11 = await bench.open_amount_invoice()
    outcome = await pay(bench.ours, bolt11, wanted)
    assert isinstance(outcome, Done), outcome
    assert outcome.value.amount_msat == wanted.amount_msat


@pytest.mark.parametrize("take", [True, False])
async def test_what_the_payee_holds_is_unknown_until_it_ends(bench, take):
    wanted = terms(bench, hold=True)
    bolt11 = await issue(bench.theirs, wanted)
    assert isinstance(await pay(bench.ours, bolt11, wanted, timeout_s=2), Unknown)
    assert isinstance(await bench.ours.look_up_payment(wanted.payment_hash), Unknown)
    await reaches(bench.theirs, wanted.payment_hash, InvoiceState.ACCEPTED)
    if take:
        await bench.theirs.settle_invoice(wanted.preimage)
    else:
        await bench.theirs.cancel_invoice(wanted.payment_hash)
    outcome = await payment_ends(bench.ours, wanted.payment_hash)
    assert isinstance(outcome, Done if take else Failed)


async def _news(bench, reports, payment_hash, state):
    async with asyncio.timeout(PATIENCE_S):
        async for report in reports:
            if report.payment_hash == payment_hash and report.state is state:
                return report
    raise AssertionError("the watch ended")


async def test_the_watch_tells_of_every_step_and_recovers(bench):
    async with aclosing(bench.ours.watch()) as reports:
        plain = terms(bench)
        listening = asyncio.create_task(_news(bench, reports, plain.payment_hash, InvoiceState.SETTLED))
        await asyncio.sleep(0)
        await pay(bench.theirs, await issue(bench.ours, plain), plain)
        assert (await listening).paid_msat == plain.amount_msat
        await bench.interrupt()
        if not bench.ours.capabilities.hold or not bench.ours.capabilities.accepted_event:
            return
        wanted, paying = await held(bench)
        await _news(bench, reports, wanted.payment_hash, InvoiceState.ACCEPTED)
        await bench.ours.settle_invoice(wanted.preimage)
        await _news(bench, reports, wanted.payment_hash, InvoiceState.SETTLED)
        assert isinstance(await paying, Done)


async def test_a_hold_outlives_our_process(bench):
    wanted, _ = await held(bench)
    again = await bench.reopen()
    report = await reaches(again, wanted.payment_hash, InvoiceState.ACCEPTED)
    assert report.paid_msat == wanted.amount_msat
    assert isinstance(await again.settle_invoice(wanted.preimage), Done)
    await reaches(again, wanted.payment_hash, InvoiceState.SETTLED)
    assert isinstance(await payment_ends(bench.theirs, wanted.payment_hash), Done)
    await again.close()


async def test_balances_are_whole_and_not_negative(bench):
    balance = (await bench.ours.balance()).value
    for msat in (balance.spendable_msat, balance.receivable_msat):
        assert isinstance(msat, int)
        assert msat >= 0


async def test_a_rail_has_a_name_and_says_what_it_can(bench):
    assert bench.ours.name
    flags = bench.ours.capabilities
    assert all(
        isinstance(flag, bool) for flag in (flags.hold, flags.accepted_event, flags.description_hash, flags.msat)
    )
