"""Sessions, transactions and local tags for programs: `/api/v1/sessions`, `/transactions`, `/refunds`, `/tags`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, delete, get, post
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from sqlalchemy import Row

from commonwatt.charging import queries, store
from commonwatt.charging.actions.keep_tags import add_tag, block_tag, remove_tag
from commonwatt.charging.actions.offer_session import offer_session, pick_rail
from commonwatt.charging.actions.stop_session import ask_to_stop
from commonwatt.charging.charge import Charge, account_of_tag
from commonwatt.charging.errors import NoSuchSession
from commonwatt.charging.model.session import Status
from commonwatt.charging.rules import Rules
from commonwatt.kernel import BTC, Amount, Asset, Instant, Missing
from commonwatt.kit.database import Database, Work
from commonwatt.kit.web import (
    Answer,
    Body,
    IdempotencyKey,
    Page,
    Paging,
    RowNumber,
    Site,
    once,
    once_outside,
    page_of,
    tagged,
)
from commonwatt.kit.web.days import instant_of
from commonwatt.kit.web.paging import NUMBER_MAX
from commonwatt.kit.web.parameters import From, To
from commonwatt.members import Actor, mask_id_tag, require_scope
from commonwatt.metering import count_readings, readings_of
from commonwatt.payments.ports import Rail
from commonwatt.stations.ports import StationLine

Connector = Annotated[int | None, Parameter(ge=0, le=NUMBER_MAX, description="its number at the station")]
READ, WRITE = [require_scope("sessions:read")], [require_scope("sessions:write")]


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as programs see it. Instants in RFC 3339; `cost` and `gross` run until the end."""

    id: str
    status: str
    kind: str
    station: str
    connector: int
    id_tag: str
    transaction_id: int | None
    made: Instant
    began: Instant | None
    ended: Instant | None
    energy_wh: int
    power_w: int
    gross: Amount
    paid: Amount
    held: Amount
    cost: Amount
    billed: Amount
    returned: Amount
    owed: Amount
    tariff_version: str
    rate_id: str | None
    reason: str
    flags: list[str]
    address: str | None


@dataclass(frozen=True, slots=True)
class TransactionView:
    """A transaction as the station reported it (OCPP 1.6, 4.8 and 4.10)."""

    id: int
    session_id: str | None
    station: str
    connector: int
    id_tag: str
    authorisation: str
    start_time: Instant
    start_received: Instant
    meter_start_wh: int
    stop_time: Instant | None
    stop_received: Instant | None
    meter_stop_wh: int | None
    reason: str | None
    meter_values: list[dict[str, Any]] | None = None
    """At most 5,000 at a time, oldest first; `?skip=5000` gives those behind them."""
    meter_values_total: int | None = None


class OfferWish(Body, frozen=True):
    """A session to prepay at a connector, named as in its page's address."""

    connector: str
    amount_msat: int
    change_address: str | None = None


class TagWish(Body, frozen=True):
    """A tag that shall charge on account."""

    id_tag: str
    holder: str


def view_session(charge: Charge, actor: Actor | None) -> SessionView:
    """Return a session as this actor may see it."""
    session = charge.session
    return SessionView(
        id=charge.id,
        status=session.status.value,
        kind=charge.kind.value,
        station=charge.station,
        connector=charge.connector,
        id_tag=mask_id_tag(actor, charge.id_tag),
        transaction_id=session.transaction_id,
        made=charge.made,
        began=charge.began,
        ended=charge.ended,
        energy_wh=session.energy_wh,
        power_w=charge.progress.power_w,
        gross=Amount(Asset.of(charge.asset), charge.gross_units),
        paid=Amount(BTC, session.paid_msat),
        held=Amount(BTC, session.held_msat),
        cost=Amount(BTC, session.cost_msat),
        billed=Amount(BTC, session.billed_msat),
        returned=Amount(BTC, charge.returned_msat),
        owed=Amount(BTC, charge.owed_msat),
        tariff_version=charge.tariff_version,
        rate_id=charge.rate_id,
        reason=session.reason,
        flags=list(charge.flags),
        address=charge.address,
    )


