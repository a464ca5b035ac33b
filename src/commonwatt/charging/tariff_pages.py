"""The owner's pages about tariffs in use: which there are, where each holds, what it would cost.

Making and changing one lives with tariffs; where they hold names stations, which tariffs do not know.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter
from litestar.response import Redirect, Stream, Template
from sqlalchemy import Connection

from commonwatt.charging.driver_view import both
from commonwatt.charging.prepaying import cost_of_beginning
from commonwatt.charging.rules import Rules
from commonwatt.kernel import BTC, Amount, Clock, Fault, Instant, Rounding, said
from commonwatt.kit.database import Database, Work
from commonwatt.kit.web import CSV_ROWS_MAX, BadRequest, Paging, Site, csv_answer, page_of
from commonwatt.kit.web.days import local_moment
from commonwatt.members import Actor, require_scope
from commonwatt.stations import check_place, list_connectors, list_stations, station_names
from commonwatt.tariffs import (
    Listed,
    Rate,
    Tariff,
    assign_tariff,
    assignment_history,
    current_rate,
    explain,
    fiat_to_msat,
    history,
    list_tariffs,
    preview,
    show_tariff,
)

READ, WRITE = [require_scope("tariffs:read")], [require_scope("tariffs:write")]
Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
Search = Annotated[str, Parameter(max_length=100)]
Figure = Annotated[str, Parameter(max_length=20)]
Moment = Annotated[str, Parameter(max_length=40)]
SITE_PLACE = "*"
CSV_HEADER = ("id", "name", "version", "versions", "currency", "prices", "vat_included", "holds_at", "retired")
KWH_MAX, MINUTES_MAX = 10_000, 43_200
MINUTE_S = 60


@get("/tariffs", guards=READ, include_in_schema=False)
async def show_tariffs(
    database: Database, clock: Clock, site: Site, actor: Actor, paging: Paging, q: Search = "", retired: Search = ""
) -> Template:
    """List tariffs with where they hold, and the exchange rate of now."""
    key = paging.key(str)
    rows = await database.read(
        list_tariffs, clock.now(), limit=paging.limit + 1, after=str(key[0]) if key else "",
        retired=bool(retired), search=q.strip(),
    )  # fmt: skip
    page = page_of(rows, paging, lambda row: row, lambda row: (row.id,))
    rate, why = await database.read(rate_now, site.currency, clock.now())
    context = {
        "tariffs": page.items,
        "next_cursor": page.next_cursor,
        "filtered": bool(q or retired),
        "may_change": actor.may("tariffs:write"),
        "rate": rate,
        "rate_why": why,
        "names": await database.read(station_names),
        "now": clock.now(),
    }
    return Template("tariffs/tariffs.html", context=context)


@get("/tariffs.csv", guards=READ, include_in_schema=False)
async def export_tariffs(database: Database, clock: Clock, q: Search = "", retired: Search = "") -> Stream:
    """Give the same list as a file: each tariff's version of now, its prices in words, and where it holds."""
    found = await database.read(list_tariffs, clock.now(), limit=CSV_ROWS_MAX, retired=bool(retired), search=q.strip())
    return csv_answer("tariffs", CSV_HEADER, (_csv_row(listed) for listed in found))


def _csv_row(listed: Listed) -> tuple[Any, ...]:
    tariff = listed.current
    holds = [f"{one.station or SITE_PLACE}{f'/{one.connector}' if one.connector else ''}" for one in listed.places]
    told: tuple[Any, ...] = (None, listed.versions, None, None, None)
    if tariff is not None:
        told = (tariff.version, listed.versions, tariff.asset.code, " ".join(explain(tariff)), tariff.vat_included)
    return (listed.id, listed.name, *told, " ".join(holds), listed.retired)


def rate_now(sql: Connection, currency: str, now: Instant) -> tuple[Rate | None, str]:
    """Return the rate that a session would lock now, or why there is none."""
    try:
        return current_rate(sql, currency, now), ""
    except Fault as error:
        return None, error.said


@get("/tariffs/{tariff_id:str}", guards=READ, include_in_schema=False)
async def show_one(
    tariff_id: str,
    database: Database,
    clock: Clock,
    site: Site,
    actor: Actor,
    rules: Rules,
    energy_kwh: Figure = "30",
    minutes: Figure = "60",
    parked: Figure = "0",
    start: Moment = "",
    done: str = "",
) -> Template:
    """Show one tariff: its prices, what a charge would cost, where it holds, every version."""
    listed = await database.read(show_tariff, tariff_id, clock.now())
    use = {"energy_kwh": energy_kwh, "minutes": minutes, "parked": parked, "start": start}
    context = {
        "listed": listed,
        "versions": await database.read(history, tariff_id),
        "may_change": actor.may("tariffs:write"),
        "preview": await database.read(_preview, listed, clock.now(), site, use),
        "beyond": await database.read(_beyond, listed.current, clock.now(), rules),
        "assignments": await database.read(assignment_history, tariff_id=tariff_id),
        "places": await database.read(_places),
        "names": await database.read(station_names),
        "now": clock.now(),
        "done": done,
    }
    return Template("tariffs/tariff.html", context=context)


