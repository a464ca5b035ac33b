"""A station began a transaction: find whose it is, number it once, and let its session begin."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import select

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import advance_session, save_session
from commonwatt.charging.actions.meter_charge import AHEAD_MS
from commonwatt.charging.charge import Charge, Kind, Progress
from commonwatt.charging.effects import AskStop
from commonwatt.charging.model.happenings import Began, Vanished
from commonwatt.charging.model.session import Session, Status
from commonwatt.charging.pricing import open_price
from commonwatt.charging.reports import Authorisation, StartAnswer, StartReport, same_tag
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.charging.secrets import new_secret
from commonwatt.kernel import Instant
from commonwatt.kit.database import Work
from commonwatt.metering import open_register
from commonwatt.stations import list_connectors
from commonwatt.tariffs import Tariff, tariff_for
from commonwatt.tariffs.errors import NoTariff

EARLY_MS = 30 * 24 * 3600 * 1000
"""A start older than this was told by a wrong clock, not by a station that was offline."""


class _Holder(NamedTuple):
    """Whose an id tag is: a session's that waits for its transaction, a local user's, or nobody's."""

    charge: Charge | None
    authorisation: Authorisation
    tag_id: str | None = None
    """The record of the local tag that may charge on account."""


def authorise(work: Work, station: str, id_tag: str) -> Authorisation:
    """Tell what we think of an id tag at a station, before anything begins."""
    holder = _holder_of(work, station, id_tag, new=False)
    if holder.charge is None and holder.authorisation is Authorisation.ACCEPTED and not _sells(work, station):
        return Authorisation.INVALID
    return holder.authorisation


def start_session(work: Work, report: StartReport, rules: Rules = DEFAULT) -> StartAnswer:
    """Record the beginning of a transaction and answer with its number and our opinion of its id tag.

    The same report again, under any message id and with whatever time, gets the same answer. A one-time tag begins one
    transaction only.
    """
    known = _find(work, report)
    if known is not None:
        return known
    holder = _holder_of(work, report.station, report.id_tag, new=True)
    charge = holder.charge
    if charge is not None and charge.session.transaction_id and not charge.session.over:
        return StartAnswer(charge.session.transaction_id, holder.authorisation)
    _push_out(work, report, charge, rules)
    began, offset_ms = _beginning(report, charge, work.now)
    authorisation = holder.authorisation
    if holder.tag_id is not None:
        charge = _open_local(work, report, began, holder.tag_id)
        authorisation = Authorisation.INVALID if charge is None else authorisation
    refused = authorisation is not Authorisation.ACCEPTED
    cancelled = charge is not None and charge.session.status is Status.CANCELLED
    number = _insert(work, report, None if refused and not cancelled else charge, authorisation)
    if charge is None or refused:
        if charge is not None and cancelled:
            store.save_charges(work, [advance_session(work, charge, Began(number), rules)])
        else:
            work.request(AskStop("", report.station, number), after_ms=5_000)
        return StartAnswer(number, authorisation)
    progress = replace(
        charge.progress,
        register=open_register(report.meter_start_wh, began.ms),
        offset_ms=offset_ms,
        moved_ms=began.ms,
        heard_ms=work.now.ms,
    )
    charge = replace(charge, began=began, connector=report.connector, progress=progress)
    charge = replace(charge, progress=replace(charge.progress, tally=open_price(work.sql, charge, began)))
    save_session(work, advance_session(work, charge, Began(number), rules))
    return StartAnswer(number, Authorisation.ACCEPTED)


def _find(work: Work, report: StartReport) -> StartAnswer | None:
    columns = store.transactions.c
    row = work.sql.execute(
        select(columns.id, columns.authorisation).where(
            columns.station == report.station,
            columns.connector == report.connector,
            columns.started_ms == report.started.ms,
            columns.meter_start_wh == report.meter_start_wh,
            columns.id_tag == report.id_tag,
        )
    ).one_or_none()
    return _running(work, report) if row is None else StartAnswer(row.id, Authorisation(row.authorisation))


def _running(work: Work, report: StartReport) -> StartAnswer | None:
    """Find the running transaction that is reported again with another time: its station's clock is wrong, or was set.

    The register tells: a second charge would begin where the first one ended.
    """
    for charge in store.active_charges(work.sql, report.station, report.connector):
        number = charge.session.transaction_id
        row = store.transaction_by_id(work.sql, number) if number and same_tag(charge.id_tag, report.id_tag) else None
        if row is not None and row.stopped_ms is None and row.meter_start_wh == report.meter_start_wh:
            return StartAnswer(row.id, Authorisation(row.authorisation))
    return None


