"""Money in: from the draft to the books, whatever order the news comes in."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from commonwatt.adapters.payment.sandbox import Fault
from commonwatt.books.errors import AccountUnknown
from commonwatt.payments import (
    Stage,
    cancel_invoice,
    capture_invoice,
    note_invoice,
    open_invoices,
    preimage_when_settled,
    watch_rail,
)
from commonwatt.payments.errors import NoSuchInvoice, NotHeld, RailUnavailable, WrongAmount
from commonwatt.payments.ports import Capabilities, InvoiceReport, InvoiceState
from commonwatt.protocols.bolt11 import decode


def report(invoice, state, paid_msat=0):
    return InvoiceReport(bytes.fromhex(invoice.payment_hash), state, paid_msat)


async def test_a_plain_payment_is_booked_once(world):
    invoice = await world.invoice(50_123)
    assert invoice.state is Stage.OPEN
    assert decode(invoice.bolt11).amount_msat == 50_123
    assert await world.database.read(preimage_when_settled, invoice.payment_hash) is None
    await world.pay(invoice)
    for _ in range(3):
        assert (await world.hear(invoice)).state is Stage.SETTLED
    assert await world.balance("session:1") == 50_123
    assert await world.balance("rail:sandbox") == 50_123
    assert await world.events() == [
        (
            "InvoiceSettled",
            {"payment_hash": invoice.payment_hash, "subject": "session/1", "amount_msat": 50_123},
        )
    ]
    preimage = await world.database.read(preimage_when_settled, invoice.payment_hash)
    assert hashlib.sha256(bytes.fromhex(preimage)).hexdigest() == invoice.payment_hash


async def test_the_invoice_commits_to_the_metadata(world):
    metadata = '[["text/plain","Charging"]]'
    invoice = await world.invoice(metadata=metadata)
    assert decode(invoice.bolt11).description_hash == hashlib.sha256(metadata.encode()).digest()


async def test_a_hold_is_taken_only_when_it_is_captured(world):
    invoice = await world.invoice(hold=True)
    await world.pay(invoice)
    await world.hear(invoice)
    await world.hear(invoice)
    assert await world.kinds() == ["InvoiceAccepted"]
    assert await world.balance("session:1") == 0
    for _ in range(2):
        await world.database.write(capture_invoice, invoice.payment_hash)
    await world.jobs.settle()
    assert await world.state(invoice) is Stage.SETTLED
    assert await world.kinds() == ["InvoiceAccepted", "InvoiceSettled"]
    assert await world.balance("session:1") == invoice.amount_msat


async def test_a_hold_that_is_cancelled_goes_back_whole(world):
    before = await world.network.balance_msat("phone")
    invoice = await world.invoice(hold=True)
    await world.pay(invoice)
    await world.hear(invoice)
    await world.database.write(cancel_invoice, invoice.payment_hash)
    await world.jobs.settle()
    assert await world.state(invoice) is Stage.CANCELLED
    assert await world.network.balance_msat("phone") == before
    assert (await world.events())[-1][1]["amount_msat"] == invoice.amount_msat
    with pytest.raises(NotHeld):
        await world.database.write(capture_invoice, invoice.payment_hash)


async def test_a_cancel_that_loses_the_race_is_settled_truthfully(world):
    invoice = await world.invoice()
    await world.pay(invoice)
    await world.database.write(cancel_invoice, invoice.payment_hash)
    await world.jobs.settle()
    assert await world.state(invoice) is Stage.SETTLED
    assert await world.balance("session:1") == invoice.amount_msat


async def test_what_is_being_given_back_is_not_captured_and_the_other_way_round(world):
    first, second = await world.invoice(hold=True), await world.invoice(hold=True)
    for invoice in (first, second):
        await world.pay(invoice)
        await world.hear(invoice)
    world.rail.faults.down = True
    await world.database.write(cancel_invoice, first.payment_hash)
    with pytest.raises(NotHeld):
        await world.database.write(capture_invoice, first.payment_hash)
    await world.database.write(capture_invoice, second.payment_hash)
    assert (await world.database.write(cancel_invoice, second.payment_hash)).decision == "settle"


@pytest.mark.parametrize("fault", [Fault.LOSE_REQUEST, Fault.LOSE_ANSWER, Fault.FAIL])
async def test_a_capture_whose_answer_is_lost_is_repeated_until_it_is_known(world, fault):
    invoice = await world.invoice(hold=True)
    await world.pay(invoice)
    await world.hear(invoice)
    world.rail.faults.plan("settle_invoice", fault)
    await world.database.write(capture_invoice, invoice.payment_hash)
    for _ in range(3):
        await world.jobs.settle()
        world.clock.step(seconds=60)
    assert await world.state(invoice) is Stage.SETTLED
    assert await world.balance("session:1") == invoice.amount_msat


async def test_too_little_is_never_taken(world):
    invoice = await world.invoice(hold=True)
    await world.pay(invoice)
    short = report(invoice, InvoiceState.ACCEPTED, invoice.amount_msat - 1)
    assert (await world.database.write(note_invoice, "sandbox", short)).decision == "cancel"
    await world.jobs.settle()
    assert await world.state(invoice) is Stage.CANCELLED
    assert await world.kinds() == ["InvoiceCancelled"]


async def test_too_much_is_credited_in_full(world):
    invoice = await world.invoice()
    await world.database.write(note_invoice, "sandbox", report(invoice, InvoiceState.SETTLED, 2 * invoice.amount_msat))
    assert await world.balance("session:1") == 2 * invoice.amount_msat


async def test_a_second_payment_on_one_invoice_is_booked_on_top(world):
    invoice = await world.invoice()
    for paid in (50_000, 50_000, 80_000, 80_000, 50_000):
        await world.database.write(note_invoice, "sandbox", report(invoice, InvoiceState.SETTLED, paid))
    assert await world.balance("session:1") == 80_000
    assert [fields["amount_msat"] for _, fields in await world.events()] == [50_000, 30_000]


async def test_reordered_news_never_go_backwards(world):
    invoice = await world.invoice(hold=True)
    states = [InvoiceState.SETTLED, InvoiceState.ACCEPTED, InvoiceState.OPEN, InvoiceState.CANCELLED]
    for state in states:
        await world.database.write(note_invoice, "sandbox", report(invoice, state, 50_000))
    assert await world.state(invoice) is Stage.SETTLED
    assert await world.kinds() == ["InvoiceSettled"]


async def test_money_that_is_locked_after_the_cancel_is_given_back_again(world):
    invoice = await world.invoice(hold=True)
    await world.pay(invoice)
    await world.database.write(note_invoice, "sandbox", report(invoice, InvoiceState.CANCELLED))
    await world.hear(invoice)
    await world.jobs.settle()
    lookup = await world.network.look_up_invoice("us", bytes.fromhex(invoice.payment_hash))
    assert lookup.value.state is InvoiceState.CANCELLED


async def test_a_payment_that_shows_up_after_the_expiry_is_booked(world):
    invoice = await world.invoice(expiry_s=60)
    await world.pay(invoice)
    world.clock.step(seconds=3600)
    await world.hear(invoice)
    assert [name for name, _ in await world.events()] == ["InvoiceSettled"]
    assert await world.balance("session:1") == invoice.amount_msat


async def test_news_about_foreign_invoices_are_ignored(world):
    invoice = await world.invoice()
    foreign = InvoiceReport(b"\x07" * 32, InvoiceState.SETTLED, 1)
    assert await world.database.write(note_invoice, "sandbox", foreign) is None
    assert await world.database.write(note_invoice, "other", report(invoice, InvoiceState.SETTLED, 50_000)) is None
    assert await world.state(invoice) is Stage.OPEN


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.LOSE_REQUEST, Fault.LOSE_ANSWER])
async def test_no_invoice_leaves_a_draft_that_is_closed_later(world, fault):
    world.rail.faults.plan("create_invoice", fault)
    with pytest.raises(RailUnavailable):
        await world.invoice()
    assert len(await world.database.read(open_invoices, "session/1")) == 1
    world.clock.step(seconds=60)
    await world.reconciler.step()
    await world.jobs.settle()
    assert await world.database.read(open_invoices, "session/1") == []
    assert await world.kinds() == ["InvoiceCancelled"]


async def test_a_rail_without_hold_and_msat_gets_what_it_can_do(world):
    world.rail.capabilities = Capabilities(hold=False, accepted_event=False, description_hash=False, msat=False)
    invoice = await world.invoice(50_001, hold=True, metadata="[]")
    assert not invoice.hold
    assert invoice.amount_msat == 51_000
    assert decode(invoice.bolt11).description == "Charging"


async def test_what_cannot_be_asked_for_is_refused_before_anything_is_stored(world):
    with pytest.raises(WrongAmount):
        await world.invoice(0)
    with pytest.raises(AccountUnknown):
        await world.invoice(account="nonsense:1")
    assert await world.database.read(open_invoices, "session/1") == []


async def test_a_long_description_is_cut_between_letters(world):
    invoice = await world.invoice()
    from commonwatt.payments import request_invoice

    invoice = await request_invoice(
        world.database, world.rail, subject="s", account="session:1", amount_msat=1, description="ü" * 400
    )
    assert decode(invoice.bolt11).description == "ü" * 319


async def test_an_unknown_invoice_is_missing(world):
    for action in (capture_invoice, cancel_invoice):
        with pytest.raises(NoSuchInvoice):
            await world.database.write(action, "00" * 32)


async def test_the_stream_feeds_the_invoices_and_survives_a_break(world):
    broken = asyncio.Event()
    watch = world.rail.watch

    async def breaks():
        if not broken.is_set():
            broken.set()
            raise ConnectionError
        async for item in watch():
            yield item

    world.rail.watch = breaks
    from commonwatt.payments import reconcile

    reconcile_after, reconcile.RECONNECT_S = reconcile.RECONNECT_S, 0
    task = asyncio.create_task(watch_rail(world.database, world.rail))
    await asyncio.wait_for(broken.wait(), 5)
    invoice = await world.invoice(hold=True)
    await world.pay(invoice)
    async with asyncio.timeout(5):
        while await world.state(invoice) is not Stage.ACCEPTED:  # noqa: ASYNC110 (the stream tells nobody else)
            await asyncio.sleep(0)
    reconcile.RECONNECT_S = reconcile_after
    task.cancel()


async def test_a_settled_invoice_of_nothing_is_not_booked(world):
    invoice = await world.invoice()
    zero = replace(report(invoice, InvoiceState.SETTLED), paid_msat=0)
    await world.database.write(note_invoice, "sandbox", zero)
    assert await world.balance("session:1") == 0
