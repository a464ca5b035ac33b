"""Tariffs and exchange rates for programs: `/api/v1/tariffs`, `/api/v1/rates`.

A tariff is sent as the document of `document.py` (our form or the tariff object of OCPI 2.2.1). Writing takes an
`Idempotency-Key`; a new version also takes `If-Match` with the ETag of the tariff as it was read.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import Parameter, SkipValidation
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from sqlalchemy import Connection

from commonwatt.kernel import BTC, CONNECTORS_MAX, Clock, Instant, is_currency
from commonwatt.kit.database import Database, Work
from commonwatt.kit.web import (
    BadRequest,
    Body,
    IdempotencyKey,
    IfMatch,
    Made,
    Page,
    Paging,
    Site,
    Tagged,
    check_match,
    etag_of,
    made,
    once,
    page_of,
    refuses,
    tagged,
)
from commonwatt.members import Actor, require_scope
from commonwatt.tariffs import store
from commonwatt.tariffs.actions.assign_tariff import assign_tariff
from commonwatt.tariffs.actions.create_tariff import create_tariff
from commonwatt.tariffs.actions.retire_tariff import retire_tariff
from commonwatt.tariffs.actions.revise_tariff import revise_tariff
from commonwatt.tariffs.document import parse_tariff
from commonwatt.tariffs.errors import NoRate, TariffInvalid
from commonwatt.tariffs.model.bill import preview
from commonwatt.tariffs.model.rate import Rate
from commonwatt.tariffs.model.tariff import Tariff
from commonwatt.tariffs.ports import PlaceCheck, anywhere
from commonwatt.tariffs.reading import moment
from commonwatt.tariffs.showing import (
    AssignmentShown,
    HistoryShown,
    ListedShown,
    PreviewShown,
    RateShown,
    VersionShown,
    show_assignment,
    show_bill,
    show_history,
    show_listed,
    show_rate,
    show_version,
)

READ = [require_scope("tariffs:read")]
WRITE = [require_scope("tariffs:write")]
TAGS = ["tariffs"]

Wh = Annotated[int, Parameter(ge=0, le=10_000_000, description="energy in Wh")]
Connector = Annotated[int, Parameter(ge=0, le=CONNECTORS_MAX, description="a connector's number")]
TariffId = Annotated[str, Parameter(description="the tariff's id")]
OfTariff = Annotated[str | None, Parameter(description="only of this tariff")]
Station = Annotated[str, Parameter(description="a station's identity")]
AtStation = Annotated[str | None, Parameter(description="only at this station")]
Search = Annotated[str, Parameter(description="anywhere in the name")]
Retired = Annotated[bool, Parameter(description="the retired ones too")]
At = Annotated[str | None, Parameter(description="an instant, RFC 3339; now when absent")]
Currency = Annotated[str | None, Parameter(description="a code of ISO 4217; the site's own when absent")]
Seconds = Annotated[int, Parameter(ge=0, le=30 * 86_400, description="seconds")]


class Use(Body, frozen=True):
    """What a session would use: so much energy in so long, then so long connected without charging."""

    energy_wh: int
    duration_s: int
    parked_s: int = 0
    start: str | None = None
    """RFC 3339; now when absent."""
    tariff: dict[str, Any] | None = None
    """A tariff that is not stored yet; with a `tariff_id` a new version of that one."""
    tariff_id: str | None = None


class Place(Body, frozen=True):
    """Where a tariff shall hold: without a station the site, without a connector the whole station."""

    tariff_id: str | None
    """None takes the place's own tariff away."""
    station: str | None = None
    connector: int | None = None
    since: str | None = None
    """RFC 3339; now when absent."""


@get("/api/v1/tariffs", guards=READ, tags=TAGS, summary="List tariffs")
async def get_tariffs(
    database: Database, clock: Clock, paging: Paging, search: Search = "", *, retired: Retired = False
) -> Page[ListedShown]:
    """Return tariffs, the newest first, each with its version in force and where it holds."""
    (after,) = paging.key(str) or ("",)
    rows = await database.read(
        store.list_tariffs, clock.now(), limit=paging.limit + 1, after=after, retired=retired, search=search
    )
    return page_of(rows, paging, show_listed, lambda row: (row.id,))


