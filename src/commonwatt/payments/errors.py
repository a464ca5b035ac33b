"""What payments refuses or cannot do now; each slug has its page under docs/problems."""

from __future__ import annotations

from commonwatt.kernel import Missing, Refused, Unavailable


class RailUnavailable(Unavailable):
    """The Lightning backend gave no invoice; nothing was charged, the same request may work soon."""

    slug = "rail-unavailable"
    title = "The Lightning node does not answer"


class NoSuchInvoice(Missing):
    """No invoice of ours has this payment hash."""

    slug = "no-such-invoice"
    title = "No such invoice"


class NoSuchPayout(Missing):
    """No payout of ours has this id or key."""

    slug = "no-such-payout"
    title = "No such payout"


class NotHeld(Refused):
    """Only an accepted hold invoice can be captured, and only while nobody asked to give it back."""

    slug = "invoice-not-held"
    title = "There is nothing to capture"


class UnreadableInvoice(Refused):
    """The text is no BOLT 11 invoice, or its signature does not fit."""

    slug = "unreadable-invoice"
    title = "This is not a Lightning invoice"
    status = 400


class WrongNetwork(Refused):
    """The invoice is for another Bitcoin network than the rail's."""

    slug = "wrong-network"
    title = "The invoice is for another network"
    status = 400


class WrongAmount(Refused):
    """The invoice names another amount than is due, or an amount that is not positive was asked for."""

    slug = "wrong-amount"
    title = "The amount does not fit"
    status = 400


class InvoiceExpired(Refused):
    """The invoice expired, or will before a payment could arrive."""

    slug = "invoice-expired"
    title = "The invoice has expired"


class OwnInvoice(Refused):
    """The invoice to pay was issued by ourselves."""

    slug = "own-invoice"
    title = "The invoice is our own"


class AlreadyPaying(Refused):
    """Another payout pays, or paid, the same invoice."""

    slug = "already-paying"
    title = "The invoice is being paid already"


class NotDoubtful(Refused):
    """A person decides only about a payout of which nobody else can tell how it ended."""

    slug = "payout-not-doubtful"
    title = "There is nothing to decide"


class KeyReused(Refused):
    """The same payout key came with another content."""

    slug = "payout-key-reused"
    title = "The key belongs to another payout"
