"""After a restart of ours: silence in which we were not there is nobody's silence, so running waits begin again."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import select

from commonwatt.charging import store
from commonwatt.charging.charge import Charge
from commonwatt.charging.model.session import ACTIVE
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kit.database import Work

HELD_S = 20
"""So long a payment that is only locked waits for its station to come back: its payer sees it pending."""


def wait_anew(work: Work, rules: Rules = DEFAULT) -> int:
    """Give every running session the time in which its station can come back and report; return how many waited.

    A deadline that passed while we were away would bill a charge by its last known reading, or cancel it, although the
    station keeps the missing report for us.
    """
    deadline = store.sessions.c.deadline_ms
    running = [status.value for status in ACTIVE]
    waiting = select(store.sessions.c.id).where(store.sessions.c.status.in_(running), deadline.is_not(None))
    moved = []
    for (session_id,) in work.sql.execute(waiting).all():
        charge = store.charge_by_id(work.sql, session_id)
        if charge is not None and (later := _later(charge, work.now.ms, rules)) is not None:
            moved.append(later)
    store.save_charges(work, moved)
    return len(moved)


def _later(charge: Charge, now_ms: int, rules: Rules) -> Charge | None:
    session = charge.session
    patience_s = HELD_S if session.held_msat and not session.taking else rules.terms.stop_s
    soonest = now_ms + 1000 * patience_s
    if session.deadline_ms is None or session.deadline_ms >= soonest:
        return None
    return replace(charge, progress=replace(charge.progress, session=replace(session, deadline_ms=soonest)))
