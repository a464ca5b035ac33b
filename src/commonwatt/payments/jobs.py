"""What is asked of the rails, one handler per effect: repeated until the end is known, harmless when repeated.

A payout goes out like this; `tried` is on disk before the rail is asked, so a crash at any point is safe:

    asked before? ──no──> mark tried ──> rail.pay ──> Done: book │ Failed: give back │ Unknown: ask again later
         └─────yes──> rail.look_up_payment ──> Done, Failed, Unknown as above
                                          └──> missing: it was never sent, so send it (give back once it expired)

A node that lost its past (payments deleted, restored from a backup, replaced) says "missing" of what it did send. The
payee turns the second one away then, because its invoice is paid; so that refusal is no proof that nothing arrived, and
the payout waits, doubtful, for a person. From then on it is only looked up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from commonwatt.kernel import Done, Failed, Outcome, Unknown
from commonwatt.kit.database import Database, Lane
from commonwatt.payments import store
from commonwatt.payments.actions.note_invoice import note_invoice
from commonwatt.payments.actions.pay_out import fail_payout, finish_payout, mark_tried, note_unknown
from commonwatt.payments.effects import CancelInvoice, SendPayment, SettleInvoice
from commonwatt.payments.ports import REFUSED_BY_PAYEE, InvoiceReport, InvoiceState, PaymentReport, Rail
from commonwatt.payments.reports import Invoice, Payout, PayoutState, Stage

SETTLING_MAX, SENDING_MAX = 16, 16
"""So many invoices are settled or cancelled, and payments sent, at once: one node answers them all."""
PAY_TIMEOUT_S = 60
PATIENCE_S = 3
"""A job waits so long for a payment and then comes back later: a payee that holds it must hold up nobody else."""
GRACE_MS = 60_000
"""So long after an invoice expired, a payment that was never sent is given up."""


class Performer:
    """Performs the effects of payments over the rails of this process."""

    def __init__(self, database: Database, rails: Mapping[str, Rail]) -> None:
        """Take the rails by name."""
        self._database = database
        self._rails = rails
        self._paying: dict[str, asyncio.Task[Outcome[None]]] = {}

    def lanes(self) -> tuple[Lane, ...]:
        """Return who performs what for `Jobs`. A payment may hang for a day: nothing waits behind it."""
        return (
            Lane({SettleInvoice: self.settle, CancelInvoice: self.cancel}, SETTLING_MAX),
            Lane({SendPayment: self.send}, SENDING_MAX),
        )

    async def settle(self, effect: SettleInvoice) -> Outcome[None]:
        """Take locked money; when the rail says that it is gone, write that down instead."""
        invoice = await self._database.read(store.find_invoice, effect.payment_hash)
        if invoice is None or invoice.final:
            return Done(None)
        rail = self._rails.get(invoice.rail)
        preimage = await self._database.read(store.invoice_preimage, effect.payment_hash)
        if rail is None or preimage is None:
            return Unknown(f"the rail {invoice.rail} is not configured")
        match await rail.settle_invoice(preimage):
            case Done():
                return await self._note(rail, invoice, InvoiceState.SETTLED, invoice.paid_msat)
            case Failed():
                return await self.check(rail, invoice)
            case Unknown(reason):
                return Unknown(reason)

    async def cancel(self, effect: CancelInvoice) -> Outcome[None]:
        """Give locked money back; when the payer was faster, the settled invoice is booked truthfully."""
        invoice = await self._database.read(store.find_invoice, effect.payment_hash)
        if invoice is None or invoice.state is Stage.SETTLED:
            return Done(None)
        rail = self._rails.get(invoice.rail)
        if rail is None:
            return Unknown(f"the rail {invoice.rail} is not configured")
        match await rail.cancel_invoice(bytes.fromhex(invoice.payment_hash)):
            case Done():
                return await self._note(rail, invoice, InvoiceState.CANCELLED, 0)
            case Failed():
                return await self.check(rail, invoice)
            case Unknown(reason):
                return Unknown(reason)

    async def check(self, rail: Rail, invoice: Invoice) -> Outcome[None]:
        """Look an invoice up and write down what the rail says; one that it never heard of is closed."""
        payment_hash = bytes.fromhex(invoice.payment_hash)
        match await rail.look_up_invoice(payment_hash):
            case Done(report):
                after = await self._database.write(note_invoice, rail.name, report)
                settled = after is None or after.final or after.decision is None
                return Done(None) if settled else Unknown(f"the rail says {report.state}")
            case Failed(code="missing"):
                return await self._note(rail, invoice, InvoiceState.CANCELLED, 0)
            case Failed(reason, _) | Unknown(reason):
                return Unknown(reason)

    async def send(self, effect: SendPayment) -> Outcome[None]:
        """Pay, or find out how an earlier attempt ended; a payment that takes its time goes on by itself."""
        task = self._paying.get(effect.payout_id)
        if task is None:
            task = asyncio.create_task(self._carry(effect.payout_id), name=f"payout {effect.payout_id}")
            self._paying[effect.payout_id] = task
            task.add_done_callback(lambda _done: self._paying.pop(effect.payout_id, None))
        ended, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
        return task.result() if ended else Unknown("the payment is on its way")

    async def close(self) -> None:
        """Let go of payments that are under way; the next start looks up how they ended."""
        under_way = list(self._paying.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _carry(self, payout_id: str) -> Outcome[None]:
        payout = await self._database.read(store.find_payout, payout_id)
        if payout is None or payout.final:
            return Done(None)
        rail = self._rails.get(payout.rail)
        if rail is None:
            return Unknown(f"the rail {payout.rail} is not configured")
        outcome = await self._attempt(rail, payout)
        return await self._end(payout.id, outcome)

    async def _attempt(self, rail: Rail, payout: Payout) -> Outcome[PaymentReport]:
        if payout.tried:
            known = await rail.look_up_payment(bytes.fromhex(payout.payment_hash))
            if payout.state is PayoutState.DOUBTFUL or not (isinstance(known, Failed) and known.code == "missing"):
                return known
        if self._database.clock.now().since(payout.expires) > (GRACE_MS if payout.tried else 0):
            return Failed("the invoice expired before it could be paid", "expired")
        await self._database.write(mark_tried, payout.id)
        return await rail.pay(
            payout.bolt11,
            amount_msat=payout.amount_msat,
            fee_limit_msat=payout.fee_limit_msat,
            timeout_s=PAY_TIMEOUT_S,
        )

    async def _end(self, payout_id: str, outcome: Outcome[PaymentReport]) -> Outcome[None]:
        match outcome:
            case Done(report):
                await self._database.write(finish_payout, payout_id, report)
                return Done(None)
            case Failed(reason, code):
                refused = code == REFUSED_BY_PAYEE
                payout = await self._database.write(fail_payout, payout_id, reason, refused=refused)
                return Done(None) if payout.final else Unknown(payout.reason or reason)
            case Unknown(reason):
                await self._database.write(note_unknown, payout_id, reason)
                return Unknown(reason)

    async def _note(self, rail: Rail, invoice: Invoice, state: InvoiceState, paid_msat: int) -> Outcome[None]:
        report = InvoiceReport(bytes.fromhex(invoice.payment_hash), state, paid_msat)
        await self._database.write(note_invoice, rail.name, report)
        return Done(None)
