"""`/api/v1/stations`, `/api/v1/connectors`: stations for programs, and commands to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any

from litestar import Request, delete, get, patch, post
from litestar.params import Parameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from commonwatt.kernel import Instant
from commonwatt.kit.database import Database
from commonwatt.kit.web import Answer, Page, Paging, decode_cursor, encode_cursor, page_of, tagged
from commonwatt.members import Actor, require_scope
from commonwatt.stations import queries
from commonwatt.stations.actions import admit_stations as acts
from commonwatt.stations.actions.administer import administer, note_command
from commonwatt.stations.actions.note_status import rename_connector
from commonwatt.stations.command import command_station
from commonwatt.stations.errors import ConnectorMissing, StationMissing
from commonwatt.stations.ports import StationLine
from commonwatt.stations.queries import ConnectorView, FrameView, StationView

READ = [require_scope("stations:read")]
WRITE = [require_scope("stations:write")]
COMMAND = [require_scope("stations:command")]
Search = Annotated[str, Parameter(max_length=100, description="anywhere in identity, name, vendor, model or serial")]
State = Annotated[
    str | None, QueryParameter(name="state", pattern="^(admitted|waiting|rejected)$", description="only in this state")
]


@dataclass(frozen=True, slots=True)
class NewStation:
    """A station to be made known."""

    identity: str
    name: str = ""
    with_password: bool = True


@dataclass(frozen=True, slots=True)
class StationChange:
    """What changes about a station; None leaves it."""

    name: str | None = None
    waivers: list[str] | None = None


@dataclass(frozen=True, slots=True)
class ConnectorChange:
    """What changes about a connector; None leaves it."""

    name: str | None = None
    label: str | None = None


@get("/api/v1/stations", guards=READ, tags=["stations"], summary="List stations")
async def get_stations(
    request: Request[Any, Any, Any], database: Database, paging: Paging, search: Search = "", in_state: State = None
) -> Answer:
    """Return stations by identity."""
    after = str(paging.after[0]) if paging.after else None
    rows = await database.read(
        queries.list_stations, search=search, state=in_state, after=after, limit=paging.limit + 1
    )
    return tagged(request, page_of(rows, paging, shown_station, lambda row: (row.identity,)))


@post("/api/v1/stations", guards=WRITE, tags=["stations"], summary="Add a station")
async def post_station(data: NewStation, database: Database, actor: Actor) -> dict[str, Any]:
    """Make a station known and let it in; its password is shown this once."""
    password = await database.write(
        administer, actor, "station added", data.identity, acts.add_station, data.name, with_password=data.with_password
    )
    return {"station": shown_station(await _found(database, data.identity)), "password": password}


@get("/api/v1/stations/{identity:str}", guards=READ, tags=["stations"], summary="Read a station")
async def get_station(request: Request[Any, Any, Any], database: Database, identity: str) -> Answer:
    """Return a station with its connectors, its quirks and its configuration as it last told it."""
    view = await _found(database, identity)
    connectors = await database.read(queries.list_connectors, identity=identity, limit=100)
    quirks = await database.read(queries.list_quirks, identity)
    settings = await database.read(queries.list_configuration, identity)
    shown = shown_station(view) | {
        "connectors": [shown_connector(row) for row in connectors],
        "quirks": [_timed(asdict(row)) for row in quirks],
        "configuration": [_timed(asdict(row)) for row in settings],
    }
    return tagged(request, shown)


@patch("/api/v1/stations/{identity:str}", guards=WRITE, tags=["stations"], summary="Change a station")
async def patch_station(data: StationChange, database: Database, actor: Actor, identity: str) -> dict[str, Any]:
    """Rename a station, or set its waivers."""
    if data.name is not None:
        await database.write(administer, actor, "station renamed", identity, acts.rename_station, data.name)
    if data.waivers is not None:
        await database.write(administer, actor, "waivers set", identity, acts.set_waivers, data.waivers)
    return shown_station(await _found(database, identity))


@delete(
    "/api/v1/stations/{identity:str}",
    guards=WRITE,
    tags=["stations"],
    summary="Remove a station",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_station(database: Database, actor: Actor, line: StationLine, identity: str) -> None:
    """Forget a station with its connectors and frames; sessions stay on record."""
    await database.write(administer, actor, "station removed", identity, acts.remove_station)
    await line.disconnect(identity, "removed by its operator")


@post(
    "/api/v1/stations/{identity:str}/admit",
    guards=WRITE,
    tags=["stations"],
    summary="Admit a station",
    status_code=HTTP_204_NO_CONTENT,
)
async def post_admit(database: Database, actor: Actor, identity: str) -> None:
    """Let a waiting or rejected station in."""
    await database.write(administer, actor, "station admitted", identity, acts.admit_station)


@post(
    "/api/v1/stations/{identity:str}/reject",
    guards=WRITE,
    tags=["stations"],
    summary="Reject a station",
    status_code=HTTP_204_NO_CONTENT,
)
async def post_reject(database: Database, actor: Actor, line: StationLine, identity: str) -> None:
    """Keep a station out, at once."""
    await database.write(administer, actor, "station rejected", identity, acts.reject_station)
    await line.disconnect(identity, "rejected by its operator")


@post(
    "/api/v1/stations/{identity:str}/password",
    guards=WRITE,
    tags=["stations"],
    summary="Make a station a new password",
    status_code=HTTP_200_OK,
)
async def post_password(database: Database, actor: Actor, identity: str) -> dict[str, str]:
    """Give a station a fresh password and show it, this once; its next connection must use it."""
    return {"password": await database.write(administer, actor, "password set", identity, acts.set_password)}


@post(
    "/api/v1/stations/{identity:str}/commands/{action:str}",
    guards=COMMAND,
    tags=["stations"],
    summary="Send a station a command",
    status_code=HTTP_200_OK,
)
async def post_command(
    data: dict[str, Any], database: Database, actor: Actor, line: StationLine, identity: str, action: str
) -> dict[str, Any]:
    """Send a raw OCPP payload and answer with the station's own answer.

    Problems tell apart: 422 `station-command-invalid`, 409 `station-offline`, 503 `station-busy` (never sent),
    502 `station-callerror` (with `code` and `description`), 502 `station-answer-invalid` (with `answer`), 504
    `station-timeout` (sent, nobody knows).
    """
    await _found(database, identity)
    await database.write(note_command, actor, identity, action, data)
    return {"result": await command_station(line, identity, action, data)}


@get("/api/v1/stations/{identity:str}/frames", guards=READ, tags=["stations"], summary="Search a station's frames")
async def get_frames(
    database: Database,
    actor: Actor,
    paging: Paging,
    identity: str,
    search: Annotated[str, Parameter(max_length=100)] = "",
    action: str | None = None,
    direction: Annotated[str | None, Parameter(pattern="^(in|out)$")] = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[dict[str, Any]]:
    """Return frames, the newest first; id tags are hidden from auditors."""
    before = decode_cursor(encode_cursor(paging.after), (int,))[0] if paging.after else None
    rows = await database.read(
        queries.list_frames,
        identity=identity,
        search=search,
        action=action,
        direction=direction,
        from_ms=None if since is None else Instant.of(since).ms,
        to_ms=None if until is None else Instant.of(until).ms,
        before=before if before is None else int(before),
        limit=paging.limit + 1,
        masked=not actor.sees_id_tags,
    )
    return page_of(rows, paging, shown_frame, lambda row: (row.id,))


@get("/api/v1/connectors", guards=READ, tags=["stations"], summary="List connectors")
async def get_connectors(
    request: Request[Any, Any, Any], database: Database, paging: Paging, status: str | None = None
) -> Answer:
    """Return connectors by name, with their live state."""
    after = str(paging.after[0]) if paging.after else None
    rows = await database.read(queries.list_connectors, status=status, after=after, limit=paging.limit + 1)
    return tagged(request, page_of(rows, paging, shown_connector, lambda row: (row.name,)))


@get("/api/v1/connectors/{name:str}", guards=READ, tags=["stations"], summary="Read a connector")
async def get_connector(request: Request[Any, Any, Any], database: Database, name: str) -> Answer:
    """Return a connector with its live state."""
    return tagged(request, shown_connector(await _connector(database, name)))


@patch("/api/v1/connectors/{name:str}", guards=WRITE, tags=["stations"], summary="Change a connector")
async def patch_connector(data: ConnectorChange, database: Database, actor: Actor, name: str) -> dict[str, Any]:
    """Change a connector's name or label; printed QR codes of an old name stop working."""
    view = await _connector(database, name)
    await database.write(
        administer, actor, "connector changed", view.station, rename_connector, view.number, name=data.name,
        label=data.label,
    )  # fmt: skip
    return shown_connector(await _connector(database, data.name or name))