@post("/api/v1/tariffs", guards=WRITE, tags=TAGS, summary="Create a tariff")
async def post_tariff(
    data: dict[str, Any], database: Database, site: Site, actor: Actor, idempotency_key: IdempotencyKey | None
) -> Made[VersionShown]:
    """Store a new tariff and return its first version; without a `timezone` its times are by the site's clock."""
    draft = parse_tariff(data, timezone=site.timezone)

    def act(work: Work) -> VersionShown:
        return show_version(create_tariff(work, draft, actor=actor))

    version: VersionShown = await database.write(once, idempotency_key, act)
    return made(version, "/api/v1/tariffs", version["id"])


@get("/api/v1/tariffs/{tariff_id:str}", guards=READ, tags=TAGS, summary="Show a tariff")
async def get_tariff(
    request: Request[Any, Any, Any], tariff_id: TariffId, database: Database, clock: Clock
) -> Tagged[ListedShown]:
    """Return a tariff with its version in force and where it holds; its ETag guards a new version."""
    return tagged(request, show_listed(await database.read(store.show_tariff, tariff_id, clock.now())))


@get("/api/v1/tariffs/{tariff_id:str}/versions", guards=READ, tags=TAGS, summary="Show a tariff's history")
async def get_versions(
    request: Request[Any, Any, Any], tariff_id: TariffId, database: Database
) -> Tagged[Page[HistoryShown]]:
    """Return all versions, the newest first; none of them ever changes."""
    return tagged(request, Page([show_history(each) for each in await database.read(store.history, tariff_id)]))


@post("/api/v1/tariffs/{tariff_id:str}/versions", guards=WRITE, tags=TAGS, summary="Change a tariff")
async def post_version(
    tariff_id: TariffId,
    data: dict[str, Any],
    database: Database,
    actor: Actor,
    idempotency_key: IdempotencyKey | None,
    if_match: IfMatch = None,
) -> VersionShown:
    """Add a version that holds from now on or from its `valid_from`; what was sold keeps its price.

    Without a `timezone` it keeps that of the version before it.
    """

    def act(work: Work) -> VersionShown:
        newest = store.newest_version(work.sql, tariff_id).tariff
        draft = parse_tariff(data, timezone=newest.timezone)
        check_match(if_match, etag_of(show_listed(store.show_tariff(work.sql, tariff_id, work.now))))
        return show_version(revise_tariff(work, tariff_id, draft, actor=actor))

    return await database.write(once, idempotency_key, act)


