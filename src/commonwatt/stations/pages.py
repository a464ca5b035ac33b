"""The owner's pages about stations: the list with the waiting room, adding one, and every change of one.

The page of one station shows sessions and prices too, so it lives with charging.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from litestar import Request, get, post
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter, QueryParameter
from litestar.response import Redirect, Stream, Template

from commonwatt.kernel import Failed, Instant, Refused, said
from commonwatt.kit.database import Database, Work
from commonwatt.kit.web import (
    CSV_ROWS_MAX,
    Paging,
    RowNumber,
    Site,
    csv_answer,
    form_key,
    once_hiding,
    once_key,
    shown_now,
    sorted_page,
)
from commonwatt.members import Actor, require_scope
from commonwatt.stations import queries
from commonwatt.stations.actions import admit_stations as acts
from commonwatt.stations.actions.administer import administer, note_command
from commonwatt.stations.actions.note_status import rename_connector
from commonwatt.stations.address import open_for_trial, stations_address
from commonwatt.stations.asking import COMMANDS, call_of, ending_of
from commonwatt.stations.complaint import complaint_of
from commonwatt.stations.errors import CommandInvalid
from commonwatt.stations.listing import ORDERING, StationFilter, connectors_of, page_stations
from commonwatt.stations.ports import PATIENCE_S, StationLine
from commonwatt.stations.queries import StationView
from commonwatt.stations.waivers import WAIVERS

READ = [require_scope("stations:read")]
WRITE = [require_scope("stations:write")]
COMMAND = [require_scope("stations:command")]
Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
Search = Annotated[str, Parameter(max_length=100)]
State = Annotated[str, QueryParameter(name="state", pattern="^(admitted|waiting|rejected|)$")]
Connected = Annotated[str, Parameter(pattern="^(yes|no|)$")]
Order = Annotated[str, Parameter(pattern=ORDERING.pattern)]
_NO_STORE = {"Cache-Control": "no-store"}


async def wanted_stations(q: Search = "", in_state: State = "", connected: Connected = "") -> StationFilter:
    """Read the filter bar."""
    return StationFilter(q.strip(), in_state or None, {"yes": True, "no": False}.get(connected))


FILTERED = {"wanted": Provide(wanted_stations)}
"""The filter bar, for the list and its file."""


@get("/stations", guards=READ, dependencies=FILTERED, include_in_schema=False)
async def show_stations(
    database: Database,
    actor: Actor,
    paging: Paging,
    config: Any,
    site: Site,
    wanted: StationFilter,
    sort: Order = "",
) -> Template:
    """List stations, with the waiting room on top."""
    sorted_by = (ORDERING, sort or "identity", paging)
    page = await sorted_page(database, page_stations, wanted, order=sorted_by)
    context = {
        "stations": page.items,
        "next_cursor": page.next_cursor,
        "connectors": await database.read(connectors_of, page.items),
        "waiting": await database.read(queries.list_stations, state=acts.WAITING),
        "counts": await database.read(queries.count_stations),
        "filtered": wanted != StationFilter(),
        "may_change": actor.may("stations:write"),
        "address": stations_address(config, site),
    }
    return Template("stations/stations.html", context=context)


@get("/stations.csv", guards=READ, dependencies=FILTERED, include_in_schema=False)
async def export_stations(database: Database, wanted: StationFilter, sort: Order = "") -> Stream:
    """Give the same list as a file."""
    rows = await database.read(page_stations, wanted, sort=sort or "identity", limit=CSV_ROWS_MAX)
    header = (
        "identity", "name", "state", "connected", "vendor", "model", "serial", "firmware", "last_heard", "drift_ms",
    )  # fmt: skip
    return csv_answer("stations", header, (_csv_row(row) for row in rows))


def _csv_row(view: StationView) -> tuple[Any, ...]:
    heard = None if view.seen_ms is None else Instant(view.seen_ms)
    told = (view.vendor, view.model, view.serial, view.firmware)
    return (view.identity, view.name, view.state, view.connected, *told, heard, view.drift_ms)


@get("/stations/new", guards=WRITE, include_in_schema=False)
async def show_new(database: Database, config: Any, site: Site) -> Template:
    """Ask for a station's identity."""
    return _new_page(database, config, site)


