"""A charge ends: by the station's word, or because somebody asked for it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Row, update

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import advance_session, let, save_session
from commonwatt.charging.actions.meter_charge import as_reading, correct, count, follow
from commonwatt.charging.charge import Charge
from commonwatt.charging.errors import SessionOver
from commonwatt.charging.finding import charge_named
from commonwatt.charging.model.happenings import Finished, StopAsked
from commonwatt.charging.model.session import ACTIVE, Status
from commonwatt.charging.numbers import was_given_out
from commonwatt.charging.reports import Authorisation, Sample, StopReport, same_tag
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kernel import Instant, said
from commonwatt.kit.database import Work
from commonwatt.members import Actor, record_act
from commonwatt.metering import know_peak, note_gap, store_readings, strongest_w

CLOCK_MS = 5_000
"""Stations round their times, and a start may be told with the time of its answer."""
NO_TAG = "UNDEFINED"
"""What some stations send where they have no tag."""
KNOWN_WH = 1_000
"""After so much energy by measured power, a charge's own peak says what its charger gives."""
NO_REGISTER = 0
"""Several stations report 0 when they have lost their register; it then says nothing."""


def stop_session(work: Work, report: StopReport, rules: Rules = DEFAULT) -> Authorisation | None:
    """Record the end of a transaction and bill its session once, however often and late it is reported.

    A transaction number that we never gave is matched by its id tag, or by the only charge that runs at the station.
    Returns what we think of the id tag that ended it; None when there was none.
    """
    answer = _authorisation(work, report)
    row = _transaction(work, report)
    if row is None or row.stopped_ms is not None:
        return answer
    work.sql.execute(
        update(store.transactions)
        .where(store.transactions.c.id == row.id)
        .values(
            meter_stop_wh=report.meter_stop_wh,
            stopped_ms=report.stopped.ms,
            stop_received_ms=work.now.ms,
            stop_reason=report.reason,
        )
    )
    charge = store.charge_by_transaction(work.sql, row.id)
    if charge is not None:
        _finish(work, charge, replace(report, transaction_id=row.id), rules)
    return answer


def ask_to_stop(
    work: Work, session_id: str, reason: str, rules: Rules = DEFAULT, *, actor: Actor | None = None
) -> Charge:
    """Ask for the end of a running session; asking again changes nothing. Raises SessionOver when it has ended.

    An `actor` is a member whose act it is; a driver is none.
    """
    charge = charge_named(work.sql, session_id)
    if charge.session.status is Status.STOPPING:
        return charge
    if charge.session.status not in ACTIVE:
        raise SessionOver(said("This session is not running, so there is nothing to stop."), session=session_id)
    if actor is not None:
        record_act(work, actor, "stop session", f"session/{session_id}")
    return let(work, charge, StopAsked(reason), rules)


def _finish(work: Work, charge: Charge, report: StopReport, rules: Rules) -> None:
    """Take the last readings and let the session end; the register's last word counts when it can be true."""
    readings = []
    if not charge.session.over:
        for sample in report.samples:
            charge = follow(charge, sample, work.now, rules)
            charge, _, _ = count(work, charge, rules)
            readings.append(as_reading(charge.station, charge.connector, report.transaction_id, sample, charge))
        final = Sample(report.stopped, _final_register(charge, report), power_w=0, context="Transaction.End")
        charge = _follow_final(work, charge, final, rules)
        readings.append(as_reading(charge.station, charge.connector, report.transaction_id, final, charge))
        charge, cost_msat, _ = count(work, charge, rules, until=correct(charge, report.stopped, work.now))
        energy_wh = charge.progress.register.total_wh if charge.progress.register else 0
        charge = advance_session(work, charge, Finished(energy_wh, cost_msat, report.reason), rules)
    store_readings(work, readings)
    save_session(work, charge)


