"""Invoices and payouts as the rest of the house sees them: frozen rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from commonwatt.kernel import Instant


class Stage(StrEnum):
    """How far an invoice of ours has come; a backend's own states are `ports.InvoiceState`, with the same words."""

    DRAFTED = "drafted"
    """Stored, not yet confirmed by the backend; nobody has seen it."""
    OPEN = "open"
    ACCEPTED = "accepted"
    """The payer's money is locked (hold invoices only)."""
    SETTLED = "settled"
    CANCELLED = "cancelled"


class Decision(StrEnum):
    """What we decided about an invoice and the backend is still being asked to do."""

    SETTLE = "settle"
    CANCEL = "cancel"


class PayoutState(StrEnum):
    """How far a payment of ours has come."""

    PENDING = "pending"
    """Reserved on the books, on its way or not yet known."""
    RESENT = "resent"
    """As pending: it is sent again, as the backend knows nothing of the first time, from which no answer came."""
    DOUBTFUL = "doubtful"
    """Sent again, and refused by the payee: perhaps the first one arrived. A person decides, or the backend knows."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice of ours. Amounts in msat; `bolt11` is empty while drafted."""

    payment_hash: str
    subject: str
    """What it pays for, in the caller's words: `session/<id>`."""
    account: str
    """The account of the books that is credited when the money is ours."""
    rail: str
    amount_msat: int
    paid_msat: int
    state: Stage
    decision: Decision | None
    hold: bool
    description: str
    comment: str | None
    bolt11: str
    made: Instant
    expires: Instant
    ended: Instant | None
    accepted: Instant | None = None
    """When we heard that the payer's money is locked."""

    @property
    def final(self) -> bool:
        """Whether nothing more is expected to happen to it."""
        return self.state in {Stage.SETTLED, Stage.CANCELLED}

    @property
    def due_msat(self) -> int:
        """What was paid; as long as nothing was, what is asked for."""
        return self.paid_msat or self.amount_msat


@dataclass(frozen=True, slots=True)
class Payout:
    """A payment of ours. Amounts in msat; `fee_msat` is known when it is done."""

    id: str
    key: str
    """The caller's name for it: asking twice with one key pays once."""
    hold_id: str
    """What keeps the amount on the books while it is under way."""
    payment_hash: str
    bolt11: str
    subject: str
    account: str
    rail: str
    amount_msat: int
    fee_limit_msat: int
    fee_msat: int
    state: PayoutState
    tried: bool
    """Whether the backend may have heard of it."""
    reason: str | None
    """Why it failed, or why it is not known yet."""
    made: Instant
    expires: Instant
    ended: Instant | None

    @property
    def final(self) -> bool:
        """Whether it is known how it ended."""
        return self.state in {PayoutState.DONE, PayoutState.FAILED}
