"""Let time pass for sessions: what waited long enough goes on, and what says nothing for too long ends."""

from __future__ import annotations

from sqlalchemy import select

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import let
from commonwatt.charging.actions.meter_charge import count
from commonwatt.charging.charge import Charge
from commonwatt.charging.model.happenings import Expired, Happening, Metered, StopAsked
from commonwatt.charging.model.session import Status
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kit.database import Work


def pass_deadlines(work: Work, rules: Rules = DEFAULT) -> int:
    """Let every session whose waiting is over go on; return how many."""
    columns = store.sessions.c
    due = select(columns.id).where(columns.deadline_ms <= work.now.ms).order_by(columns.deadline_ms).limit(200)
    ids = [row.id for row in work.sql.execute(due)]
    for session_id in ids:
        charge = store.charge_by_id(work.sql, session_id)
        if charge is not None:
            let(work, charge, _expiry(charge), rules)
    return len(ids)


def _expiry(charge: Charge) -> Happening:
    """Return what the end of a wait means: a connector that charges without readings is believed, others are not."""
    session = charge.session
    if session.status is Status.STARTED and charge.progress.flowing:
        return Metered(session.energy_wh, session.cost_msat, enough=True, flowing=True)
    return Expired()


def watch_running(work: Work, rules: Rules = DEFAULT) -> None:
    """Look at running sessions that say nothing: time may use up their credit, and a day of silence ends them.

    What time would cost until now only decides; it is billed when the station tells how long the car really stood.
    """
    columns = store.sessions.c
    quiet = work.now.ms - 1000 * rules.sample_s
    waiting = (Status.STARTED.value, Status.CHARGING.value)
    running = select(columns.id).where(
        columns.status.in_(waiting), columns.heard_ms < quiet, columns.deadline_ms.is_(None)
    )
    for (session_id,) in work.sql.execute(running).all():
        charge = store.charge_by_id(work.sql, session_id)
        if charge is None:
            continue
        if charge.progress.heard_ms < work.now.ms - 1000 * rules.silence_s:
            let(work, charge, StopAsked("the charge point said nothing for too long"), rules)
        elif charge.session.prepaid and charge.session.status is Status.CHARGING:
            _, _, enough = count(work, charge, rules, until=work.now)
            if not enough:
                let(work, charge, StopAsked("the credit is used up"), rules)
