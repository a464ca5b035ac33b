"""Write down what a rail says of an invoice: repeated, reordered and contradicting news end in one truth.

    drafted ──> open ──> accepted ──> settled
       │          │          │           ^
       └──────────┴──────────┴──> cancelled
                                  (money that arrives after all is still booked)

`settled` is the last word, since money came; `cancelled` gives way only to it. Everything older than what is known
is ignored. An accepted amount below the invoice's is never taken: it is given back.
"""

from __future__ import annotations

from commonwatt.kit.database import Work
from commonwatt.payments import bookings, store
from commonwatt.payments.effects import CancelInvoice
from commonwatt.payments.events import InvoiceAccepted, InvoiceCancelled, InvoiceSettled
from commonwatt.payments.ports import InvoiceReport, InvoiceState
from commonwatt.payments.reports import Decision, Invoice, Stage


def note_invoice(work: Work, rail_name: str, report: InvoiceReport) -> Invoice | None:
    """Take over a rail's report and return the invoice as it stands then; None when it is not ours.

    Idempotent. Emits InvoiceAccepted, InvoiceSettled or InvoiceCancelled on the step that happens; a settled invoice is
    booked in the same transaction: debit `rail:<name>`, credit the invoice's account.
    """
    payment_hash = report.payment_hash.hex()
    invoice = store.find_invoice(work.sql, payment_hash)
    if invoice is None or invoice.rail != rail_name:
        return None
    match report.state:
        case InvoiceState.OPEN:
            return invoice
        case InvoiceState.ACCEPTED:
            changed = _accept(work, invoice, report.paid_msat)
        case InvoiceState.SETTLED:
            changed = _settle(work, invoice, report.paid_msat)
        case InvoiceState.CANCELLED:
            changed = _cancel(work, invoice)
    if not changed:
        return invoice
    after = store.find_invoice(work.sql, payment_hash)
    if after is not None and after.state is not invoice.state:
        tell_invoice(work, after)
    return after


def tell_invoice(work: Work, invoice: Invoice) -> None:
    """Tell live pages how an invoice stands."""
    for topic in (invoice.subject, "overview"):
        work.tell(
            topic, "invoice", payment_hash=invoice.payment_hash, state=str(invoice.state), paid_msat=invoice.paid_msat
        )


def _accept(work: Work, invoice: Invoice, paid_msat: int) -> bool:
    if invoice.state is Stage.SETTLED:
        return False
    if invoice.state is Stage.CANCELLED or invoice.decision is Decision.CANCEL:
        work.request(CancelInvoice(invoice.payment_hash), key=f"cancel:{invoice.payment_hash}")
        return False
    if invoice.state is Stage.ACCEPTED:
        return False
    store.change_invoice(
        work.sql,
        invoice.payment_hash,
        state=Stage.ACCEPTED,
        paid_msat=paid_msat,
        accepted_ms=work.now.ms,
        checks=0,
        next_check_ms=work.now.plus(seconds=10).ms,
    )
    if paid_msat < invoice.amount_msat:
        store.change_invoice(work.sql, invoice.payment_hash, wish=Decision.CANCEL)
        work.request(CancelInvoice(invoice.payment_hash), key=f"cancel:{invoice.payment_hash}")
    else:
        work.emit(InvoiceAccepted(invoice.payment_hash, invoice.subject, paid_msat))
    return True


def _settle(work: Work, invoice: Invoice, paid_msat: int) -> bool:
    """Book what arrived; a rail that takes a second payment on one invoice has the difference booked too."""
    known = invoice.paid_msat if invoice.state is Stage.SETTLED else 0
    added = paid_msat - known
    if invoice.state is Stage.SETTLED and added <= 0:
        return False
    store.change_invoice(work.sql, invoice.payment_hash, state=Stage.SETTLED, paid_msat=paid_msat, ended_ms=work.now.ms)
    bookings.receive(work, invoice, added, known)
    work.emit(InvoiceSettled(invoice.payment_hash, invoice.subject, added))
    return True


def _cancel(work: Work, invoice: Invoice) -> bool:
    if invoice.final:
        return False
    store.change_invoice(work.sql, invoice.payment_hash, state=Stage.CANCELLED, ended_ms=work.now.ms)
    held = invoice.paid_msat if invoice.state is Stage.ACCEPTED else 0
    work.emit(InvoiceCancelled(invoice.payment_hash, invoice.subject, held))
    return True
