"""Waits against our own clock: after a restart of ours they begin again, and a clock that is set back prolongs none.

Silence in which we were not there is nobody's silence; and a deadline is an instant, which lies far ahead once our
clock shows less than before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, select

from commonwatt.charging import store
from commonwatt.charging.actions.offer_session import OFFER_MARGIN_S
from commonwatt.charging.model.session import ACTIVE, Session, Status
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kit.database import Work

HELD_S = 20
"""So long a payment that is only locked waits for its station to come back: its payer sees it pending."""


def wait_anew(work: Work, rules: Rules = DEFAULT) -> int:
    """Give every running session the time in which its station can come back and report; return how many waited.

    A deadline that passed while we were away would bill a charge by its last known reading, or cancel it, although the
    station keeps the missing report for us.
    """
    running = [status.value for status in ACTIVE]
    own = (store.sessions.c.status.in_(running), store.sessions.c.deadline_ms.is_not(None))
    return _move(work, own, lambda session: max(session.deadline_ms, work.now.ms + 1000 * _patience_s(session, rules)))


def wait_no_longer(work: Work, rules: Rules = DEFAULT) -> int:
    """Let no session wait longer from now than its state ever waits; return how many would have.

    After our clock was set back, money would else stay locked, and change be kept, until it shows the same time again.
    """
    own = (store.sessions.c.deadline_ms > work.now.ms,)
    return _move(work, own, lambda session: min(session.deadline_ms, work.now.ms + 1000 * _longest_s(session, rules)))


def _move(work: Work, own: Sequence[ColumnElement[bool]], deadline_of: Callable[[Any], int]) -> int:
    """Give the waiting sessions that are meant another deadline; return how many have one now."""
    moved = []
    for (session_id,) in work.sql.execute(select(store.sessions.c.id).where(*own)).all():
        charge = store.charge_by_id(work.sql, session_id)
        if charge is None:
            continue
        deadline_ms = deadline_of(charge.session)
        if deadline_ms != charge.session.deadline_ms:
            session = replace(charge.session, deadline_ms=deadline_ms)
            moved.append(replace(charge, progress=replace(charge.progress, session=session)))
    store.save_charges(work, moved)
    return len(moved)


def _patience_s(session: Session, rules: Rules) -> int:
    return HELD_S if session.held_msat and not session.taking else rules.terms.stop_s


def _longest_s(session: Session, rules: Rules) -> int:
    """Return the longest that a session's state waits, in seconds, after a restart of ours too."""
    terms = rules.terms
    match session.status:
        case Status.OFFERED:
            return rules.invoice_s + OFFER_MARGIN_S
        case Status.STARTING:
            longest_s = terms.start_s
        case Status.STARTED:
            longest_s = max(terms.start_s, terms.hold_s, terms.vanish_s, 0 if session.held_msat else rules.reboot_s)
        case Status.CHARGING:
            longest_s = max(terms.vanish_s, rules.reboot_s)
        case _:
            longest_s = terms.stop_s
    return max(longest_s, _patience_s(session, rules))
