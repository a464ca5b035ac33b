"""Decide about locked money: take it or give it back; the decision is stored, a job tells the rail."""

from __future__ import annotations

from commonwatt.kit.database import Work
from commonwatt.payments import store
from commonwatt.payments.effects import CancelInvoice, SettleInvoice
from commonwatt.payments.errors import NotHeld
from commonwatt.payments.queries import invoice_of
from commonwatt.payments.reports import Decision, Invoice, Stage


def capture_invoice(work: Work, payment_hash: str) -> Invoice:
    """Take the money of an accepted hold invoice; InvoiceSettled follows when the rail has done it.

    Settled already, or asked before: nothing more happens. Raises NotHeld when nothing is locked or it is being given
    back, and NoSuchInvoice.
    """
    invoice = invoice_of(work.sql, payment_hash)
    if invoice.state is Stage.SETTLED or invoice.decision is Decision.SETTLE:
        return invoice
    if invoice.state is not Stage.ACCEPTED or invoice.decision is Decision.CANCEL:
        raise NotHeld(
            "This invoice holds no money that could be taken: it was not paid yet, or it is being given back.",
            payment_hash=payment_hash,
            state=str(invoice.state),
        )
    return _decide(work, invoice, Decision.SETTLE)


def cancel_invoice(work: Work, payment_hash: str) -> Invoice:
    """Give locked money back, or make an open invoice unpayable; InvoiceCancelled follows when the rail has done it.

    Final already, asked before, or being captured: nothing more happens, and the returned invoice says so. When the
    payer was faster, InvoiceSettled follows instead. Raises NoSuchInvoice.
    """
    invoice = invoice_of(work.sql, payment_hash)
    if invoice.final or invoice.decision is not None:
        return invoice
    return _decide(work, invoice, Decision.CANCEL)


def ask_again(work: Work, invoice: Invoice) -> None:
    """Request the effect of a decision; a no-op while its job waits."""
    match invoice.decision:
        case Decision.SETTLE:
            work.request(SettleInvoice(invoice.payment_hash), key=f"settle:{invoice.payment_hash}")
        case Decision.CANCEL:
            work.request(CancelInvoice(invoice.payment_hash), key=f"cancel:{invoice.payment_hash}")
        case None:
            return


def _decide(work: Work, invoice: Invoice, decision: Decision) -> Invoice:
    store.change_invoice(work.sql, invoice.payment_hash, wish=decision)
    decided = invoice_of(work.sql, invoice.payment_hash)
    ask_again(work, decided)
    return decided
