"""The play world: money is conserved, faults come as planned, a crash loses nothing that was answered."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonwatt.adapters.payment.sandbox import Fault, Faults, Fees, SandboxNetwork, SandboxRail
from commonwatt.kernel import Done, Failed, RandomIds, SeededIds, Unknown
from commonwatt.kit.clock import SteppedClock
from commonwatt.payments.ports import InvoiceState, InvoiceTerms
from commonwatt.protocols.bolt11 import decode

MAINNET = (
    "lnbc2500u1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpuaztrnwngzn"
    "3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspfj9srp"
)


def terms(number, amount_msat=1000, *, hold=False, expiry_s=600):
    return InvoiceTerms(bytes([number]) * 32, amount_msat, "x", None, expiry_s, hold)


steps = st.lists(
    st.tuples(
        st.sampled_from(["issue", "hold", "pay", "settle", "cancel", "day"]),
        st.integers(1, 5),
        st.sampled_from(["a", "b", "c"]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_money_is_conserved_whatever_happens(steps):
    async def run():
        clock = SteppedClock()
        network = SandboxNetwork(None, clock, SeededIds(1), fees=Fees(1, 5000))
        for node in "abc":
            await network.add_node(node, 3000)
        for verb, number, node in steps:
            wanted = terms(number, 700 * number, hold=verb == "hold")
            if verb in {"issue", "hold"}:
                await network.issue(node, wanted)
            elif verb == "pay":
                issued = [await network.issue(each, terms(number, 700 * number)) for each in "abc"]
                bolt11 = next(outcome.value.bolt11 for outcome in issued if isinstance(outcome, Done))
                await network.pay(node, bolt11, amount_msat=700 * number, fee_limit_msat=99, timeout_s=0)
            elif verb == "settle":
                await network.settle(node, wanted.preimage)
            elif verb == "cancel":
                await network.cancel(node, wanted.payment_hash)
            else:
                clock.step(seconds=90_000)
                await network.look_up_invoice(node, wanted.payment_hash)
            assert await network.conserved()
            assert min([await network.balance_msat(each) for each in "abc"]) >= 0
        network.close()

    asyncio.run(run())


@pytest.fixture
async def network(clock):
    network = SandboxNetwork(None, clock, SeededIds(3), fees=Fees(base_msat=10, ppm=1000))
    for node in ("us", "them"):
        await network.add_node(node, 1_000_000)
    yield network
    assert await network.conserved()
    network.close()


async def pay(network, bolt11, amount_msat=1000, **more):
    wanted = {"amount_msat": amount_msat, "fee_limit_msat": 100, "timeout_s": 0, **more}
    return await network.pay("them", bolt11, **wanted)


async def test_invoices_are_for_regtest_and_signed_by_their_node(network):
    first = decode((await network.issue("us", terms(1))).value.bolt11)
    second = decode((await network.issue("us", terms(2))).value.bolt11)
    other = decode((await network.issue("them", terms(3))).value.bolt11)
    assert first.network == "bcrt"
    assert first.payee == second.payee != other.payee


async def test_fees_are_paid_by_the_payer_and_limited(network):
    bolt11 = (await network.issue("us", terms(1))).value.bolt11
    assert "limit" in (await pay(network, bolt11, fee_limit_msat=10)).reason
    outcome = await pay(network, bolt11)
    assert outcome.value.fee_msat == 11
    assert await network.balance_msat("them") == 1_000_000 - 1011


async def test_a_forgotten_hold_goes_back_after_a_day(network, clock):
    bolt11 = (await network.issue("us", terms(1, hold=True))).value.bolt11
    assert isinstance(await pay(network, bolt11), Unknown)
    clock.step(seconds=24 * 3600 + 1)
    assert (await network.look_up_invoice("us", terms(1).payment_hash)).value.state is InvoiceState.CANCELLED
    assert isinstance(await network.settle("us", terms(1).preimage), Failed)
    assert await network.balance_msat("them") == 1_000_000


@pytest.mark.parametrize(
    ("bolt11", "reason"),
    [
        ("nonsense", "no invoice"),
        (
            MAINNET,
            "network bc",
        ),
    ],
)
async def test_foreign_invoices_are_not_paid(network, bolt11, reason):
    assert reason in (await pay(network, bolt11)).reason


async def test_nobody_pays_himself_or_what_nobody_issued(network):
    own = (await network.issue("them", terms(1))).value.bolt11
    assert "own" in (await pay(network, own)).reason
    elsewhere = SandboxNetwork(None, network.clock, SeededIds(8))
    await elsewhere.add_node("us")
    assert "no route" in (await pay(network, (await elsewhere.issue("us", terms(2))).value.bolt11)).reason
    assert isinstance(await network.issue("us", terms(1)), Failed)


async def test_faults_come_as_planned_and_go_when_healed(network):
    rail = SandboxRail(network, "us", faults=Faults())
    for fault, kind in [(Fault.FAIL, Failed), (Fault.LOSE_REQUEST, Unknown), (Fault.LOSE_ANSWER, Unknown)]:
        rail.faults.plan("create_invoice", fault)
        assert isinstance(await rail.create_invoice(terms(1)), kind)
        heard = isinstance(await rail.look_up_invoice(terms(1).payment_hash), Done)
        assert heard == (fault is Fault.LOSE_ANSWER)
    rail.faults.down = True
    rail.faults.delay_ms = 1
    assert isinstance(await rail.balance(), Unknown)
    rail.faults.clear()
    assert isinstance(await rail.balance(), Done)


async def test_dropped_news_are_lost_and_others_arrive(network):
    rail = SandboxRail(network, "us", faults=Faults())
    rail.faults.drop.add(InvoiceState.ACCEPTED)
    bolt11 = (await rail.create_invoice(terms(1, hold=True))).value.bolt11
    news = rail.watch()
    waiting = asyncio.create_task(anext(news))
    await asyncio.sleep(0)
    await pay(network, bolt11)
    await rail.settle_invoice(terms(1).preimage)
    assert (await waiting).state is InvoiceState.SETTLED
    await news.aclose()


async def test_a_world_on_disk_survives_its_process(tmp_path, clock):
    path = tmp_path / "sandbox.db"
    first = SandboxNetwork(path, clock, RandomIds())
    for node in ("us", "them"):
        await first.add_node(node, 1_000_000)
    bolt11 = (await first.issue("us", terms(1, hold=True))).value.bolt11
    await pay(first, bolt11)
    again = SandboxNetwork(path, clock, RandomIds())
    await again.add_node("us", 5)
    assert (await again.look_up_invoice("us", terms(1).payment_hash)).value.state is InvoiceState.ACCEPTED
    await again.settle("us", terms(1).preimage)
    assert await again.balance_msat("us") == 1_001_000
    assert await again.conserved()
    first.close()
    again.close()