def _follow_final(work: Work, charge: Charge, final: Sample, rules: Rules) -> Charge:
    """Take the last reading; no later one can show that a charger grew strong unheard, so what it showed before tells.

    Where nothing was ever measured but in this charge, and little in it, it may have given whatever a charger can.
    """
    followed = follow(charge, final, work.now, rules, final=True)
    register, after = charge.progress.register, followed.progress.register
    if register is None or after is None or after.suspect_wh is None or after.suspect_wh <= after.last_wh:
        return followed
    strongest = strongest_w(
        work.sql, charge.station, charge.connector, but=charge.session.transaction_id, power_max_w=rules.power_max_w
    )
    if not register.peak_w or (strongest is None and register.seen_wh >= KNOWN_WH):
        return followed
    known = know_peak(register, strongest or rules.power_max_w)
    believing = replace(charge, progress=replace(charge.progress, register=known))
    believed = follow(believing, final, work.now, rules, final=True)
    told = believed.progress.register
    if told is None or told.total_wh <= after.total_wh:
        return believed
    return replace(believed, progress=replace(believed.progress, register=note_gap(told)))


def _final_register(charge: Charge, report: StopReport) -> int | None:
    """Return the last register, or None when the station has plainly lost it."""
    register = charge.progress.register
    if report.meter_stop_wh == NO_REGISTER and register is not None and register.last_wh > 0:
        return None
    return report.meter_stop_wh


def _authorisation(work: Work, report: StopReport) -> Authorisation | None:
    if not report.id_tag or report.id_tag == NO_TAG:
        return None
    known = store.local_tag(work.sql, report.id_tag) or store.charge_by_tag(work.sql, report.station, report.id_tag)
    return Authorisation.ACCEPTED if known else Authorisation.INVALID


def _transaction(work: Work, report: StopReport) -> Row[Any] | None:
    """Find the transaction that is meant: by its number at this station, its tag, or as the only one it can be.

    A one-time tag names its own charge and no other, however long that is over; and a tag never ends what began under
    another one. Without a tag the only transaction that is open at the station is meant, if the register fits: an end
    that is missed costs a wait, one that is guessed wrong gives away what flows after it. A number that a restored
    backup has forgotten is of a transaction that nobody knows any more.
    """
    row = store.transaction_by_id(work.sql, report.transaction_id) if report.transaction_id > 0 else None
    if row is not None and row.station == report.station:
        return row
    tag = report.id_tag if report.id_tag != NO_TAG else None
    own = store.charge_by_tag(work.sql, report.station, tag) if tag else None
    if own is not None:
        return store.transaction_by_id(work.sql, own.session.transaction_id or 0)
    if row is None and was_given_out(work.sql, report.transaction_id):
        return None
    running = [
        (row, charge)
        for row, charge in store.open_transactions(work.sql, report.station)
        if _can_end(row, charge, report) and (not tag or same_tag(row.id_tag, tag))
    ]
    if len(running) != 1:
        return None
    only, charge = running[0]
    return only if tag or _continues(only, charge, report, work.now) else None


def _can_end(row: Row[Any], charge: Charge | None, report: StopReport) -> bool:
    """Whether a transaction may be the one whose end is reported: it began before that, by its station's clock."""
    if charge is None or charge.began is None:
        return bool(report.stopped.ms >= row.started_ms - CLOCK_MS)
    return report.stopped.ms + charge.progress.offset_ms >= charge.began.ms - CLOCK_MS


def _continues(row: Row[Any], charge: Charge | None, report: StopReport, now: Instant) -> bool:
    """Whether the register of an end can follow the last one of a transaction; a lost one says nothing against it."""
    register = None if charge is None else charge.progress.register
    if charge is None or register is None:
        return bool(report.meter_stop_wh >= row.meter_start_wh)
    if _final_register(charge, report) is None:
        return True
    sample = Sample(report.stopped, report.meter_stop_wh, power_w=0, context="Transaction.End")
    followed = follow(charge, sample, now, DEFAULT, final=True).progress.register
    return followed is not None and followed.last_wh == report.meter_stop_wh * register.scale
