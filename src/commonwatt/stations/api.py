"""`/api/v1/stations`, `/api/v1/connectors`: stations for programs, and commands to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from litestar import Request, delete, get, patch, post
from litestar.params import Parameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from sqlalchemy import Connection

from commonwatt.kit.database import Database, Work
from commonwatt.kit.web import (
    Body,
    IdempotencyKey,
    IfMatch,
    Made,
    Page,
    Paging,
    Tagged,
    check_part,
    made,
    once,
    once_hiding,
    once_outside,
    page_of,
    refuses,
    tagged,
)
from commonwatt.kit.web.days import span_of
from commonwatt.kit.web.parameters import From, To
from commonwatt.members import Actor, require_scope
from commonwatt.stations import queries
from commonwatt.stations.actions import admit_stations as acts
from commonwatt.stations.actions.administer import administer, note_command
from commonwatt.stations.actions.note_status import rename_connector
from commonwatt.stations.command import command_station
from commonwatt.stations.errors import (
    ConnectorMissing,
    StationAnswerInvalid,
    StationCallError,
    StationTimeout,
)
from commonwatt.stations.hiding import hide_secrets
from commonwatt.stations.ports import StationLine
from commonwatt.stations.queries import ConnectorView, StationView
from commonwatt.stations.showing import (
    AddedStation,
    CommandAnswered,
    ConnectorShown,
    FrameShown,
    PasswordShown,
    StationShown,
    WholeStation,
    shown_connector,
    shown_frame,
    shown_quirk,
    shown_setting,
    shown_station,
)

READ = [require_scope("stations:read")]
WRITE = [require_scope("stations:write")]
COMMAND = [require_scope("stations:command")]
_PASSWORD = ("password",)
Search = Annotated[str, Parameter(max_length=100, description="anywhere in identity, name, vendor, model or serial")]
State = Annotated[
    str | None, QueryParameter(name="state", pattern="^(admitted|waiting|rejected)$", description="only in this state")
]

Status = Annotated[str | None, Parameter(description="what it last said, such as Available (OCPP 1.6, 7.7)")]
Identity = Annotated[str, Parameter(description="the name under which the station calls")]
Name = Annotated[str, Parameter(description="the connector's name, as in its page's address")]
Action = Annotated[str, Parameter(description="the message, such as RemoteStartTransaction (OCPP 1.6, section 5)")]


class NewStation(Body, frozen=True):
    """A station to be made known."""

    identity: str
    name: str = ""
    with_password: bool = True


class StationChange(Body, frozen=True):
    """What changes about a station; None leaves it."""

    name: str | None = None
    waivers: list[str] | None = None


class ConnectorChange(Body, frozen=True):
    """What changes about a connector; None leaves it."""

    name: str | None = None
    label: str | None = None


@get("/api/v1/stations", guards=READ, tags=["stations"], summary="List stations")
async def get_stations(
    request: Request[Any, Any, Any], database: Database, paging: Paging, search: Search = "", in_state: State = None
) -> Tagged[Page[StationShown]]:
    """Return stations by identity."""
    (after,) = paging.key(str) or (None,)
    rows = await database.read(
        queries.list_stations, search=search, state=in_state, after=after, limit=paging.limit + 1
    )
    return tagged(request, page_of(rows, paging, shown_station, lambda row: (row.identity,)))


@post("/api/v1/stations", guards=WRITE, tags=["stations"], summary="Add a station")
async def post_station(
    data: NewStation, database: Database, actor: Actor, idempotency_key: IdempotencyKey | None
) -> Made[AddedStation]:
    """Make a station known and let it in; its password is shown this once, not in the answer to a repeated key."""
    added: AddedStation = await database.write(once_hiding, idempotency_key, _PASSWORD, _add, actor, data)
    return made(added, "/api/v1/stations", data.identity)


@get("/api/v1/stations/{identity:str}", guards=READ, tags=["stations"], summary="Show a station")
async def get_station(request: Request[Any, Any, Any], database: Database, identity: Identity) -> Tagged[WholeStation]:
    """Return a station with its connectors, its quirks and its configuration as it last told it."""
    shown, settled = await database.read(_whole, identity)
    return tagged(request, shown, settled)


@patch("/api/v1/stations/{identity:str}", guards=WRITE, tags=["stations"], summary="Change a station")
async def patch_station(
    request: Request[Any, Any, Any],
    data: StationChange,
    database: Database,
    actor: Actor,
    identity: Identity,
    if_match: IfMatch = None,
) -> Tagged[StationShown]:
    """Rename a station, or set its waivers.

    `If-Match` with the ETag of reading it, or of the last change, guards what others set meanwhile.
    """
    shown, whole, settled = await database.write(_change_station, actor, identity, data, if_match)
    return tagged(request, shown, settled, reading=whole)


@delete(
    "/api/v1/stations/{identity:str}",
    guards=WRITE,
    tags=["stations"],
    summary="Remove a station",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_station(database: Database, actor: Actor, line: StationLine, identity: Identity) -> None:
    """Forget a station with its connectors and frames; sessions stay on record."""
    await database.write(administer, actor, "remove station", identity, acts.remove_station)
    await line.disconnect(identity, "removed by its operator")


@post(
    "/api/v1/stations/{identity:str}/admit",
    guards=WRITE,
    tags=["stations"],
    summary="Admit a station",
    status_code=HTTP_204_NO_CONTENT,
)
async def post_admit(
    database: Database, actor: Actor, identity: Identity, idempotency_key: IdempotencyKey | None
) -> None:
    """Let a waiting or rejected station in."""
    await database.write(once, idempotency_key, _decide, actor, "admit station", identity, acts.admit_station)


@post(
    "/api/v1/stations/{identity:str}/reject",
    guards=WRITE,
    tags=["stations"],
    summary="Reject a station",
    status_code=HTTP_204_NO_CONTENT,
)
async def post_reject(
    database: Database, actor: Actor, line: StationLine, identity: Identity, idempotency_key: IdempotencyKey | None
) -> None:
    """Keep a station out, at once."""
    await database.write(once, idempotency_key, _decide, actor, "reject station", identity, acts.reject_station)
    await line.disconnect(identity, "rejected by its operator")


@post(
    "/api/v1/stations/{identity:str}/password",
    guards=WRITE,
    tags=["stations"],
    summary="Make a station a new password",
    status_code=HTTP_200_OK,
)
async def post_password(
    database: Database, actor: Actor, identity: Identity, idempotency_key: IdempotencyKey | None
) -> PasswordShown:
    """Give a station a fresh password and show it, this once; its next connection must use it.

    The answer to a repeated key sets none anew, and does not show it.
    """
    return await database.write(once_hiding, idempotency_key, _PASSWORD, _set_password, actor, identity)


@post(
    "/api/v1/stations/{identity:str}/commands/{action:str}",
    guards=COMMAND,
    tags=["stations"],
    summary="Send a station a command",
    status_code=HTTP_200_OK,
    opt=refuses(
        {
            502: "The station told of an error, or answered against the standard; `slug` says which.",
            504: "It was sent, and the station has not answered: it may have done it.",
        }
    ),
)
async def post_command(
    database: Database,
    actor: Actor,
    line: StationLine,
    identity: Identity,
    action: Action,
    idempotency_key: IdempotencyKey | None,
    data: dict[str, Any] | None = None,
) -> CommandAnswered:
    """Send a raw OCPP payload, `{}` without a body, and answer with the station's own answer.

    Problems tell apart: 422 `station-command-invalid`, 409 `station-offline`, 503 `station-busy` (never sent),
    502 `station-callerror` (with `code` and `description`), 502 `station-answer-invalid` (with `answer`), 504
    `station-timeout` (sent, nobody knows). What was sent is not sent again under its key: a repeated key gets the first
    answer, or 409 `key-under-way` after a 502 or 504, for a station that tells of an error may have done a part of it.
    """
    payload = data or {}

    async def send() -> CommandAnswered:
        await database.read(queries.station_of, identity)
        await database.write(note_command, actor, identity, action, payload)
        return {"result": hide_secrets(await command_station(line, identity, action, payload))}

    unsure = (StationTimeout, StationAnswerInvalid, StationCallError)
    answer: CommandAnswered = await once_outside(database, idempotency_key, send, unsure=unsure)
    return answer


@get("/api/v1/stations/{identity:str}/frames", guards=READ, tags=["stations"], summary="Search a station's frames")
async def get_frames(
    database: Database,
    actor: Actor,
    paging: Paging,
    identity: Identity,
    search: Annotated[str, Parameter(max_length=100, description="anywhere in the frame")] = "",
    action: Annotated[str | None, Parameter(description="only this message")] = None,
    direction: Annotated[
        str | None, Parameter(pattern="^(in|out)$", description="in: from the station; out: to it; both unless told")
    ] = None,
    since: From = None,
    until: To = None,
) -> Page[FrameShown]:
    """Return frames, the newest first; id tags are hidden from auditors."""
    (before,) = paging.key(int) or (None,)
    begins, ends = span_of(since, until)
    rows = await database.read(
        queries.list_frames,
        identity=identity,
        search=search,
        action=action,
        direction=direction,
        from_ms=None if begins is None else begins.ms,
        to_ms=None if ends is None else ends.ms,
        before=before,
        limit=paging.limit + 1,
        masked=not actor.sees_id_tags,
    )
    return page_of(rows, paging, shown_frame, lambda row: (row.id,))


@get("/api/v1/connectors", guards=READ, tags=["stations"], summary="List connectors")
async def get_connectors(
    request: Request[Any, Any, Any], database: Database, paging: Paging, status: Status = None
) -> Tagged[Page[ConnectorShown]]:
    """Return connectors by name, with their live state."""
    (after,) = paging.key(str) or (None,)
    rows = await database.read(queries.list_connectors, status=status, after=after, limit=paging.limit + 1)
    return tagged(request, page_of(rows, paging, shown_connector, lambda row: (row.name,)))


@get("/api/v1/connectors/{name:str}", guards=READ, tags=["stations"], summary="Show a connector")
async def get_connector(request: Request[Any, Any, Any], database: Database, name: Name) -> Tagged[ConnectorShown]:
    """Return a connector with its live state."""
    view = await _connector(database, name)
    return tagged(request, shown_connector(view), _set_of_connector(view))


@patch("/api/v1/connectors/{name:str}", guards=WRITE, tags=["stations"], summary="Change a connector")
async def patch_connector(
    request: Request[Any, Any, Any],
    data: ConnectorChange,
    database: Database,
    actor: Actor,
    name: Name,
    if_match: IfMatch = None,
) -> Tagged[ConnectorShown]:
    """Change a connector's name or label; printed QR codes of an old name stop working.

    `If-Match` with the ETag of reading it, or of the last change, guards what others set meanwhile.
    """
    view = await database.write(_change_connector, actor, name, data, if_match)
    return tagged(request, shown_connector(view), _set_of_connector(view))


def _set_of_station(view: StationView) -> tuple[Any, ...]:
    """Return what an operator set of a station: what `If-Match` is about."""
    return view.identity, view.name, view.state, view.waivers, view.made_ms


def _set_of_connector(view: ConnectorView) -> tuple[Any, ...]:
    return view.station, view.number, view.name, view.label


def _add(work: Work, actor: Actor, data: NewStation) -> AddedStation:
    password = administer(
        work, actor, "add station", data.identity, acts.add_station, data.name, with_password=data.with_password
    )
    return {"station": shown_station(queries.station_of(work.sql, data.identity)), "password": password}


def _decide(work: Work, actor: Actor, act: str, identity: str, action: Callable[[Work, str], None]) -> dict[str, str]:
    administer(work, actor, act, identity, action)
    return {"done": act}


def _set_password(work: Work, actor: Actor, identity: str) -> PasswordShown:
    return {"password": administer(work, actor, "set password", identity, acts.set_password)}


def _whole(sql: Connection, identity: str) -> tuple[WholeStation, tuple[Any, ...]]:
    """Return a station as it is read, and what of it an operator set."""
    view = queries.station_of(sql, identity)
    shown = WholeStation(
        **shown_station(view),
        connectors=[shown_connector(row) for row in queries.list_connectors(sql, identity=identity, limit=100)],
        quirks=[shown_quirk(row) for row in queries.list_quirks(sql, identity)],
        configuration=[shown_setting(row) for row in queries.list_configuration(sql, identity)],
    )
    return shown, _set_of_station(view)


def _change_station(
    work: Work, actor: Actor, identity: str, data: StationChange, if_match: str | None
) -> tuple[StationShown, WholeStation, tuple[Any, ...]]:
    """Change a station; return it as the answer has it, as it is read, and what of it an operator set."""
    check_part(if_match, _set_of_station(queries.station_of(work.sql, identity)))
    if data.name is not None:
        administer(work, actor, "rename station", identity, acts.rename_station, data.name)
    if data.waivers is not None:
        administer(work, actor, "set waivers", identity, acts.set_waivers, data.waivers)
    return shown_station(queries.station_of(work.sql, identity)), *_whole(work.sql, identity)


def _change_connector(
    work: Work, actor: Actor, name: str, data: ConnectorChange, if_match: str | None
) -> ConnectorView:
    view = _connector_of(work.sql, name)
    check_part(if_match, _set_of_connector(view))
    change = {"name": data.name, "label": data.label}
    administer(work, actor, "change connector", view.station, rename_connector, view.number, **change)
    return _connector_of(work.sql, data.name or name)


async def _connector(database: Database, name: str) -> ConnectorView:
    return await database.read(_connector_of, name)


def _connector_of(sql: Connection, name: str) -> ConnectorView:
    view = queries.find_connector(sql, name)
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
