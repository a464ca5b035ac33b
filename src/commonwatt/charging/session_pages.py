"""The owner's pages about sessions: the list with its chart, one session with its story, what may be done to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from litestar import get, post
from litestar.di import Provide
from litestar.params import Parameter, QueryParameter
from litestar.response import Redirect, Stream, Template
from sqlalchemy import Connection

from commonwatt.charging import queries
from commonwatt.charging.actions.release_change import release_change
from commonwatt.charging.actions.stop_session import ask_to_stop
from commonwatt.charging.charge import Charge
from commonwatt.charging.driver_view import both_now, both_of, short_address
from commonwatt.charging.finding import charge_named
from commonwatt.charging.period_sums import period_chart, sums_by_day, sums_by_month
from commonwatt.charging.queries import SessionFilter
from commonwatt.charging.rules import Rules
from commonwatt.charging.session_view import owner_context
from commonwatt.charging.showing import address_for
from commonwatt.kernel import Amount, Asset, Clock, Instant
from commonwatt.kit.database import Database
from commonwatt.kit.web import CSV_ROWS_MAX, Paging, Site, csv_answer, sorted_page
from commonwatt.kit.web.days import day_begins, today_begins
from commonwatt.members import Actor, mask_id_tag, require_proof, require_scope
from commonwatt.stations import station_names

READ, WRITE = [require_scope("sessions:read")], [require_scope("sessions:write")]
DAYS = 31
Search = Annotated[str, Parameter(max_length=100)]
Day = Annotated[str, Parameter(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
Identity = Annotated[str, Parameter(max_length=64)]
State = Annotated[
    str, QueryParameter(name="status", pattern="^(offered|starting|started|charging|stopping|ended|cancelled|)$")
]
Owed = Annotated[str, Parameter(pattern="^(yes|)$")]
Order = Annotated[str, QueryParameter(name="sort", pattern=queries.ORDERING.pattern)]
Range = Annotated[str, QueryParameter(name="by", pattern="^(day|month|)$")]


async def wanted_sessions(
    site: Site,
    actor: Actor,
    q: Search = "",
    station: Identity = "",
    in_state: State = "",
    since: Day = "",
    until: Day = "",
    owed: Owed = "",
) -> SessionFilter:
    """Read the filter bar. Days are whole ones of the site's zone. Raises BadRequest for a day that does not exist.

    Who may not see id tags does not find one by its text either.
    """
    return SessionFilter(
        station=station or None,
        status=in_state or None,
        since=day_begins(since, site),
        until=day_begins(until, site, days=1, field="until"),
        text=q.strip(),
        owed=bool(owed),
        tags=actor.sees_id_tags,
    )


FILTERED = {"wanted": Provide(wanted_sessions)}
"""The filter bar, for the list and its file."""


@get("/sessions", guards=READ, dependencies=FILTERED, include_in_schema=False)
async def show_sessions(
    database: Database,
    clock: Clock,
    site: Site,
    actor: Actor,
    paging: Paging,
    wanted: SessionFilter,
    by: Range = "",
    order: Order = "",
) -> Template:
    """List sessions, the newest first or as asked, below a chart of what was charged."""
    sorted_by = (queries.ORDERING, order or queries.NEWEST, paging)
    page = await sorted_page(database, queries.list_sessions, wanted, order=sorted_by)
    now = clock.now()
    today = today_begins(now, site)
    context = {
        "sessions": page.items,
        "next_cursor": page.next_cursor,
        "names": await database.read(station_names),
        "totals": await database.read(queries.sum_sessions, today, now.plus(seconds=1)),
        "running": len(await database.read(queries.running_sessions)),
        "owed": await database.read(_owed, site, now),
        "changes": await database.read(_changes, page.items),
        "filtered": wanted != SessionFilter(tags=wanted.tags),
        "by": by or "day",
        **await database.read(_chart, site, now, by or "day"),
        "sees_tags": actor.sees_id_tags,
    }
    return Template("charging/sessions.html", context=context)


def _owed(sql: Connection, site: Site, now: Instant) -> dict[str, Any]:
    """Return of how many sessions change is owed, and how much in all at the present rate."""
    number, msat = queries.sum_owed(sql)
    return {"sessions": number, **both_now(sql, site.currency, msat, now)}


def _changes(sql: Connection, charges: Sequence[Charge]) -> dict[str, Any]:
    """Return the change of those that are owed some, at the rate that each has locked."""
    return {charge.id: both_of(sql, charge, charge.owed_msat) for charge in charges if charge.owed_msat > 0}


def _chart(sql: Connection, site: Site, now: Instant, by: str) -> dict[str, Any]:
    """Return the chart of the last days or months, and what its bars come to."""
    today = now.utc().astimezone(site.zone).date()
    if by == "month":
        periods = sums_by_month(sql, site.zone, site.currency, today)
    else:
        periods = sums_by_day(sql, site.zone, site.currency, today - timedelta(days=DAYS - 1), today)
    chart = period_chart(periods, site.currency, site.timezone, ("Energy", "Money"), by)
    money = Amount(Asset.of(site.currency), sum(period.units for period in periods))
    return {
        "chart": chart,
        "span": {
            "sessions": sum(period.sessions for period in periods),
            "energy_wh": sum(period.energy_wh for period in periods),
            "money": money,
        },
    }


@get("/sessions.csv", guards=READ, dependencies=FILTERED, include_in_schema=False)
async def export_sessions(database: Database, actor: Actor, wanted: SessionFilter, order: Order = "") -> Stream:
    """Give the same list as a file; money in msat, gross and what is paid of it in millionths of its currency."""
    rows = await database.read(queries.list_sessions, wanted, sort=order or queries.NEWEST, limit=CSV_ROWS_MAX)
    header = (
        "id", "status", "kind", "station", "connector", "id_tag", "made", "began", "ended", "energy_wh", "asset",
        "gross_units", "earned_units", "paid_msat", "billed_msat", "returned_msat", "owed_msat", "reason",
    )  # fmt: skip
    return csv_answer("sessions", header, (_csv_row(charge, actor) for charge in rows))


def _csv_row(charge: Charge, actor: Actor) -> tuple[Any, ...]:
    session = charge.session
    place = (charge.station, charge.connector, mask_id_tag(actor, charge.id_tag))
    times = (charge.made, charge.began, charge.ended)
    money = (session.paid_msat, session.billed_msat, charge.returned_msat, charge.owed_msat)
    told = (session.energy_wh, charge.asset, charge.gross_units, charge.earned_units, *money, session.reason)
    return (charge.id, session.status.value, charge.kind.value, *place, *times, *told)


@get("/sessions/{session_id:str}", guards=READ, include_in_schema=False)
async def show_session(
    session_id: str, database: Database, clock: Clock, site: Site, actor: Actor, done: str = ""
) -> Template:
    """Show one session to its owner."""
    charge = await database.read(charge_named, session_id)
    context = await database.read(owner_context, charge, clock.now(), site.timezone)
    may_act = actor.may("sessions:write")
    address = short_address(address_for(actor, charge) or "")
    shown = {"may_act": may_act, "done": done, "id_tag": mask_id_tag(actor, charge.id_tag), "address": address}
    return Template("charging/owner_session.html", context={**context, **shown})


@post("/sessions/{session_id:str}/stop", guards=WRITE, include_in_schema=False)
async def stop_session(session_id: str, database: Database, actor: Actor, rules: Rules) -> Redirect:
    """Ask the station to end a session; what was not used is the driver's."""
    await database.write(ask_to_stop, session_id, f"{actor.name} stopped it", rules, actor=actor)
    return Redirect(f"/sessions/{session_id}?done=stop", status_code=303)


@post("/sessions/{session_id:str}/release", guards=[*WRITE, require_proof], include_in_schema=False)
async def release_session(session_id: str, database: Database, actor: Actor) -> Redirect:
    """Let the change go that was withheld since a backup was restored."""
    await database.write(release_change, session_id, actor=actor)
    return Redirect(f"/sessions/{session_id}?done=release", status_code=303)


ROUTES = [show_sessions, export_sessions, show_session, stop_session, release_session]
