"""Ask a station to start, once, and hear what it said to a start or a stop that was asked of it."""

from __future__ import annotations

from msgspec.structs import replace

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import let
from commonwatt.charging.charge import Charge
from commonwatt.charging.model.happenings import StartAnswered, StopAnswered
from commonwatt.charging.model.session import Status
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kit.database import Work

RETURN_S = 20
"""So long a station may be away at the start of a session before the money goes back."""


def mark_asked(work: Work, session_id: str) -> Charge | None:
    """Note that a station is about to be asked to start; None when it must not be asked (again)."""
    charge = store.charge_by_id(work.sql, session_id)
    if charge is None or charge.session.status is not Status.STARTING or charge.progress.asked:
        return None
    store.save_charges(work, [replace(charge, progress=replace(charge.progress, asked=True))])
    return charge


def forget_asked(work: Work, session_id: str, rules: Rules = DEFAULT) -> bool:
    """Note that a start was never sent because the station had no line; return whether to try again soon.

    After a restart of ours stations need some seconds to come back; a station that stays away ends the session.
    """
    charge = store.charge_by_id(work.sql, session_id)
    if charge is None or charge.session.status is not Status.STARTING or charge.session.deadline_ms is None:
        return False
    if charge.session.deadline_ms - work.now.ms < 1000 * (rules.terms.start_s - RETURN_S):
        return False
    store.save_charges(work, [replace(charge, progress=replace(charge.progress, asked=False))])
    return True


def note_start_answer(work: Work, session_id: str, accepted: bool | None, rules: Rules = DEFAULT) -> None:  # noqa: FBT001
    """Hear what a station said to a remote start."""
    charge = store.charge_by_id(work.sql, session_id)
    if charge is not None:
        let(work, charge, StartAnswered(accepted), rules)


def note_stop_answer(work: Work, session_id: str, accepted: bool | None, rules: Rules = DEFAULT) -> None:  # noqa: FBT001
    """Hear what a station said to a remote stop."""
    charge = store.charge_by_id(work.sql, session_id)
    if charge is not None:
        let(work, charge, StopAnswered(accepted), rules)