def _holder_of(work: Work, station: str, id_tag: str, *, new: bool) -> _Holder:
    """Find whose an id tag is. `new`: a transaction begins under it, not only a question."""
    charge = store.charge_by_tag(work.sql, station, id_tag)
    if charge is not None:
        match charge.session.status:
            case Status.STARTING | Status.STARTED | Status.CHARGING | Status.STOPPING:
                return _Holder(charge, Authorisation.ACCEPTED)
            case _:
                return _Holder(charge if new else None, Authorisation.INVALID)
    tag = store.local_tag(work.sql, id_tag)
    if tag is None:
        return _Holder(None, Authorisation.INVALID)
    if tag.state != "accepted":
        return _Holder(None, Authorisation.BLOCKED)
    return _Holder(None, Authorisation.ACCEPTED, tag.id)


def _push_out(work: Work, report: StartReport, own: Charge | None, rules: Rules) -> None:
    """A connector has one transaction: another that we still believe in there is over and will be billed.

    One that began after the reported one goes on: a station that was away tells its past late.
    """
    for other in store.active_charges(work.sql, report.station, report.connector):
        began_before = other.began is None or report.started.ms + other.progress.offset_ms >= other.began.ms
        is_other = (own is None or other.id != own.id) and other.session.transaction_id is not None
        if is_other and began_before:
            still = replace(other, progress=replace(other.progress, flowing=False))
            store.save_charges(work, [advance_session(work, still, Vanished(patience_s=5), rules)])


def _sells(work: Work, station: str) -> bool:
    """Whether any connector of a station has a price: without one nothing can be charged on account either."""
    numbers = [view.number for view in list_connectors(work.sql, identity=station, limit=100)] or [1]
    return any(_tariff(work, station, number, work.now) is not None for number in numbers)


def _tariff(work: Work, station: str, connector: int, began: Instant) -> Tariff | None:
    """Return the price of the moment when a charge began, however late it is told; today's if there was none then."""
    for at in (began, work.now):
        with contextlib.suppress(NoTariff):
            return tariff_for(work.sql, station, connector, at)
    return None


def _open_local(work: Work, report: StartReport, began: Instant, tag_id: str) -> Charge | None:
    """Open a session on account for a tag of the owner's; None where nothing has a price."""
    tariff = _tariff(work, report.station, report.connector, began)
    if tariff is None:
        return None
    charge = Charge(
        id=work.new_id(),
        secret=new_secret(work),
        kind=Kind.LOCAL,
        station=report.station,
        connector=report.connector,
        id_tag=report.id_tag,
        tariff_version=tariff.version,
        rate_id=None,
        made=work.now,
        progress=Progress(Session(Status.STARTING, prepaid=False), heard_ms=work.now.ms),
        asset=tariff.asset.code,
        tag_id=tag_id,
    )
    store.insert_charge(work, charge)
    return charge


def _insert(work: Work, report: StartReport, charge: Charge | None, authorisation: Authorisation) -> int:
    inserted = work.sql.execute(
        store.transactions.insert()
        .values(
            session_id=None if charge is None else charge.id,
            station=report.station,
            connector=report.connector,
            id_tag=report.id_tag,
            authorisation=authorisation.value,
            meter_start_wh=report.meter_start_wh,
            started_ms=report.started.ms,
            received_ms=work.now.ms,
        )
        .returning(store.transactions.c.id)
    )
    return int(inserted.scalar_one())


def _beginning(report: StartReport, charge: Charge | None, now: Instant) -> tuple[Instant, int]:
    """Return when the charge began by our clock, and what to add to the station's times for it.

    A station's time is taken as it is when it can be true: not in the future, not weeks ago, and for a prepaid session
    not before its payment. Anything else is a wrong clock; then it began when we heard of it.
    """
    earliest = now.ms - EARLY_MS if charge is None else charge.made.ms - AHEAD_MS
    if earliest <= report.started.ms <= now.ms + AHEAD_MS:
        return Instant(min(report.started.ms, now.ms)), 0
    return now, now.ms - report.started.ms
