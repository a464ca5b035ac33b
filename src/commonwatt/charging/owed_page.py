"""The owner's page of the change that nobody has taken, and letting go what is withheld since a backup was restored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter, QueryParameter
from litestar.response import Redirect, Stream, Template
from sqlalchemy import Connection

from commonwatt.charging import queries
from commonwatt.charging.actions.release_change import release_changes
from commonwatt.charging.charge import Charge
from commonwatt.charging.driver_view import Both, both_now, both_of
from commonwatt.charging.showing import address_for
from commonwatt.charging.store import withholding_charges
from commonwatt.kernel import Clock
from commonwatt.kit.database import Database
from commonwatt.kit.web import CSV_ROWS_MAX, AsFile, Paging, Site, csv_answer, sorted_page
from commonwatt.members import Actor, require_proof, require_scope
from commonwatt.stations import station_names

RELEASES = [require_scope("sessions:write"), require_proof]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/owed", guards=[require_scope("payments:read")], include_in_schema=False)
async def show_owed(
    database: Database,
    clock: Clock,
    site: Site,
    actor: Actor,
    paging: Paging,
    order: Annotated[str, QueryParameter(name="sort", pattern=queries.ORDERING.pattern)] = "",
    q: Annotated[str, Parameter(max_length=100)] = "",
    as_file: AsFile = "",
    done: Annotated[str, Parameter(pattern="^(released|)$")] = "",
) -> Template | Stream:
    """List the change that nobody has taken yet."""
    wanted = queries.SessionFilter(owed=True, text=q, tags=actor.sees_id_tags)
    sort = order or queries.NEWEST
    if as_file:
        charges = await database.read(queries.list_sessions, wanted, sort=sort, limit=CSV_ROWS_MAX)
        header = ("session", "ended", "station", "connector", "paid_msat", "owed_msat", "address", "withheld")
        return csv_answer("change-owed", header, (_csv_row(charge, actor) for charge in charges))
    sorted_by = (queries.ORDERING, sort, paging)
    page = await sorted_page(database, queries.list_sessions, wanted, order=sorted_by)
    number, msat = await database.read(queries.sum_owed)
    withheld = await database.read(withholding_charges)
    withheld_msat = sum(charge.owed_msat for charge in withheld)
    context = {
        "sessions": page.items,
        "next_cursor": page.next_cursor,
        "number": number,
        "total": await database.read(both_now, site.currency, msat, clock.now()),
        "money": await database.read(_owed_money, page.items),
        "addresses": {charge.id: address_for(actor, charge) for charge in page.items},
        "names": await database.read(station_names),
        "withheld": [charge.id for charge in withheld],
        "addressed": sum(bool(charge.address) for charge in withheld),
        "withheld_total": await database.read(both_now, site.currency, withheld_msat, clock.now()),
        "may_release": actor.may("sessions:write"),
        "done": done,
    }
    return Template("charging/owed.html", context=context)


def _csv_row(charge: Charge, actor: Actor) -> tuple[object, ...]:
    place = (charge.id, charge.ended, charge.station, charge.connector)
    return (*place, charge.session.paid_msat, charge.owed_msat, address_for(actor, charge), charge.withheld)


def _owed_money(sql: Connection, charges: Sequence[Charge]) -> dict[str, dict[str, Both]]:
    """Return what each session's driver paid and is owed, at the rate that the session has locked."""
    return {
        charge.id: {
            "paid": both_of(sql, charge, charge.session.paid_msat),
            "owed": both_of(sql, charge, charge.owed_msat),
        }
        for charge in charges
    }


@post("/owed/release", guards=RELEASES, include_in_schema=False)
async def release_owed(data: Form, database: Database, actor: Actor) -> Redirect:
    """Let go the withheld change of the sessions that were confirmed, by their ids with commas between."""
    ids = [one for one in data.get("sessions", "").split(",") if one]
    await database.write(release_changes, ids, actor=actor)
    return Redirect("/owed?done=released", status_code=303)


ROUTES = [show_owed, release_owed]