def shown_station(view: StationView) -> dict[str, Any]:
    """Return a station as the API shows it."""
    return _timed(asdict(view))


def shown_connector(view: ConnectorView) -> dict[str, Any]:
    """Return a connector as the API shows it."""
    return _timed(asdict(view)) | {"state": view.state}


def shown_frame(view: FrameView) -> dict[str, Any]:
    """Return a frame as the API shows it."""
    return _timed(asdict(view))


def _timed(values: dict[str, Any]) -> dict[str, Any]:
    """Write instants as such: `seen_ms` becomes `seen`; spans (drift, ping) stay in ms."""
    shown: dict[str, Any] = {}
    for key, value in values.items():
        if key.endswith("_ms") and key not in {"drift_ms", "ping_ms"}:
            shown[key.removesuffix("_ms") if key != "connected_ms" else "connected_since"] = (
                None if value is None else Instant(value)
            )
        else:
            shown[key] = value
    return shown


async def _found(database: Database, identity: str) -> StationView:
    view = await database.read(queries.find_station, identity)
    if view is None:
        msg = f"No station is called {identity[:60]}. Look at the list of stations for its exact identity."
        raise StationMissing(msg, identity=identity[:60])
    return view


async def _connector(database: Database, name: str) -> ConnectorView:
    view = await database.read(queries.find_connector, name)
    if view is None:
        msg = f"No connector is called {name[:64]}. Look at the list of connectors for its name."
        raise ConnectorMissing(msg, name=name[:64])
    return view


ROUTES = [
    get_stations,
    post_station,
    get_station,
    patch_station,
    delete_station,
    post_admit,
    post_reject,
    post_password,
    post_command,
    get_frames,
    get_connectors,
    get_connector,
    patch_connector,
]
