"""Hear of a station: a connector's state, a reboot, a lost line; sessions and offers that it touches go on or end."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import select

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import advance_session
from commonwatt.charging.actions.meter_charge import count
from commonwatt.charging.charge import Charge
from commonwatt.charging.effects import AskReading, SetRhythm
from commonwatt.charging.model.happenings import (
    Expired,
    Happening,
    Metered,
    OfferWithdrawn,
    StartAnswered,
    StopAnswered,
    StopAsked,
    Vanished,
)
from commonwatt.charging.model.session import Status
from commonwatt.charging.reports import StatusReport
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kernel import Instant
from commonwatt.kit.database import Work
from commonwatt.stations.events import StationBooted, StationRemoved

REMOVED = "the charge point was removed"
RETURN_S = 20
"""So long a station may be away at the start of a session before the money goes back."""
READING_MS = 5_000
"""After a connector says that it charges, its reading is asked for."""
FREE = frozenset({"Available", "Preparing"})
"""Connector states (OCPP 1.6, 4.9) in which a driver may begin to pay."""


def note_status(work: Work, report: StatusReport, rules: Rules = DEFAULT) -> None:
    """Let a connector's state reach its session: unplugged before the start, vanished in the middle, out of order."""
    here = store.active_charges(work.sql, report.station, report.connector)
    newest = max((charge.session.transaction_id or 0 for charge in here), default=0)
    for running in here:
        happening = _meaning(running, report)
        overtaken = 0 < (running.session.transaction_id or 0) < newest
        charge = running if overtaken else _remember(work, running, report)
        if happening is not None:
            _let(work, charge, happening, rules)
    if report.status not in FREE and report.connector:
        _withdraw(work, report.station, report.connector, "the charge point is no longer free", rules)


def _remember(work: Work, charge: Charge, report: StatusReport) -> Charge:
    """Keep what a connector says of a session: a car is plugged in, energy flows, or no more."""
    progress = charge.progress
    match charge.session.status:
        case Status.STARTING if report.status == "Preparing":
            progress = replace(progress, plugged=True)
        case Status.STARTED:
            progress = replace(progress, flowing=report.status == "Charging")
            if progress.flowing:
                work.request(AskReading(charge.station, charge.connector), after_ms=READING_MS)
        case Status.CHARGING | Status.STOPPING:
            progress = replace(progress, flowing=report.status == "Charging")
        case _:
            return charge
    if progress == charge.progress:
        return charge
    charge = replace(charge, progress=progress)
    store.save_charges(work, [charge])
    return charge


def note_boot(work: Work, identity: str, _at: Instant, rules: Rules = DEFAULT) -> None:
    """Hear that a station started anew: it may have lost its transactions, or report them yet."""
    for charge in store.active_charges(work.sql, identity):
        if charge.session.transaction_id is not None:
            _let(work, charge, Vanished(patience_s=rules.reboot_s), rules)


def prepare_station(work: Work, event: StationBooted) -> None:
    """Let a station that started send its readings often enough for the limit of a prepaid charge."""
    work.request(SetRhythm(event.station), after_ms=500, key=f"rhythm:{event.station}")


def note_offline(work: Work, identity: str, rules: Rules = DEFAULT) -> None:
    """Hear that a station's line is gone: nobody shall pay for it now. What charges there goes on."""
    _withdraw_all(work, identity, "the charge point went offline", rules)


def note_removed(work: Work, event: StationRemoved, rules: Rules = DEFAULT) -> None:
    """Hear that a station is known no more: what charges there ends at once, by its last reading, and change goes back.

    Nothing will be reported, so nothing is awaited. Should the station be added again, it is asked to stop.
    """
    _withdraw_all(work, event.station, REMOVED, rules)
    for charge in store.active_charges(work.sql, event.station):
        stopped = advance_session(work, charge, StopAsked(REMOVED), rules)
        _save(work, advance_session(work, stopped, Expired(), rules))


def note_start_answer(work: Work, session_id: str, accepted: bool | None, rules: Rules = DEFAULT) -> None:  # noqa: FBT001
    """Hear what a station said to a remote start."""
    charge = store.charge_by_id(work.sql, session_id)
    if charge is not None:
        _let(work, charge, StartAnswered(accepted), rules)


def note_stop_answer(work: Work, session_id: str, accepted: bool | None, rules: Rules = DEFAULT) -> None:  # noqa: FBT001
    """Hear what a station said to a remote stop."""
    charge = store.charge_by_id(work.sql, session_id)
    if charge is not None:
        _let(work, charge, StopAnswered(accepted), rules)


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


def pass_deadlines(work: Work, rules: Rules = DEFAULT) -> int:
    """Let every session whose waiting is over go on; return how many."""
    columns = store.sessions.c
    due = select(columns.id).where(columns.deadline_ms <= work.now.ms).order_by(columns.deadline_ms).limit(200)
    ids = [row.id for row in work.sql.execute(due)]
    for session_id in ids:
        charge = store.charge_by_id(work.sql, session_id)
        if charge is not None:
            _let(work, charge, _expiry(charge), rules)
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
            _let(work, charge, StopAsked("the charge point said nothing for too long"), rules)
        elif charge.session.prepaid and charge.session.status is Status.CHARGING:
            _, _, enough = count(work, charge, rules, until=work.now)
            if not enough:
                _let(work, charge, StopAsked("the credit is used up"), rules)


def _meaning(charge: Charge, report: StatusReport) -> Happening | None:
    """Return what a connector's state means for its session."""
    if report.status == "Available":
        if charge.session.status is Status.STARTING:
            return Expired() if charge.progress.plugged else None
        return Vanished()
    if report.status in {"Unavailable", "Faulted"} and charge.session.status is Status.STARTING:
        return StartAnswered(False)
    return None


def _withdraw(work: Work, station: str, connector: int, reason: str, rules: Rules) -> None:
    for charge in store.offered_charges(work.sql, station, connector):
        _let(work, charge, OfferWithdrawn(reason), rules)


def _withdraw_all(work: Work, station: str, reason: str, rules: Rules) -> None:
    columns = store.sessions.c
    offered = select(columns.connector).where(columns.station == station, columns.status == Status.OFFERED.value)
    for (connector,) in work.sql.execute(offered.distinct()).all():
        _withdraw(work, station, connector, reason, rules)


def _let(work: Work, charge: Charge, happening: Happening, rules: Rules) -> None:
    advanced = advance_session(work, charge, happening, rules)
    if advanced is not charge:
        _save(work, advanced)


def _save(work: Work, charge: Charge) -> None:
    store.save_charges(work, [charge])
    work.tell(charge.subject, "status", status=charge.session.status.value)
