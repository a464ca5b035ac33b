"""Hear of a station: a connector's state, a reboot, a lost line; sessions and offers that it touches go on or end."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import select

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import advance_session, let, save_session
from commonwatt.charging.charge import Charge
from commonwatt.charging.effects import AskReading, SetRhythm
from commonwatt.charging.model.happenings import Expired, Happening, OfferWithdrawn, StartAnswered, StopAsked, Vanished
from commonwatt.charging.model.session import Status
from commonwatt.charging.reports import StatusReport
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kernel import Instant
from commonwatt.kit.database import Work
from commonwatt.stations.events import StationBooted, StationRemoved

REMOVED = "the charge point was removed"
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
            let(work, charge, happening, rules)
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
            let(work, charge, Vanished(patience_s=rules.reboot_s), rules)


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
        save_session(work, advance_session(work, stopped, Expired(), rules))


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
        let(work, charge, OfferWithdrawn(reason), rules)


def _withdraw_all(work: Work, station: str, reason: str, rules: Rules) -> None:
    columns = store.sessions.c
    offered = select(columns.connector).where(columns.station == station, columns.status == Status.OFFERED.value)
    for (connector,) in work.sql.execute(offered.distinct()).all():
        _withdraw(work, station, connector, reason, rules)
