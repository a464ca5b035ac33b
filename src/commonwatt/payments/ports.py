"""What payments asks of a Lightning backend: one `Rail`, with flags for what it can do, and answers in three values.

And of whoever knows exchange rates, what msat are worth to people: `Worth`.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Connection

from commonwatt.kernel import Amount, Instant, Outcome

REFUSED_BY_PAYEE = "refused-by-payee"
"""The code of a payment that reached the payee's node and was turned away, as it is with an invoice paid already."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do; payments chooses the shape of a payment by it."""

    hold: bool
    """Invoices that lock the payer's money until they are settled or cancelled by us."""
    accepted_event: bool
    """`watch` tells when a hold invoice is locked; without it the reconciler finds out."""
    description_hash: bool
    """Invoices that commit to the SHA-256 of a description (LUD-06 metadata)."""
    msat: bool
    """Amounts in msat; without it amounts are whole satoshi."""


class InvoiceState(StrEnum):
    """What a backend knows of an invoice."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """Locked by the payer, not ours yet (hold invoices only)."""
    SETTLED = "settled"
    CANCELLED = "cancelled"
    """Cancelled by us or expired unpaid; it can never be paid any more."""


@dataclass(frozen=True, slots=True)
class InvoiceTerms:
    """What an invoice shall say. `preimage` is ours and already stored before the backend hears of it."""

    preimage: bytes
    amount_msat: int
    description: str
    """The plain description; with `description_hash` it is only shown where a backend wants the text."""
    description_hash: bytes | None
    expiry_s: int
    hold: bool

    @property
    def payment_hash(self) -> bytes:
        """SHA-256 of the preimage (BOLT 11, tag p)."""
        return hashlib.sha256(self.preimage).digest()


@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """An invoice that a payer can pay."""

    bolt11: str
    payment_hash: bytes


@dataclass(frozen=True, slots=True)
class InvoiceReport:
    """What a backend says of an invoice now; `paid_msat` is what was locked or received, 0 while open."""

    payment_hash: bytes
    state: InvoiceState
    paid_msat: int


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """A payment of ours that arrived, with its proof and what the way there cost."""

    payment_hash: bytes
    preimage: bytes
    amount_msat: int
    fee_msat: int


@dataclass(frozen=True, slots=True)
class RailBalance:
    """What a backend could pay out now and could still receive, in msat."""

    spendable_msat: int
    receivable_msat: int


class Rail(Protocol):
    """One Lightning backend. Every method is safe to repeat; none raises for what the world does."""

    name: str
    capabilities: Capabilities

    async def create_invoice(self, terms: InvoiceTerms) -> Outcome[IssuedInvoice]:
        """Issue an invoice. The same preimage again answers with the same invoice."""
        ...

    async def look_up_invoice(self, payment_hash: bytes) -> Outcome[InvoiceReport]:
        """Tell an invoice's state; `Failed(code="missing")` when the backend never heard of it."""
        ...

    async def settle_invoice(self, preimage: bytes) -> Outcome[None]:
        """Take the money of an accepted hold invoice; settled already is `Done`, cancelled is `Failed`."""
        ...

    async def cancel_invoice(self, payment_hash: bytes) -> Outcome[None]:
        """Give a hold back, or make an open invoice unpayable; cancelled already is `Done`, settled is `Failed`."""
        ...

    async def pay(
        self, bolt11: str, *, amount_msat: int, fee_limit_msat: int, timeout_s: int
    ) -> Outcome[PaymentReport]:
        """Pay an invoice once; `amount_msat` equals the invoice's own, or serves one that names none.

        Paid already is `Done`. After a timeout the answer is `Unknown`, until `look_up_payment` knows. What the payee's
        own node turns away is `Failed(code=REFUSED_BY_PAYEE)`.
        """
        ...

    async def look_up_payment(self, payment_hash: bytes) -> Outcome[PaymentReport]:
        """Tell how a payment ended: `Unknown` in flight, `Failed(code="missing")` when it was never sent.

        A backend that lost its past says "missing" of what it did send.
        """
        ...

    def watch(self) -> AsyncGenerator[InvoiceReport]:
        """Yield invoices as they change, for ever; reconnects by itself, may repeat, may miss (hence reconciling)."""
        ...

    async def balance(self) -> Outcome[RailBalance]:
        """Tell what can be paid out and received now."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Worth(Protocol):
    """What bitcoin is in the currency that people say."""

    def __call__(self, sql: Connection, subject: str, msat: int, now: Instant) -> Amount | None:
        """Return msat at the rate that a payment's subject has locked, else at the present one; None without a rate."""
        ...
