"""What payments asks the rails to do, stored with the decision and repeated until the answer is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from commonwatt.kit.database import Effect


@dataclass(frozen=True, slots=True)
class SettleInvoice(Effect):
    """Take the money that is locked on a hold invoice."""

    kind: ClassVar[str] = "payments.SettleInvoice"
    payment_hash: str


@dataclass(frozen=True, slots=True)
class CancelInvoice(Effect):
    """Give locked money back, or make an open invoice unpayable."""

    kind: ClassVar[str] = "payments.CancelInvoice"
    payment_hash: str


@dataclass(frozen=True, slots=True)
class SendPayment(Effect):
    """Pay an invoice of somebody else."""

    kind: ClassVar[str] = "payments.SendPayment"
    payout_id: str