def view_transaction(
    row: Row[Any], actor: Actor | None, values: list[dict[str, Any]] | None = None, total: int | None = None
) -> TransactionView:
    """Return a transaction as this actor may see it."""
    return TransactionView(
        id=row.id,
        session_id=row.session_id,
        station=row.station,
        connector=row.connector,
        id_tag=mask_id_tag(actor, row.id_tag),
        authorisation=row.authorisation,
        start_time=Instant(row.started_ms),
        start_received=Instant(row.received_ms),
        meter_start_wh=row.meter_start_wh,
        stop_time=_instant(row.stopped_ms),
        stop_received=_instant(row.stop_received_ms),
        meter_stop_wh=row.meter_stop_wh,
        reason=row.stop_reason,
        meter_values=values,
        meter_values_total=total,
    )


@get("/api/v1/sessions", guards=READ, tags=["sessions"], summary="List sessions")
async def get_sessions(
    database: Database,
    paging: Paging,
    actor: Actor,
    station: str | None = None,
    connector: Connector = None,
    status: Status | None = None,
    since: From = None,
    until: To = None,
    search: str = "",
    owed: bool = False,
) -> Page[SessionView]:
    """Return sessions, newest first; `owed` keeps those with change that nobody has taken."""
    wanted = queries.SessionFilter(
        station,
        connector,
        status and status.value,
        instant_of(since, "from"),
        instant_of(until, "to"),
        search,
        owed,
        tags=actor.sees_id_tags,
    )
    return await _page(database, wanted, paging, actor)


async def _page(database: Database, wanted: queries.SessionFilter, paging: Paging, actor: Actor) -> Page[SessionView]:
    """Return a page of sessions, the newest first."""
    after = paging.key(*queries.ORDERING.kinds(queries.NEWEST))
    rows = await database.read(queries.list_sessions, wanted, after=after, limit=paging.limit + 1)
    return page_of(
        rows,
        paging,
        lambda charge: view_session(charge, actor),
        lambda charge: queries.ORDERING.key(charge, queries.NEWEST),
    )


@get("/api/v1/sessions/{session_id:str}", guards=READ, tags=["sessions"], summary="Show a session")
async def get_session(session_id: str, request: Request[Any, Any, Any], database: Database, actor: Actor) -> Answer:
    """Return one session."""
    return tagged(request, view_session(await _charge(database, session_id), actor))


@post("/api/v1/sessions", guards=WRITE, tags=["sessions"], summary="Offer a session")
async def post_session(
    data: OfferWish,
    database: Database,
    line: StationLine,
    rails: Mapping[str, Rail],
    rules: Rules,
    site: Site,
    actor: Actor,
    idempotency_key: IdempotencyKey | None,
) -> dict[str, Any]:
    """Open a session at a connector and return its invoice and the driver's secret link.

    The answer to a repeated key is the first one, and opens nothing.
    """

    async def offer() -> dict[str, Any]:
        charge, invoice = await offer_session(
            database,
            line,
            pick_rail(rails),
            connector=data.connector,
            amount_msat=data.amount_msat,
            address=data.change_address,
            rules=rules,
        )
        return {
            "session": view_session(charge, actor),
            "invoice": invoice.bolt11,
            "payment_hash": invoice.payment_hash,
            "expires": invoice.expires,
        }

    answer: dict[str, Any] = await once_outside(database, idempotency_key, offer)
    charge = await _charge(database, answer["session"]["id"])
    return {**answer, "link": site.url(f"/s/{charge.secret}")}


@post(
    "/api/v1/sessions/{session_id:str}/stop",
    guards=WRITE,
    tags=["sessions"],
    summary="Stop a session",
    status_code=HTTP_200_OK,
)
async def post_stop(
    session_id: str, database: Database, actor: Actor, rules: Rules, idempotency_key: IdempotencyKey | None
) -> Any:
    """Ask the station to end a session; what was not used is the driver's."""
    return await database.write(once, idempotency_key, _stop, session_id, actor, rules)


@get("/api/v1/refunds", guards=[require_scope("payments:read")], tags=["sessions"], summary="List change owed")
async def get_refunds(database: Database, paging: Paging, actor: Actor) -> Page[SessionView]:
    """Return the sessions whose change nobody has taken yet."""
    wanted = queries.SessionFilter(owed=True)
    return await _page(database, wanted, paging, actor)