@post("/stations/new", guards=WRITE, include_in_schema=False)
async def add(request: Request[Any, Any, Any], database: Database, actor: Actor, config: Any, site: Site) -> Template:
    """Add a station and show its password, this once."""
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("identity", "name")}
    waivers = [str(word) for word in form.getall("waiver", []) if word in WAIVERS]
    with_password = form.get("with_password") == "yes"
    identity, name = typed["identity"], typed["name"]

    def make(work: Work) -> dict[str, Any]:
        with_it = {"with_password": with_password}
        password = administer(work, actor, "add station", identity, acts.add_station, name, **with_it)
        if waivers:
            administer(work, actor, "set waivers", identity, acts.set_waivers, waivers)
        return {"password": password}

    try:
        key = once_key(request, actor.id, form.multi_items())
        made = await database.write(once_hiding, key, ("password",), make)
    except Refused as error:
        wrong = [{"field": "identity", "message": error.said}]
        return _new_page(
            database, config, site, typed, waivers, wrong, with_password=with_password, status=error.status
        )
    return _added_page(identity, name or identity, made, config, site)


def _added_page(identity: str, name: str, made: dict[str, Any], config: Any, site: Site) -> Template:
    """Show what a charger needs to connect; a page without a password may be left and come again."""
    shown = shown_now(made)
    shown["shown_once"] = made["password"] is not None
    address = stations_address(config, site) + quote(identity, safe=":@")
    context = {"identity": identity, "name": name, "address": address, **shown}
    return Template("stations/added.html", context=context, status_code=200, headers=_NO_STORE)


def _new_page(
    database: Database,
    config: Any,
    site: Site,
    typed: dict[str, str] | None = None,
    waivers: list[str] | None = None,
    errors: list[dict[str, str]] | None = None,
    *,
    with_password: bool = True,
    status: int = 200,
) -> Template:
    context = {
        "address": stations_address(config, site),
        "trial": open_for_trial(config),
        "typed": typed or {},
        "granted": waivers or [],
        "with_password": with_password,
        "errors": errors or [],
        "once": form_key(database),
    }
    return Template("stations/new_station.html", context=context, status_code=status)


@post("/stations/{identity:str}/admit", guards=WRITE, include_in_schema=False)
async def admit(identity: str, data: Form, database: Database, actor: Actor) -> Redirect:
    """Let a waiting or rejected station in."""
    await database.write(administer, actor, "admit station", identity, acts.admit_station)
    return _back(data, identity, "admitted")


@post("/stations/{identity:str}/reject", guards=WRITE, include_in_schema=False)
async def reject(identity: str, data: Form, database: Database, actor: Actor, line: StationLine) -> Redirect:
    """Keep a station out, at once."""
    await database.write(administer, actor, "reject station", identity, acts.reject_station)
    await line.disconnect(identity, "rejected by its operator")
    return _back(data, identity, "rejected")


@post("/stations/{identity:str}/rename", guards=WRITE, include_in_schema=False)
async def rename(identity: str, data: Form, database: Database, actor: Actor) -> Redirect:
    """Give a station the name that people read."""
    await database.write(administer, actor, "rename station", identity, acts.rename_station, str(data.get("name", "")))
    return _station_page(identity, done="renamed")


@post("/stations/{identity:str}/waivers", guards=WRITE, include_in_schema=False)
async def grant(request: Request[Any, Any, Any], identity: str, database: Database, actor: Actor) -> Redirect:
    """Grant a station its exceptions, in place of those it had."""
    form = await request.form()
    waivers = [str(word) for word in form.getall("waiver", []) if word in WAIVERS]
    await database.write(administer, actor, "set waivers", identity, acts.set_waivers, waivers)
    return _station_page(identity, done="waivers")


@post("/stations/{identity:str}/password", guards=WRITE, include_in_schema=False)
async def renew_password(
    request: Request[Any, Any, Any], identity: str, database: Database, actor: Actor, config: Any, site: Site
) -> Template:
    """Give a station a fresh password and show it, this once."""

    def make(work: Work) -> dict[str, Any]:
        return {"password": administer(work, actor, "set password", identity, acts.set_password)}

    key = once_key(request, actor.id, (await request.form()).multi_items())
    made = await database.write(once_hiding, key, ("password",), make)
    view = await database.read(queries.station_of, identity)
    return _added_page(identity, view.name, made, config, site)


@post("/stations/{identity:str}/remove", guards=WRITE, include_in_schema=False)
async def remove(identity: str, database: Database, actor: Actor, line: StationLine) -> Redirect:
    """Forget a station with its connectors and frames; sessions stay on record."""
    await database.write(administer, actor, "remove station", identity, acts.remove_station)
    await line.disconnect(identity, "removed by its operator")
    return Redirect("/stations?done=removed", status_code=303)


