"""What happened to invoices and payouts; amounts in msat, hashes and ids as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from commonwatt.kit.database import Event


@dataclass(frozen=True, slots=True)
class InvoiceAccepted(Event):
    """A payer's money is locked on a hold invoice: capture it or cancel it soon."""

    kind: ClassVar[str] = "payments.InvoiceAccepted"
    payment_hash: str
    subject: str
    amount_msat: int
    """What was locked; at least what the invoice asked for."""


@dataclass(frozen=True, slots=True)
class InvoiceSettled(Event):
    """Money arrived and is on the books, credited to the invoice's account."""

    kind: ClassVar[str] = "payments.InvoiceSettled"
    payment_hash: str
    subject: str
    amount_msat: int
    """What was booked now; for a second payment on one invoice, only what came on top."""


@dataclass(frozen=True, slots=True)
class InvoiceCancelled(Event):
    """An invoice can never be paid any more; what was locked on it went back to the payer."""

    kind: ClassVar[str] = "payments.InvoiceCancelled"
    payment_hash: str
    subject: str
    amount_msat: int
    """What was locked before, 0 when nobody had paid."""


@dataclass(frozen=True, slots=True)
class PayoutDone(Event):
    """A payment of ours arrived and is on the books."""

    kind: ClassVar[str] = "payments.PayoutDone"
    payout_id: str
    key: str
    subject: str
    amount_msat: int
    fee_msat: int


@dataclass(frozen=True, slots=True)
class PayoutFailed(Event):
    """A payment of ours did not happen and never will; its amount is back on the account that it came from."""

    kind: ClassVar[str] = "payments.PayoutFailed"
    payout_id: str
    key: str
    subject: str
    amount_msat: int
    reason: str