@get("/api/v1/transactions", guards=READ, tags=["sessions"], summary="List transactions")
async def get_transactions(
    database: Database,
    paging: Paging,
    actor: Actor,
    station: str | None = None,
    connector: Connector = None,
    id_tag: str | None = None,
    since: From = None,
    until: To = None,
    running: bool = False,
) -> Page[TransactionView]:
    """Return what stations reported, newest first; who may not see id tags cannot look for one either."""
    tag = id_tag if actor.sees_id_tags else None
    span = instant_of(since, "from"), instant_of(until, "to")
    wanted = queries.TransactionFilter(station, connector, tag, *span, running)
    before = next(iter(paging.key(int)), None)
    rows = await database.read(queries.list_transactions, wanted, before=before, limit=paging.limit + 1)
    return page_of(rows, paging, lambda row: view_transaction(row, actor), lambda row: (row.id,))


@get("/api/v1/transactions/{number:int}", guards=READ, tags=["sessions"], summary="Show a transaction")
async def get_transaction(
    number: RowNumber,
    request: Request[Any, Any, Any],
    database: Database,
    actor: Actor,
    skip: Annotated[int, Parameter(ge=0, le=10**9, description="meter values to leave out, the oldest first")] = 0,
) -> Answer:
    """Return one transaction with at most 5,000 of its meter values; `meter_values_total` says how many there are."""
    row = await database.read(store.transaction_by_id, number)
    if row is None:
        raise Missing(f"There is no transaction {number}.", transaction=number)
    readings = await database.read(readings_of, number, skip=skip)
    values = [{**reading._asdict(), "at": Instant(reading.at_ms)} for reading in readings]
    return tagged(request, view_transaction(row, actor, values, await database.read(count_readings, number)))


@get("/api/v1/tags", guards=WRITE, tags=["sessions"], summary="List local tags")
async def get_tags(request: Request[Any, Any, Any], database: Database, search: str = "") -> Answer:
    """Return the tags that charge on account."""
    rows = await database.read(queries.list_tags, text=search)
    return tagged(request, Page([queries.told_tag(row) for row in rows]))


@post("/api/v1/tags", guards=WRITE, tags=["sessions"], summary="Add a local tag")
async def post_tag(data: TagWish, database: Database, actor: Actor, idempotency_key: IdempotencyKey | None) -> Any:
    """Let a tag charge on account."""
    return await database.write(once, idempotency_key, _add_tag, data.id_tag, data.holder, actor)


@post(
    "/api/v1/tags/{id_tag:str}/block",
    guards=WRITE,
    tags=["sessions"],
    summary="Block a local tag, or allow it again",
    status_code=HTTP_204_NO_CONTENT,
)
async def post_block(id_tag: str, database: Database, actor: Actor, blocked: bool = True) -> None:
    """Refuse a tag, or let it in again with `?blocked=false`."""
    await database.write(block_tag, id_tag, blocked=blocked, actor=actor)


@delete(
    "/api/v1/tags/{id_tag:str}",
    guards=WRITE,
    tags=["sessions"],
    summary="Remove a local tag",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_tag(id_tag: str, database: Database, actor: Actor) -> None:
    """Forget a tag."""
    await database.write(remove_tag, id_tag, actor=actor)


def _stop(work: Work, session_id: str, actor: Actor, rules: Rules) -> SessionView:
    charge = ask_to_stop(work, session_id, f"{actor.name} stopped it", rules, actor=actor)
    return view_session(charge, actor)


def _add_tag(work: Work, id_tag: str, holder: str, actor: Actor) -> dict[str, str]:
    account = account_of_tag(add_tag(work, id_tag, holder, actor=actor))
    return {"id_tag": id_tag, "holder": holder, "state": "accepted", "account": account}


async def _charge(database: Database, session_id: str) -> Charge:
    charge = await database.read(store.charge_by_id, session_id)
    if charge is None:
        raise NoSuchSession("There is no session of this id.", session=session_id)
    return charge


def _instant(ms: int | None) -> Instant | None:
    return None if ms is None else Instant(ms)


ROUTES = [
    get_sessions,
    get_session,
    post_session,
    post_stop,
    get_refunds,
    get_transactions,
    get_transaction,
    get_tags,
    post_tag,
    post_block,
    delete_tag,
]
