"""Pay somebody's invoice: reserved on the books at once, sent by a job, and never twice whatever is repeated."""

from __future__ import annotations

from commonwatt.kit.database import Work
from commonwatt.payments import bookings, store
from commonwatt.payments.effects import SendPayment
from commonwatt.payments.errors import (
    AlreadyPaying,
    InvoiceExpired,
    KeyReused,
    OwnInvoice,
    UnreadableInvoice,
    WrongAmount,
    WrongNetwork,
)
from commonwatt.payments.events import PayoutDone, PayoutFailed
from commonwatt.payments.ports import PaymentReport
from commonwatt.payments.reports import Payout, PayoutState
from commonwatt.protocols.bolt11 import Bolt11, Bolt11Error, decode

ROOM_S = 10
"""An invoice must be valid so much longer, or it would expire on the way."""
DOUBT = "the node lost all memory of it and sent it again, and the payee refused it; perhaps the first one arrived"
"""Why it is not known how a doubtful payout ended."""


def pay_out(
    work: Work,
    *,
    key: str,
    bolt11: str,
    amount_msat: int,
    account: str,
    subject: str,
    rail_name: str,
    fee_limit_msat: int,
) -> Payout:
    """Reserve `amount_msat` on `account` and ask a rail to pay an invoice with it; PayoutDone or PayoutFailed follows.

    `key` is the caller's name for this payment: the same key and content again answers with the same payout. The
    invoice's amount must equal `amount_msat`, or be open. Routing fees come on top, from the account `fees`.

    Raises UnreadableInvoice, WrongNetwork, WrongAmount, InvoiceExpired, OwnInvoice, AlreadyPaying, KeyReused, and the
    books' Overdrawn; nothing is reserved then.
    """
    invoice = _readable(bolt11)
    payment_hash = invoice.payment_hash.hex()
    earlier = store.find_payout_by_key(work.sql, key)
    if earlier is not None:
        same = (payment_hash, amount_msat, account, rail_name)
        if same != (earlier.payment_hash, earlier.amount_msat, earlier.account, earlier.rail):
            raise KeyReused("This payout was asked for before, with another invoice or amount.", key=key)
        return earlier
    _check(work, invoice, amount_msat, rail_name)
    _check_origin(work, invoice, subject)
    payout_id = work.new_id()
    hold_id = bookings.reserve(work, payout_id, account, rail_name, amount_msat=amount_msat, subject=subject)
    work.sql.execute(
        store.payouts.insert().values(
            id=payout_id,
            key=key,
            hold_id=hold_id,
            payment_hash=payment_hash,
            bolt11=bolt11.strip(),
            subject=subject,
            account=account,
            rail=rail_name,
            amount_msat=amount_msat,
            fee_limit_msat=fee_limit_msat,
            state=PayoutState.PENDING,
            made_ms=work.now.ms,
            expires_ms=1000 * invoice.expires_s,
        )
    )
    work.request(SendPayment(payout_id), key=f"payout:{payout_id}")
    return _told(work, payout_id)


def mark_tried(work: Work, payout_id: str) -> None:
    """Remember, before a rail is asked, that it may have heard of this payout; the next time, that it is sent again."""
    payout = _found(work, payout_id)
    if not payout.tried:
        store.change_payout(work.sql, payout_id, tried=True)
    elif payout.state is PayoutState.PENDING:
        store.change_payout(work.sql, payout_id, state=PayoutState.RESENT)


def note_unknown(work: Work, payout_id: str, reason: str) -> None:
    """Remember why it is not known yet how a payout ended."""
    payout = store.find_payout(work.sql, payout_id)
    if payout is not None and not payout.final and payout.state is not PayoutState.DOUBTFUL:
        store.change_payout(work.sql, payout_id, reason=reason)
        _told(work, payout_id)


def finish_payout(work: Work, payout_id: str, report: PaymentReport) -> Payout:
    """Book a payout that arrived; repeated news change nothing."""
    payout = _found(work, payout_id)
    if payout.final:
        return payout
    return close_as_done(work, payout, report.fee_msat, preimage=report.preimage)