def _preview(sql: Connection, listed: Listed, now: Instant, site: Site, use: dict[str, str]) -> dict[str, Any]:
    """Return what a charge would cost, by the same function that bills; its start is by the clock of the site."""
    here = now.utc().astimezone(site.zone).replace(tzinfo=None).isoformat(timespec="minutes")
    heard: dict[str, Any] = {**use, "start": use["start"] or here, "begins": now, "bill": None, "sats": None}
    tariff = listed.current
    if tariff is None:
        return {**heard, "wrong": ""}
    try:
        energy_wh = _whole(use["energy_kwh"], 1000, KWH_MAX)
        spans = [_whole(use[name], MINUTE_S, MINUTES_MAX) for name in ("minutes", "parked")]
        begins = local_moment(use["start"], site, "start") or now
    except BadRequest as error:
        return {**heard, "wrong": error.said}
    bill = preview(tariff, energy_wh, spans[0], spans[1], begins)
    return {**heard, "begins": begins, "bill": bill, "sats": sats_of(sql, tariff, bill.gross, now), "wrong": ""}


def _beyond(sql: Connection, tariff: Tariff | None, now: Instant, rules: Rules) -> dict[str, Any] | None:
    """Return what a charge begins with, where nobody may pay as much at once: then the tariff sells nothing prepaid."""
    if tariff is None:
        return None
    rate = None if tariff.asset.code == BTC.code else rate_now(sql, tariff.asset.code, now)[0]
    if rate is None and tariff.asset.code != BTC.code:
        return None
    begins_msat = cost_of_beginning(tariff, rate, now)
    if begins_msat <= rules.payment_max_msat:
        return None
    return {"least": both(tariff, rate, begins_msat), "most": both(tariff, rate, rules.payment_max_msat)}


def sats_of(sql: Connection, tariff: Tariff, gross: int, now: Instant) -> Amount | None:
    """Return what an amount in a tariff's currency is in bitcoin now; None without a rate, and for bitcoin itself."""
    if tariff.asset.code == BTC.code:
        return None
    rate, _ = rate_now(sql, tariff.asset.code, now)
    return None if rate is None else Amount(BTC, fiat_to_msat(gross, rate, Rounding.UP).quotient)


def _whole(text: str, times: int, most: int) -> int:
    """Read a figure that a person typed, times a unit, rounded down. Raises BadRequest."""
    try:
        figure = Decimal(text.strip().replace(",", ".") or "0")
    except InvalidOperation:
        figure = Decimal(-1)
    if not figure.is_finite() or not 0 <= figure <= most:
        raise BadRequest(
            said("%(text)s is no number from 0 to %(most)s.", text=repr(text[:20]), most=most), field="energy_kwh"
        )
    return int(figure * times)


def _places(sql: Connection) -> list[dict[str, Any]]:
    """Return where a tariff may hold: each station and each of its connectors, `value` as the form sends it."""
    places: list[dict[str, Any]] = []
    for view in list_stations(sql, state="admitted", limit=500):
        places.append({"value": view.identity, "name": view.name, "number": 0, "label": ""})
        places += [
            {"value": f"{view.identity}/{one.number}", "name": view.name, "number": one.number, "label": one.label}
            for one in list_connectors(sql, identity=view.identity, limit=100)
        ]
    return places


@post("/tariffs/{tariff_id:str}/assign", guards=WRITE, include_in_schema=False)
async def assign(tariff_id: str, data: Form, database: Database, actor: Actor) -> Redirect:
    """Let a tariff hold at the site, a station or a connector from now on."""
    station, number = read_place(str(data.get("place", "")))

    def act(work: Work) -> None:
        check_place(work.sql, station, number)
        assign_tariff(work, tariff_id, station, number, actor=actor)

    await database.write(act)
    return Redirect(f"/tariffs/{tariff_id}?done=assigned", status_code=303)


@post("/tariffs/{tariff_id:str}/unassign", guards=WRITE, include_in_schema=False)
async def unassign(tariff_id: str, data: Form, database: Database, actor: Actor) -> Redirect:
    """Take a place's own tariff away, so that the wider one holds there."""
    station, number = read_place(str(data.get("place", "")))
    await database.write(assign_tariff, None, station, number, actor=actor)
    return Redirect(f"/tariffs/{tariff_id}?done=unassigned", status_code=303)


def read_place(text: str) -> tuple[str, int]:
    """Read `*`, `CP-1` or `CP-1/2` as a station (empty for the site) and a connector. Raises BadRequest."""
    if text == SITE_PLACE:
        return "", 0
    station, slash, number = text.rpartition("/")
    if not slash:
        station, number = text, "0"
    if not station or len(station) > 64 or not (number.isascii() and number.isdigit() and len(number) < 4):  # noqa: PLR2004 (widths of the columns)
        raise BadRequest(said("Choose a place of the list."), field="place")
    return station, int(number)


ROUTES = [show_tariffs, export_tariffs, show_one, assign, unassign]
