"""Issue an invoice: its preimage is on our disk before any backend hears of it, so no payment can be orphaned."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from commonwatt.books import kind_of
from commonwatt.kernel import Done, Failed, Rounding, Unknown, divide, said
from commonwatt.kit.database import Database, Work
from commonwatt.payments import store
from commonwatt.payments.actions.note_invoice import tell_invoice
from commonwatt.payments.errors import RailUnavailable, WrongAmount
from commonwatt.payments.ports import InvoiceTerms, Rail
from commonwatt.payments.reports import Invoice, Stage

DRAFT_CHECK_S = 30
"""A draft older than this got no answer; the reconciler cancels it."""
FIRST_CHECK_S = 15
DESCRIPTION_BYTES_MAX = 639
"""What a field of BOLT 11 holds; longer plain descriptions are cut."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an invoice is asked for, already fitted to what the rail can do."""

    rail: str
    subject: str
    account: str
    amount_msat: int
    description: str
    metadata: str | None
    expiry_s: int
    hold: bool
    comment: str | None


async def request_invoice(
    database: Database,
    rail: Rail,
    *,
    subject: str,
    account: str,
    amount_msat: int,
    description: str,
    metadata: str | None = None,
    expiry_s: int = 600,
    hold: bool = False,
    comment: str | None = None,
) -> Invoice:
    """Issue an invoice over a rail and return it, open, once it is stored with its payment request.

    `metadata` is committed to by its SHA-256 (LUD-06) when the rail can. `hold` is a wish: the returned invoice says
    whether it holds. Amounts are rounded up to whole satoshi for rails that cannot do better. Raises RailUnavailable
    when the rail gives no invoice, and WrongAmount when nothing is to be paid.
    """
    if amount_msat <= 0:
        raise WrongAmount("An invoice must ask for more than nothing.", amount_msat=amount_msat).in_words(
            said("An amount above zero is needed.")
        )
    if not rail.capabilities.msat:
        amount_msat = 1000 * divide(amount_msat, 1000, Rounding.UP).quotient
    order = Order(
        rail=rail.name,
        subject=subject,
        account=account,
        amount_msat=amount_msat,
        description=description.encode()[:DESCRIPTION_BYTES_MAX].decode(errors="ignore"),
        metadata=metadata,
        expiry_s=expiry_s,
        hold=hold and rail.capabilities.hold,
        comment=comment,
    )
    preimage = await database.write(draft_invoice, order)
    hashed = hashlib.sha256(metadata.encode()).digest() if metadata and rail.capabilities.description_hash else None
    terms = InvoiceTerms(preimage, amount_msat, order.description, hashed, expiry_s, order.hold)
    match await rail.create_invoice(terms):
        case Done(issued):
            return await database.write(open_invoice, terms.payment_hash.hex(), issued.bolt11)
        case Failed(reason, _) | Unknown(reason):
            raise RailUnavailable(
                f"The Lightning node gave no invoice ({reason}); nothing was charged. Try again in a minute.",
                rail=rail.name,
            ).in_words(said("Paying does not work here at this moment. Nothing was charged; try again in a minute."))


def draft_invoice(work: Work, order: Order) -> bytes:
    """Store a new invoice before anybody hears of it; return its fresh preimage.

    Raises the books' AccountUnknown for an account that they could not credit later.
    """
    kind_of(order.account)
    preimage = work.ids.secret(32)
    now = work.now
    work.sql.execute(
        store.invoices.insert().values(
            payment_hash=hashlib.sha256(preimage).hexdigest(),
            preimage=preimage,
            subject=order.subject,
            account=order.account,
            rail=order.rail,
            amount_msat=order.amount_msat,
            state=Stage.DRAFTED,
            hold=order.hold,
            description=order.description,
            metadata=order.metadata,
            comment=order.comment,
            made_ms=now.ms,
            expires_ms=now.plus(seconds=order.expiry_s).ms,
            next_check_ms=now.plus(seconds=DRAFT_CHECK_S).ms,
        )
    )
    return preimage


def open_invoice(work: Work, payment_hash: str, bolt11: str) -> Invoice:
    """Store the payment request; an invoice that was paid or closed in the meantime keeps its state."""
    before = store.find_invoice(work.sql, payment_hash)
    if before is None or before.state is Stage.CANCELLED or before.decision is not None:
        raise RailUnavailable("The invoice was withdrawn while it was made; ask for another.").in_words(
            said("The payment code was withdrawn while it was made. Ask for another.")
        )
    if before.state is Stage.DRAFTED:
        due = work.now.plus(seconds=FIRST_CHECK_S).ms
        store.change_invoice(work.sql, payment_hash, bolt11=bolt11, state=Stage.OPEN, next_check_ms=due)
    else:
        store.change_invoice(work.sql, payment_hash, bolt11=bolt11)
    after = store.find_invoice(work.sql, payment_hash)
    assert after is not None  # noqa: S101 (the row was there a line ago, in the same transaction)
    if after.state is not before.state:
        tell_invoice(work, after)
    return after