def fail_payout(work: Work, payout_id: str, reason: str, *, refused: bool = False) -> Payout:
    """Give a payout's amount back to its account: only for one that certainly never happens. Repeats change nothing.

    It is not certain of one that was sent again and that the payee `refused`: the first one may have arrived. That is
    left to a person, whatever its rail says from then on, short of that it arrived.
    """
    payout = _found(work, payout_id)
    if payout.final or payout.state is PayoutState.DOUBTFUL:
        return payout
    if refused and payout.state is PayoutState.RESENT:
        store.change_payout(work.sql, payout_id, state=PayoutState.DOUBTFUL, reason=DOUBT)
        return _told(work, payout_id)
    return close_as_failed(work, payout, reason)


def close_as_done(
    work: Work, payout: Payout, fee_msat: int, *, preimage: bytes | None = None, reason: str | None = None
) -> Payout:
    """Book an open payout as arrived, and say so."""
    store.change_payout(
        work.sql,
        payout.id,
        state=PayoutState.DONE,
        tried=True,
        fee_msat=fee_msat,
        preimage=preimage,
        reason=reason,
        ended_ms=work.now.ms,
    )
    bookings.spend(work, payout, fee_msat)
    work.emit(PayoutDone(payout.id, payout.key, payout.subject, payout.amount_msat, fee_msat))
    return _told(work, payout.id)


def close_as_failed(work: Work, payout: Payout, reason: str) -> Payout:
    """Give an open payout's amount back, and say so."""
    store.change_payout(work.sql, payout.id, state=PayoutState.FAILED, reason=reason, ended_ms=work.now.ms)
    bookings.give_back(work, payout)
    work.emit(PayoutFailed(payout.id, payout.key, payout.subject, payout.amount_msat, reason))
    return _told(work, payout.id)


def _told(work: Work, payout_id: str) -> Payout:
    """Return the payout as it is now, and tell live pages of it."""
    payout = _found(work, payout_id)
    for topic in (payout.subject, "overview"):
        work.tell(topic, "payout", payout_id=payout_id, state=str(payout.state), amount_msat=payout.amount_msat)
    return payout


def _readable(bolt11: str) -> Bolt11:
    try:
        return decode(bolt11)
    except Bolt11Error as error:
        raise UnreadableInvoice(
            f"This text cannot be read as a Lightning invoice: {error}. Nothing was paid; copy the invoice again."
        ) from None


def _check(work: Work, invoice: Bolt11, amount_msat: int, rail_name: str) -> None:
    payment_hash = invoice.payment_hash.hex()
    issued = store.latest_request(work.sql, rail_name)
    if issued is not None and (network := decode(issued).network) is not invoice.network:
        raise WrongNetwork(
            f"This invoice is for the Bitcoin network {invoice.network}, we pay on {network}. Nothing was paid.",
            network=str(network),
        )
    if amount_msat <= 0 or invoice.amount_msat not in {None, amount_msat}:
        raise WrongAmount(
            f"The invoice asks for {invoice.amount_msat} msat, {amount_msat} msat are to be paid. Nothing was paid; "
            "make an invoice for exactly that amount, or one without an amount.",
            due_msat=amount_msat,
            asked_msat=invoice.amount_msat,
        )
    if work.now.seconds + ROOM_S > invoice.expires_s:
        raise InvoiceExpired("The invoice has expired, or is about to. Nothing was paid; make a fresh one.")
    if store.find_invoice(work.sql, payment_hash) is not None:
        raise OwnInvoice("This invoice is one of ours; it cannot be paid from here. Nothing was paid.")
    other = store.payout_of_hash(work.sql, payment_hash)
    if other is not None:
        raise AlreadyPaying(
            "This invoice was paid already, or is being paid now. Nothing was paid a second time; make a fresh one.",
            state=str(other.state),
        )


def _check_origin(work: Work, invoice: Bolt11, subject: str) -> None:
    """Let money leave only to the network that it came from: play money never becomes real."""
    paid = store.first_paid(work.sql, subject)
    if paid is None:
        return
    network = decode(paid[1]).network
    if network is not invoice.network:
        raise WrongNetwork(
            f"This was paid on the Bitcoin network {network}, and the invoice is for {invoice.network}. Nothing was "
            "paid; make an invoice with a wallet of the same network.",
            network=str(network),
        )


def _found(work: Work, payout_id: str) -> Payout:
    payout = store.find_payout(work.sql, payout_id)
    assert payout is not None  # noqa: S101 (payouts are never removed)
    return payout