@delete(
    "/api/v1/tariffs/{tariff_id:str}",
    guards=WRITE,
    tags=TAGS,
    summary="Retire a tariff",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_tariff(tariff_id: TariffId, database: Database, actor: Actor) -> None:
    """Retire a tariff that holds nowhere; what it priced stays as it was."""
    await database.write(retire_tariff, tariff_id, actor=actor)


@get("/api/v1/tariffs/{tariff_id:str}/preview", guards=READ, tags=TAGS, summary="Preview a price")
async def get_preview(
    tariff_id: TariffId,
    database: Database,
    clock: Clock,
    energy_wh: Wh,
    duration_s: Seconds,
    parked_s: Seconds = 0,
    start: At = None,
) -> PreviewShown:
    """Return what so much energy in so much time would cost, by the same arithmetic that bills."""
    wish = Use(energy_wh, duration_s, parked_s, start, tariff_id=tariff_id)
    return await database.read(_preview, wish, clock.now())


@post("/api/v1/tariffs/preview", guards=READ, tags=TAGS, summary="Preview a draft", status_code=HTTP_200_OK)
async def post_preview(data: Use, database: Database, site: Site, clock: Clock) -> PreviewShown:
    """Return what a session would cost under a stored tariff or one that is only sent along."""
    for name, value, most in (
        ("energy_wh", data.energy_wh, 10_000_000),
        ("duration_s", data.duration_s, 30 * 86_400),
        ("parked_s", data.parked_s, 30 * 86_400),
    ):
        if not 0 <= value <= most:
            raise TariffInvalid(f"It is out of bounds: 0 to {most}.", field=name)
    return await database.read(_preview, data, clock.now(), site.timezone)


@get("/api/v1/tariffs/assignments", guards=READ, tags=TAGS, summary="List assignments")
async def get_assignments(
    request: Request[Any, Any, Any], database: Database, station: AtStation = None, tariff_id: OfTariff = None
) -> Tagged[Page[AssignmentShown]]:
    """Return which tariff held and holds where, the newest first."""
    rows = await database.read(store.assignment_history, tariff_id=tariff_id, station=station)
    return tagged(request, Page([show_assignment(row) for row in rows]))


@post(
    "/api/v1/tariffs/assignments",
    guards=WRITE,
    tags=TAGS,
    summary="Assign a tariff",
    opt=refuses({404: "There is no such tariff, or no such station."}),
)
async def post_assignment(
    data: Place,
    database: Database,
    actor: Actor,
    idempotency_key: IdempotencyKey | None,
    check_place: NamedDependency[SkipValidation[PlaceCheck]] = anywhere,
) -> AssignmentShown:
    """Let a tariff hold at the site, a station or a connector from now on or from `since`."""
    since = None if data.since is None else moment(data.since, "since")

    def act(work: Work) -> AssignmentShown:
        place = (data.station or "", data.connector or 0)
        assigned = assign_tariff(work, data.tariff_id, *place, since=since, actor=actor, check_place=check_place)
        return show_assignment(assigned)

    return await database.write(once, idempotency_key, act)


@get("/api/v1/tariffs/in-force", guards=READ, tags=TAGS, summary="Tell which tariff holds")
async def get_in_force(
    database: Database, clock: Clock, station: Station, connector: Connector, at: At = None
) -> VersionShown:
    """Return the version that holds at a connector, now or at an instant."""
    when = clock.now() if at is None else moment(at, "at")
    return show_version(await database.read(store.tariff_for, station, connector, when))


@get("/api/v1/rates", guards=READ, tags=TAGS, summary="List exchange rates")
async def get_rates(database: Database, site: Site, paging: Paging, currency: Currency = None) -> Page[RateShown]:
    """Return the prices of bitcoin that were used, the newest first, each with its sources."""
    (after,) = paging.key(str) or ("",)
    rows = await database.read(store.list_rates, _currency(currency, site), limit=paging.limit + 1, after=after)
    return page_of(rows, paging, show_rate, lambda row: (row.id,))


@get("/api/v1/rates/current", guards=READ, tags=TAGS, summary="Show the exchange rate")
async def get_current_rate(database: Database, site: Site, clock: Clock, currency: Currency = None) -> RateShown:
    """Return the price of bitcoin that a session would lock now; 503 `no-rate` when none can be believed."""
    return show_rate(await database.read(store.current_rate, _currency(currency, site), clock.now()))


def _currency(code: str | None, site: Site) -> str:
    """Return the currency that is meant. Raises BadRequest for what is none, which no rate would ever be found for."""
    if code is not None and not is_currency(code):
        raise BadRequest(f"{code[:20]!r} is no currency. Write a code of ISO 4217, such as EUR.", field="currency")
    return code or site.currency


def _preview(connection: Connection, wish: Use, now: Instant, timezone: str = "UTC") -> PreviewShown:
    tariff = _tariff(connection, wish, now, timezone)
    start = now if wish.start is None else moment(wish.start, "start")
    bill = preview(tariff, wish.energy_wh, wish.duration_s, wish.parked_s, start)
    return {**show_bill(bill, _rate(connection, tariff, now)), "tariff": show_version(tariff)}


def _tariff(connection: Connection, wish: Use, now: Instant, timezone: str) -> Tariff:
    if wish.tariff is not None:
        before = None if wish.tariff_id is None else store.newest_version(connection, wish.tariff_id).tariff
        return parse_tariff(wish.tariff, timezone=before.timezone if before else timezone)
    if wish.tariff_id is None:
        raise TariffInvalid("Send a `tariff`, or the `tariff_id` of a stored one.", field="tariff")
    current = store.version_at(connection, wish.tariff_id, now)
    return current or store.newest_version(connection, wish.tariff_id).tariff


def _rate(connection: Connection, tariff: Tariff, now: Instant) -> Rate | None:
    """Return the rate for a preview in bitcoin; without one the preview is in the tariff's own money alone."""
    if tariff.asset.code == BTC.code:
        return None
    try:
        return store.current_rate(connection, tariff.asset.code, now)
    except NoRate:
        return None


ROUTES = [
    get_tariffs,
    post_tariff,
    get_tariff,
    get_versions,
    post_version,
    delete_tariff,
    get_preview,
    post_preview,
    get_assignments,
    post_assignment,
    get_in_force,
    get_rates,
    get_current_rate,
]
