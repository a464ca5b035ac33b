"""Money moved: payments says what happened to an invoice or a payout, and the session hears of it, once."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Row, func, select, update

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import advance_session, save_session, tell_session
from commonwatt.charging.charge import Charge
from commonwatt.charging.effects import SendChange
from commonwatt.charging.model.happenings import Happening, Held, HoldLost, Paid
from commonwatt.charging.model.session import Status
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kit.database import Work
from commonwatt.payments import Decision, invoice_of
from commonwatt.payments.events import InvoiceAccepted, InvoiceCancelled, InvoiceSettled, PayoutDone, PayoutFailed

SEND_AGAIN_MS = 60_000
SEND_AGAIN_MAX = 10
"""Ten tries, each twice as late as the one before, are seventeen hours; then the change waits to be fetched."""


def note_accepted(work: Work, event: InvoiceAccepted, rules: Rules = DEFAULT) -> None:
    """Money is locked for a session: the first of it asks the station to start.

    News that comes after the end of the lock changes nothing: the money is gone, or ours and told by another event.
    """
    charge, invoice = _charge(work, event.subject), invoice_of(work.sql, event.payment_hash)
    closed = invoice.final or invoice.decision is Decision.CANCEL
    if charge is None or closed or _deposit(work, event.payment_hash) is not None:
        return
    _insert(work, charge, event.payment_hash, "held", held_msat=event.amount_msat)
    _tell(work, charge, Held(event.amount_msat, free=_free(work, charge)), rules)


def note_settled(work: Work, event: InvoiceSettled, rules: Rules = DEFAULT) -> None:
    """Money is ours: what was locked before, what was paid outright, or a second payment of one invoice."""
    charge = _charge(work, event.subject)
    if charge is None:
        return
    deposit = _deposit(work, event.payment_hash)
    if deposit is None:
        _insert(work, charge, event.payment_hash, "paid", paid_msat=event.amount_msat)
        _tell(work, charge, Paid(event.amount_msat, free=_free(work, charge)), rules)
        return
    was_held = deposit.state == "held"
    _change(work, deposit, state="paid", held_msat=0, paid_msat=deposit.paid_msat + event.amount_msat)
    if was_held and event.amount_msat < deposit.held_msat:
        charge = advance_session(work, charge, HoldLost(deposit.held_msat - event.amount_msat), rules)
    _tell(work, charge, Paid(event.amount_msat, was_held=was_held), rules)


def note_cancelled(work: Work, event: InvoiceCancelled, rules: Rules = DEFAULT) -> None:
    """Locked money went back to its payer; an unpaid invoice that lapsed changes nothing."""
    charge = _charge(work, event.subject)
    deposit = _deposit(work, event.payment_hash)
    if charge is None or deposit is None or deposit.state != "held":
        return
    _change(work, deposit, state="lost", held_msat=0)
    _tell(work, charge, HoldLost(deposit.held_msat), rules)


def note_paid_out(work: Work, event: PayoutDone, _rules: Rules = DEFAULT) -> None:
    """The change arrived."""
    charge = _charge(work, event.subject)
    if charge is not None:
        _end_claim(work, charge, event.key, state="done", reason=None)
        work.tell(charge.subject, "change", state="done", amount_msat=event.amount_msat)
        tell_session(work, charge)


def note_payout_failed(work: Work, event: PayoutFailed, _rules: Rules = DEFAULT) -> None:
    """The change did not arrive and never will that way: it is owed again, and may be claimed anew."""
    charge = _charge(work, event.subject)
    if charge is None or not _end_claim(work, charge, event.key, state="failed", reason=event.reason):
        return
    store.save_charges(work, [replace(charge, returned_msat=charge.returned_msat - event.amount_msat)])
    work.tell(charge.subject, "change", state="failed", reason=event.reason)
    tell_session(work, charge)
    if charge.address:
        _send_later(work, charge)


def _send_later(work: Work, charge: Charge) -> None:
    """Try the address that the driver left again, each time twice as late: no route now may be one in an hour."""
    claims = store.claims.c
    failed = select(func.count()).where(claims.session_id == charge.id, claims.state == "failed")
    times = int(work.sql.execute(failed).scalar_one())
    if times <= SEND_AGAIN_MAX:
        effect = SendChange(charge.id, work.now.ms)
        work.request(effect, after_ms=SEND_AGAIN_MS << (times - 1), key=f"change:{charge.id}")


def _tell(work: Work, charge: Charge, happening: Happening, rules: Rules) -> None:
    save_session(work, advance_session(work, charge, happening, rules))


def _free(work: Work, charge: Charge) -> bool:
    """Whether this session may take its connector: nobody else is on it."""
    if charge.session.status is not Status.OFFERED:
        return True
    return not store.active_charges(work.sql, charge.station, charge.connector)


def _charge(work: Work, subject: str) -> Charge | None:
    kind, _, session_id = subject.partition("/")
    return store.charge_by_id(work.sql, session_id) if kind == "session" else None


def _deposit(work: Work, payment_hash: str) -> Row[Any] | None:
    statement = select(store.deposits).where(store.deposits.c.payment_hash == payment_hash)
    return work.sql.execute(statement).one_or_none()


def _insert(
    work: Work, charge: Charge, payment_hash: str, state: str, *, held_msat: int = 0, paid_msat: int = 0
) -> None:
    work.sql.execute(
        store.deposits.insert().values(
            payment_hash=payment_hash,
            session_id=charge.id,
            state=state,
            amount_msat=held_msat + paid_msat,
            held_msat=held_msat,
            paid_msat=paid_msat,
            made_ms=work.now.ms,
        )
    )


def _change(work: Work, deposit: Row[Any], **values: object) -> None:
    where = store.deposits.c.payment_hash == deposit.payment_hash
    work.sql.execute(update(store.deposits).where(where).values(**values))


def _end_claim(work: Work, charge: Charge, key: str, *, state: str, reason: str | None) -> bool:
    """Close the claim that a payout's key names; return whether it was open."""
    number = key.rpartition(":")[2]
    if not number.isdigit():
        return False
    claims = store.claims.c
    done = work.sql.execute(
        update(store.claims)
        .where(claims.session_id == charge.id, claims.number == int(number), claims.state == "paying")
        .values(state=state, reason=reason)
    )
    return done.rowcount == 1
