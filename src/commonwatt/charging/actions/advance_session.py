"""Let something happen to a session: the machine's step, and each of its wishes made work in the same transaction."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import select

from commonwatt.charging import store
from commonwatt.charging.actions.post_bill import post_bill
from commonwatt.charging.charge import Charge
from commonwatt.charging.effects import AskStart, AskStop, SendChange
from commonwatt.charging.model.happenings import Happening
from commonwatt.charging.model.session import Status, Wish, step
from commonwatt.charging.rules import Rules
from commonwatt.kernel import Refused
from commonwatt.kit.database import Work
from commonwatt.payments import cancel_invoice, capture_invoice, open_invoices


def advance_session(work: Work, charge: Charge, happening: Happening, rules: Rules) -> Charge:
    """Return the charge after a happening, with its wishes under way. The caller saves it."""
    before = charge.session
    session, wishes = step(before, happening, rules.terms, work.now)
    if session is before or session == before:
        return charge
    charge = replace(charge, progress=replace(charge.progress, session=session))
    if session.over and charge.ended is None:
        charge = replace(charge, ended=work.now)
    if session.status is Status.CANCELLED and charge.gross_units:
        charge = replace(charge, gross_units=0)  # what was due from the start, such as a flat fee, is nobody's now
    for wish in wishes:
        _grant(work, charge, wish)
    if session.status is not before.status:
        if session.over:
            _close_invoices(work, charge)
        tell_session(work, charge)
    return charge


def let(work: Work, charge: Charge, happening: Happening, rules: Rules) -> Charge:
    """Return the charge after a happening, saved and told where it changed anything."""
    advanced = advance_session(work, charge, happening, rules)
    if advanced is not charge:
        save_session(work, advanced)
    return advanced


def save_session(work: Work, charge: Charge) -> None:
    """Store a charge, and tell its page how it stands."""
    store.save_charges(work, [charge])
    work.tell(charge.subject, "status", status=charge.session.status.value)


def tell_session(work: Work, charge: Charge) -> None:
    """Tell the pages on which a session stands in a list that it changed."""
    for topic in (f"station/{charge.station}", "overview"):
        work.tell(topic, "session", id=charge.id, status=charge.session.status.value)


def _grant(work: Work, charge: Charge, wish: Wish) -> None:
    match wish:
        case Wish.ASK_START:
            work.request(AskStart(charge.id))
        case Wish.ASK_STOP:
            work.request(AskStop(charge.id, charge.station, charge.session.transaction_id or 0))
        case Wish.CAPTURE:
            _decide(work, charge, take=True)
        case Wish.GIVE_BACK:
            _decide(work, charge, take=False)
        case Wish.BILL:
            post_bill(work, charge)
        case Wish.RETURN_CHANGE:
            if charge.address:
                work.request(SendChange(charge.id, work.now.ms), key=f"change:{charge.id}")


def _decide(work: Work, charge: Charge, *, take: bool) -> None:
    """Take or give back everything that is locked for a session; what was decided before stays decided."""
    held = select(store.deposits.c.payment_hash).where(
        store.deposits.c.session_id == charge.id, store.deposits.c.state == "held"
    )
    for (payment_hash,) in work.sql.execute(held).all():
        try:
            if take:
                capture_invoice(work, payment_hash)
            else:
                cancel_invoice(work, payment_hash)
        except Refused:
            continue  # it is going the other way already; payments tells how it ended


def _close_invoices(work: Work, charge: Charge) -> None:
    """Make invoices that nobody has paid unpayable: a session that is over takes no more money."""
    for payment_hash in open_invoices(work.sql, charge.subject):
        cancel_invoice(work, payment_hash)
