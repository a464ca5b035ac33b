"""Money out: reserved at once, paid once, given back only when it is certain that nothing was sent."""

import pytest

from commonwatt.adapters.payment.sandbox import Fault
from commonwatt.books import Entry, available, post
from commonwatt.books.errors import Overdrawn
from commonwatt.kernel import BTC, Amount
from commonwatt.payments import PayoutState, pay_out, payout_of
from commonwatt.payments.errors import (
    AlreadyPaying,
    InvoiceExpired,
    KeyReused,
    OwnInvoice,
    UnreadableInvoice,
    WrongAmount,
    WrongNetwork,
)


@pytest.fixture
async def funded(world):
    def fund(work):
        entries = [Entry("rail:sandbox", Amount(BTC, 100_000)), Entry("session:1", Amount(BTC, -100_000))]
        post(work, "fund", entries, "prepaid")

    await world.database.write(fund)
    return world


async def ask(world, bolt11, key="change:1", amount_msat=20_000, **more):
    return await world.database.write(
        pay_out,
        **{
            "key": key,
            "bolt11": bolt11,
            "amount_msat": amount_msat,
            "account": "session:1",
            "subject": "session/1",
            "rail_name": "sandbox",
            "fee_limit_msat": 1_000,
            **more,
        },
    )


async def available_msat(world):
    return (await world.database.read(available, "session:1")).units


async def after(world, payout, minutes=0):
    for _ in range(minutes):
        await world.jobs.settle()
        world.clock.step(seconds=60)
        await world.reconciler.step()
    await world.jobs.settle()
    return await world.database.read(payout_of, payout.id)


async def test_a_payout_is_reserved_paid_and_booked_with_its_fee(funded):
    payout = await ask(funded, await funded.their_invoice())
    assert payout.state is PayoutState.PENDING
    assert await available_msat(funded) == 80_000
    done = await after(funded, payout)
    assert (done.state, done.fee_msat) == (PayoutState.DONE, 21)
    assert await funded.balance("session:1") == 80_000
    assert await funded.balance("fees") == 21
    assert await funded.balance("rail:sandbox") == 100_000 - 20_021
    assert await funded.network.balance_msat("phone") == 500_020_000
    assert await funded.kinds() == ["PayoutDone"]


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
async def test_an_unknown_payment_is_looked_up_and_never_made_twice(funded, fault):
    funded.rail.faults.plan("pay", fault)
    funded.rail.faults.plan("look_up_payment", Fault.LOSE_ANSWER, times=2)
    payout = await ask(funded, await funded.their_invoice())
    done = await after(funded, payout, minutes=6)
    assert done.state is PayoutState.DONE
    assert await funded.network.balance_msat("phone") == 500_020_000
    assert await funded.kinds() == ["PayoutDone"]


async def test_a_failed_payment_is_given_back(funded):
    payout = await ask(funded, await funded.their_invoice(), fee_limit_msat=20)
    done = await after(funded, payout)
    assert done.state is PayoutState.FAILED
    assert "limit" in done.reason
    assert await available_msat(funded) == 100_000
    assert await funded.kinds() == ["PayoutFailed"]


async def test_a_failed_invoice_may_be_tried_again_under_another_key(funded):
    bolt11 = await funded.their_invoice()
    await after(funded, await ask(funded, bolt11, fee_limit_msat=20))
    done = await after(funded, await ask(funded, bolt11, key="change:1:again"))
    assert done.state is PayoutState.DONE


async def test_the_same_key_pays_once_and_another_content_is_refused(funded):
    bolt11 = await funded.their_invoice()
    first = await ask(funded, bolt11)
    assert (await ask(funded, bolt11.upper())).id == first.id
    await after(funded, first)
    assert (await ask(funded, bolt11)).state is PayoutState.DONE
    with pytest.raises(KeyReused):
        await ask(funded, await funded.their_invoice(seed=2))
    with pytest.raises(AlreadyPaying):
        await ask(funded, bolt11, key="another")
    assert await funded.network.balance_msat("phone") == 500_020_000


async def test_a_payment_that_the_payee_holds_stays_unknown_until_it_ends(funded, monkeypatch):
    monkeypatch.setattr("commonwatt.payments.jobs.PAY_TIMEOUT_S", 0)
    bolt11 = await funded.their_invoice(hold=True)
    payout = await ask(funded, bolt11)
    waiting = await after(funded, payout, minutes=3)
    assert waiting.state is PayoutState.PENDING
    assert "holds" in waiting.reason
    assert await available_msat(funded) == 80_000
    await funded.network.settle("phone", bytes([1]) * 32)
    assert (await after(funded, payout, minutes=2)).state is PayoutState.DONE


async def test_a_rail_that_was_never_reached_gives_up_after_the_expiry(funded):
    payout = await ask(funded, await funded.their_invoice(expiry_s=120))
    funded.rail.faults.down = True
    await after(funded, payout, minutes=5)
    funded.rail.faults.clear()
    done = await after(funded, payout, minutes=2)
    assert done.state is PayoutState.FAILED
    assert await available_msat(funded) == 100_000


async def test_an_account_never_pays_out_more_than_it_has(funded):
    await ask(funded, await funded.their_invoice(60_000), amount_msat=60_000)
    with pytest.raises(Overdrawn):
        await ask(funded, await funded.their_invoice(60_000, seed=2), amount_msat=60_000, key="change:2")


async def test_an_invoice_without_amount_gets_the_amount_that_is_due(funded):
    done = await after(funded, await ask(funded, await funded.their_invoice(any_amount=True), amount_msat=12_345))
    assert done.state is PayoutState.DONE
    assert await funded.network.balance_msat("phone") == 500_012_345


async def test_what_cannot_be_paid_is_refused_with_its_reason(funded):
    own = await funded.invoice()
    good = await funded.their_invoice()
    mainnet = "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpuaztrnwngzn3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspfj9srp"  # noqa: E501
    cases = [
        ("lnbcrt1nonsense", 20_000, UnreadableInvoice),
        ("x" * 100_000, 20_000, UnreadableInvoice),
        (good[:-1] + ("q" if good[-1] != "q" else "p"), 20_000, UnreadableInvoice),
        (mainnet, 250_000_000, WrongNetwork),
        (good, 20_001, WrongAmount),
        (good, -1, WrongAmount),
        (own.bolt11, own.amount_msat, OwnInvoice),
    ]
    for bolt11, amount_msat, error in cases:
        with pytest.raises(error):
            await ask(funded, bolt11, amount_msat=amount_msat)
    funded.clock.step(seconds=595)
    with pytest.raises(InvoiceExpired):
        await ask(funded, good)
    assert await available_msat(funded) == 100_000
