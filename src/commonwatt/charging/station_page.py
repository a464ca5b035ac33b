"""The owner's page of one station: state, connectors, configuration, frames, commands; and its printed codes."""

from __future__ import annotations

from typing import Annotated, Any, cast
from urllib.parse import quote

from litestar import get
from litestar.params import Parameter
from litestar.response import Stream, Template

from commonwatt.charging import queries
from commonwatt.charging.lnurl import pay_url
from commonwatt.charging.station_view import overview_of
from commonwatt.kernel import Clock, Instant
from commonwatt.kit.database import Database
from commonwatt.kit.web import CSV_ROWS_MAX, Paging, Site, csv_answer, form_key, page_of
from commonwatt.kit.web.days import day_begins
from commonwatt.members import Actor, require_scope
from commonwatt.protocols.lnurl import page_link
from commonwatt.stations import (
    ADMITTED,
    COMMANDS,
    TRIGGERS,
    WAIVERS,
    ConnectorView,
    FrameView,
    list_configuration,
    list_connectors,
    list_frames,
    open_for_trial,
    station_of,
)

READ = [require_scope("stations:read")]
TABS = ("overview", "messages", "configuration", "commands", "settings")
Word = Annotated[str, Parameter(pattern="^[A-Za-z]{0,40}$")]
Tab = Annotated[str, Parameter(pattern="^(" + "|".join(TABS) + "|)$")]
Search = Annotated[str, Parameter(max_length=100)]
Names = Annotated[str, Parameter(max_length=4000)]
Day = Annotated[str, Parameter(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
Direction = Annotated[str, Parameter(pattern="^(in|out|)$")]


@get("/stations/{identity:str}", guards=READ, include_in_schema=False)
async def show_station(
    identity: str,
    database: Database,
    clock: Clock,
    config: Any,
    site: Site,
    actor: Actor,
    paging: Paging,
    tab: Tab = "",
    q: Search = "",
    action: Word = "",
    direction: Direction = "",
    since: Day = "",
    until: Day = "",
    sent: Word = "",
    outcome: Word = "",
    status: Word = "",
    done: Word = "",
) -> Template:
    """Show a station."""
    view = await database.read(station_of, identity)
    here = tab or "overview"
    context: dict[str, Any] = {
        "station": view,
        "connectors": await database.read(list_connectors, identity=identity, limit=100),
        "tab": here,
        "trial": open_for_trial(config),
        "may_change": actor.may("stations:write"),
        "may_command": actor.may("stations:command"),
        "sees_tags": actor.sees_id_tags,
        "sent": {"action": sent, "outcome": outcome, "status": status} if sent else None,
        "done": done,
        "waivers": WAIVERS,
    }
    match here:
        case "overview":
            context |= await database.read(overview_of, view, clock.now(), site)
            context["tags"] = await database.read(queries.list_tags) if context["may_command"] else []
            context["triggers"] = TRIGGERS
        case "messages":
            wanted = _wanted(site, actor, q, action, direction, since, until)
            context |= await _messages(database, paging, identity, wanted)
        case "configuration":
            context["settings"] = await database.read(list_configuration, identity)
        case "commands":
            context["commands"] = COMMANDS
            masked = not actor.sees_id_tags
            context["frames"] = await database.read(
                list_frames, identity=identity, action=sent or None, limit=6, masked=masked
            )
        case _:
            context["once"] = form_key(database)
    return Template("stations/station.html", context=context)


def _wanted(
    site: Site, actor: Actor, search: str, action: str, direction: str, since: str, until: str
) -> dict[str, Any]:
    """Return what is asked of the list, days by the site's clock."""
    begins, ends = day_begins(since, site), day_begins(until, site, days=1, field="until")
    return {
        "search": search,
        "action": action or None,
        "direction": direction or None,
        "from_ms": None if begins is None else begins.ms,
        "to_ms": None if ends is None else ends.ms,
        "masked": not actor.sees_id_tags,
    }


async def _messages(database: Database, paging: Paging, identity: str, wanted: dict[str, Any]) -> dict[str, Any]:
    key = paging.key(int)
    before = cast("int", key[0]) if key else None
    rows = await database.read(list_frames, identity=identity, before=before, limit=paging.limit + 1, **wanted)
    page = page_of(rows, paging, lambda frame: frame, lambda frame: (frame.id,))
    filtered = any(value not in {None, ""} for name, value in wanted.items() if name != "masked")
    return {"frames": page.items, "next_cursor": page.next_cursor, "filtered": filtered}


@get("/stations/{identity:str}/messages.csv", guards=READ, include_in_schema=False)
async def export_messages(
    identity: str,
    database: Database,
    actor: Actor,
    site: Site,
    q: Search = "",
    action: Word = "",
    direction: Direction = "",
    since: Day = "",
    until: Day = "",
) -> Stream:
    """Give a station's messages as a file, id tags hidden from auditors."""
    await database.read(station_of, identity)
    wanted = _wanted(site, actor, q, action, direction, since, until)
    rows = await database.read(list_frames, identity=identity, limit=CSV_ROWS_MAX, **wanted)
    header = ("at", "direction", "kind", "action", "message_id", "text")
    return csv_answer(f"messages-{identity}", header, (_frame_row(frame) for frame in rows))


def _frame_row(frame: FrameView) -> tuple[Any, ...]:
    return (Instant(frame.at_ms), frame.direction, frame.kind, frame.action, frame.message_id, frame.text)


@get("/stations/{identity:str}/sheet", guards=READ, include_in_schema=False)
async def show_sheet(identity: str, database: Database, site: Site, connector: int | None = None) -> Template:
    """Print the codes of a station's connectors, or of one."""
    view = await database.read(station_of, identity)
    connectors = await database.read(list_connectors, identity=view.identity, limit=100)
    return _sheets([one for one in connectors if connector in (None, one.number)], site, f"/stations/{quote(identity)}")


@get("/stations/qr", guards=READ, include_in_schema=False)
async def show_sheets(database: Database, site: Site, names: Names = "") -> Template:
    """Print the codes of all connectors, or of those that are named, separated by commas."""
    connectors = await database.read(list_connectors, limit=500)
    wanted = {name for name in names.split(",") if name}
    return _sheets([one for one in connectors if _is_wanted(one, wanted)], site, "/stations")


def _is_wanted(connector: ConnectorView, names: set[str]) -> bool:
    return connector.name in names if names else connector.station_state == ADMITTED


def _sheets(connectors: list[ConnectorView], site: Site, back: str) -> Template:
    """Print codes that a plain camera opens as a page and a wallet reads as a payment."""
    sheets = [
        {
            "connector": one,
            "url": site.url(f"/c/{one.name}"),
            "code": page_link(site.url(f"/c/{one.name}"), pay_url(site, one.name)),
        }
        for one in connectors
    ]
    return Template("stations/qr_sheet.html", context={"sheets": sheets, "back": back})


ROUTES = [show_station, export_messages, show_sheet, show_sheets]
