"""A payment that arrived, whose answer was lost, of a node that then lost its past: never paid a second time unseen."""

import pytest
from sqlalchemy import select

from commonwatt.adapters.payment.sandbox import Fault
from commonwatt.books import Entry, available, post
from commonwatt.kernel import BTC, Amount, Done, Failed
from commonwatt.members import TERMINAL
from commonwatt.members.store import audit
from commonwatt.payments import PayoutState, any_doubtful, pay_out, payout_of
from commonwatt.payments.actions.decide_payout import confirm_payout, give_payout_back
from commonwatt.payments.errors import NoSuchPayout, NotDoubtful
from commonwatt.payments.ports import REFUSED_BY_PAYEE

PAID = {
    "key": "change:1",
    "amount_msat": 20_000,
    "account": "session:1",
    "subject": "session/1",
    "rail_name": "sandbox",
    "fee_limit_msat": 1_000,
}


@pytest.fixture
async def funded(world):
    entries = [Entry("rail:sandbox", Amount(BTC, 100_000)), Entry("session:1", Amount(BTC, -100_000))]
    await world.database.write(lambda work: post(work, "fund", entries, "prepaid") and None)
    return world


async def read(world, payout):
    return await world.database.read(payout_of, payout.id)


async def left_msat(world):
    return (await world.database.read(available, "session:1")).units


async def again(world, payout, rounds=1):
    """Ask the rail again, as often."""
    for _ in range(rounds):
        world.clock.step(seconds=120)
        await world.reconciler.step()
        await world.jobs.settle()
    return await read(world, payout)


async def lost(world):
    """Pay, lose the answer, and lose the node's past before it is asked."""
    world.rail.faults.plan("pay", Fault.LOSE_ANSWER)
    payout = await world.database.write(pay_out, bolt11=await world.their_invoice(expiry_s=3600), **PAID)
    await world.jobs.settle()
    assert (await read(world, payout)).state is PayoutState.PENDING
    await world.forget_payments()
    return payout


@pytest.fixture
async def doubtful(funded):
    payout = await again(funded, await lost(funded))
    assert payout.state is PayoutState.DOUBTFUL
    return payout


async def test_what_arrived_before_the_node_forgot_it_is_not_owed_again(funded, doubtful):
    later = await again(funded, doubtful, rounds=5)
    assert later.state is PayoutState.DOUBTFUL, "nor once the node says that the second one failed"
    assert "perhaps the first one arrived" in later.reason
    assert await left_msat(funded) == 80_000
    assert await funded.network.balance_msat("phone") == 500_020_000
    assert await funded.kinds() == []
    assert await funded.database.read(any_doubtful)


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
async def test_the_refusal_may_be_heard_late(funded, fault):
    payout = await lost(funded)
    funded.rail.faults.plan("pay", fault)
    assert (await again(funded, payout)).state in {PayoutState.RESENT, PayoutState.DOUBTFUL}
    assert (await again(funded, payout)).state is PayoutState.DOUBTFUL
    assert await funded.kinds() == []


async def test_a_node_that_finds_its_past_ends_the_doubt(funded, doubtful, monkeypatch):
    await funded.forget_payments()
    assert (await again(funded, doubtful)).state is PayoutState.DOUBTFUL, "it is not sent a third time"
    assert isinstance(await funded.rail.look_up_payment(bytes.fromhex(doubtful.payment_hash)), Failed)
    report = {"payment_hash": bytes.fromhex(doubtful.payment_hash), "preimage": bytes([1]) * 32}

    async def found(_payment_hash):
        from commonwatt.payments.ports import PaymentReport

        return Done(PaymentReport(**report, amount_msat=20_000, fee_msat=21))

    monkeypatch.setattr(funded.rail, "look_up_payment", found)
    done = await again(funded, doubtful)
    assert (done.state, done.fee_msat) == (PayoutState.DONE, 21)
    assert await funded.kinds() == ["PayoutDone"]


async def test_a_first_try_that_the_payee_refuses_is_given_back(funded):
    bolt11 = await funded.their_invoice()
    await funded.network.cancel("phone", (await funded.database.read(lambda _: bytes.fromhex(hash_of(bolt11)))))
    payout = await funded.database.write(pay_out, bolt11=bolt11, **PAID)
    await funded.jobs.settle()
    refused = await funded.rail.look_up_payment(bytes.fromhex(payout.payment_hash))
    assert (refused.code, (await read(funded, payout)).state) == (REFUSED_BY_PAYEE, PayoutState.FAILED)
    assert await left_msat(funded) == 100_000


def hash_of(bolt11):
    from commonwatt.protocols.bolt11 import decode

    return decode(bolt11).payment_hash.hex()


async def test_one_that_is_sent_again_and_finds_no_way_is_given_back(funded):
    funded.rail.faults.plan("pay", Fault.LOSE_REQUEST)
    payout = await funded.database.write(pay_out, bolt11=await funded.their_invoice(), **{**PAID, "fee_limit_msat": 20})
    await funded.jobs.settle()
    failed = await again(funded, payout)
    assert (failed.state, "limit" in failed.reason) == (PayoutState.FAILED, True)


async def acts(world):
    query = select(audit.c.actor, audit.c.act, audit.c.subject)
    return [tuple(row) for row in await world.database.read(lambda sql: sql.execute(query).all())]


async def test_a_person_says_that_it_arrived(funded, doubtful):
    done = await funded.database.write(confirm_payout, doubtful.id, actor=TERMINAL)
    assert (done.state, done.fee_msat) == (PayoutState.DONE, 0)
    assert await funded.balance("session:1") == 80_000
    assert await funded.kinds() == ["PayoutDone"]
    assert await acts(funded) == [("terminal", "confirm payout", f"payout/{doubtful.id}")]
    assert (await again(funded, doubtful)).state is PayoutState.DONE
    assert not await funded.database.read(any_doubtful)


async def test_a_person_says_that_it_did_not_arrive(funded, doubtful):
    failed = await funded.database.write(give_payout_back, doubtful.id, actor=TERMINAL)
    assert failed.state is PayoutState.FAILED
    assert await left_msat(funded) == 100_000
    assert await funded.kinds() == ["PayoutFailed"]
    assert await acts(funded) == [("terminal", "give payout back", f"payout/{doubtful.id}")]
    with pytest.raises(NotDoubtful):
        await funded.database.write(confirm_payout, doubtful.id, actor=TERMINAL)


async def test_nobody_decides_about_what_can_be_found_out(funded):
    payout = await lost(funded)
    for decide in (confirm_payout, give_payout_back):
        with pytest.raises(NotDoubtful):
            await funded.database.write(decide, payout.id, actor=TERMINAL)
        with pytest.raises(NoSuchPayout):
            await funded.database.write(decide, "none", actor=TERMINAL)
    assert await acts(funded) == []