@post("/stations/{identity:str}/connectors/{number:int}", guards=WRITE, include_in_schema=False)
async def change_connector(identity: str, number: RowNumber, data: Form, database: Database, actor: Actor) -> Redirect:
    """Change a connector's name or label."""
    name, label = str(data.get("name", "")).strip(), str(data.get("label", ""))
    await database.write(
        administer, actor, "change connector", identity, rename_connector, number, name=name or None, label=label
    )
    return _station_page(identity, done="connector")


@post("/stations/{identity:str}/ask/{verb:str}", guards=COMMAND, include_in_schema=False)
async def ask(
    identity: str, verb: str, data: Form, database: Database, actor: Actor, line: StationLine, config: Any
) -> Template | Redirect:
    """Send what a button means, and lead back to the page, which tells how it ended.

    What was typed and not sent is shown again, with what is wrong with it.
    """
    view = await database.read(queries.station_of, identity)
    tab = _TABS.get(verb, "")
    try:
        action, payload = call_of(verb, data)
    except CommandInvalid as error:
        if not tab:
            raise
        return await _typed_again(view, tab, data, error, database, actor, config)
    await database.write(note_command, actor, identity, action, payload)
    outcome = await line.send(identity, action, payload, patience_s=PATIENCE_S)
    end = ending_of(outcome)
    if verb == "raw" and isinstance(outcome, Failed) and end.outcome in _NOT_SENT:
        wrong = complaint_of(outcome.reason).words if end.outcome == "invalid" else _NOT_SENT[end.outcome]
        unsent = CommandInvalid(wrong, field="payload")
        return await _typed_again(view, tab, data, unsent, database, actor, config)
    return _station_page(identity, tab=tab, sent=action, outcome=end.outcome, status=end.status)


_TABS = {"raw": "commands", "read-configuration": "configuration", "configure": "configuration"}
"""Where on the station's page a button is, the overview aside."""
_NOT_SENT = {
    "invalid": said("Its content is against the standard."),
    "offline": said("The station has no connection. Look at its power and network."),
    "busy": said("Other commands still wait for the station. Send it again in a moment."),
}
"""Why a command stayed here; the first says more where the reason is known."""


@get("/stations/{identity:str}/ask/{verb:str}", guards=READ, include_in_schema=False)
async def return_from_asking(identity: str, verb: str) -> Redirect:
    """Lead who comes back to a command's address, such as by another language, to the tab where it is written."""
    return _station_page(identity, tab=_TABS.get(verb, ""))


async def _typed_again(
    view: StationView,
    tab: str,
    form: dict[str, Any],
    error: CommandInvalid,
    database: Database,
    actor: Actor,
    config: Any,
) -> Template:
    """Show the tab of commands or configuration with what was typed and why it was not sent."""
    identity = view.identity
    context = {
        "station": view,
        "connectors": await database.read(queries.list_connectors, identity=identity, limit=100),
        "tab": tab,
        "trial": open_for_trial(config),
        "may_change": actor.may("stations:write"),
        "may_command": True,
        "waivers": WAIVERS,
        "sent": None,
        "done": "",
        "typed": {name: str(form.get(name, "")) for name in ("action", "payload")},
        "wrong": [{"field": str(error.fields.get("field", "")) if tab == "commands" else "", "message": error.said}],
    }
    if tab == "commands":
        masked = not actor.sees_id_tags
        context["commands"] = COMMANDS
        context["frames"] = await database.read(queries.list_frames, identity=identity, limit=6, masked=masked)
    else:
        context["settings"] = await database.read(queries.list_configuration, identity)
    return Template("stations/station.html", context=context, status_code=error.status, headers=_NO_STORE)


def _station_page(identity: str, **values: str) -> Redirect:
    """Lead to a station's page; what is empty is left out of its address."""
    query = urlencode({name: value for name, value in values.items() if value})
    place = f"/stations/{quote(identity, safe='')}"
    return Redirect(f"{place}?{query}" if query else place, status_code=303)


def _back(form: dict[str, Any], identity: str, done: str) -> Redirect:
    """Lead back to where the button was: the waiting room of the list, or the station's own page."""
    if form.get("back") == "list":
        return Redirect(f"/stations?done={done}", status_code=303)
    return _station_page(identity, done=done)


ROUTES = [
    show_stations,
    export_stations,
    show_new,
    add,
    admit,
    reject,
    rename,
    grant,
    renew_password,
    remove,
    change_connector,
    ask,
    return_from_asking,
]
