"""Sessions, transactions and local tags for programs: `/api/v1/sessions`, `/transactions`, `/refunds`, `/tags`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

import msgspec
from litestar import Request, delete, get, post
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from commonwatt.charging import queries, store
from commonwatt.charging.actions.keep_tags import add_tag, block_tag, remove_tag
from commonwatt.charging.actions.offer_session import offer_session, pick_rail
from commonwatt.charging.actions.release_change import release_change
from commonwatt.charging.actions.stop_session import ask_to_stop
from commonwatt.charging.addresses import usable_address
from commonwatt.charging.charge import account_of_tag
from commonwatt.charging.finding import charge_named
from commonwatt.charging.model.session import Status
from commonwatt.charging.rules import Rules
from commonwatt.charging.showing import (
    OfferShown,
    SessionShown,
    TagShown,
    TransactionShown,
    shown_session,
    shown_tag,
    shown_transaction,
)
from commonwatt.kernel import Instant, Missing
from commonwatt.kit.database import Database, Work
from commonwatt.kit.web import (
    Body,
    IdempotencyKey,
    Made,
    Page,
    Paging,
    RowNumber,
    Site,
    Tagged,
    made,
    once,
    once_outside,
    page_of,
    refuses,
    tagged,
)
from commonwatt.kit.web.days import span_of
from commonwatt.kit.web.paging import NUMBER_MAX
from commonwatt.kit.web.parameters import From, To
from commonwatt.members import Actor, require_proof, require_scope
from commonwatt.metering import count_readings, readings_of
from commonwatt.payments.ports import Rail
from commonwatt.stations.ports import StationLine

Station = Annotated[str | None, Parameter(description="only at the station of this identity")]
SessionId = Annotated[str, Parameter(description="the session's id")]
TagName = Annotated[str, Parameter(description="the tag as stations read it, or what follows `member:` in its account")]
TagSearch = Annotated[str, Parameter(description="anywhere in the tag or its holder")]
Connector = Annotated[int | None, Parameter(ge=0, le=NUMBER_MAX, description="its number at the station")]
MONEY_MAX_MSAT = 21 * 10**17
"""All bitcoin there will ever be."""
READ, WRITE = [require_scope("sessions:read")], [require_scope("sessions:write")]


class OfferWish(Body, frozen=True):
    """A session to prepay at a connector, named as in its page's address."""

    connector: Annotated[str, msgspec.Meta(description="the connector's name, as in its page's address")]
    amount_msat: Annotated[
        int, msgspec.Meta(ge=1, le=MONEY_MAX_MSAT, description="what to prepay; 422 tells the site's own bounds")
    ]
    change_address: Annotated[
        str | None, msgspec.Meta(description="a Lightning address or LNURL, to which change goes by itself at the end")
    ] = None


class TagWish(Body, frozen=True):
    """A tag that shall charge on account."""

    id_tag: Annotated[str, msgspec.Meta(description="the tag as stations read it, of 1 to 20 characters")]
    holder: Annotated[str, msgspec.Meta(description="whose it is, for people")]


@get("/api/v1/sessions", guards=READ, tags=["sessions"], summary="List sessions")
async def get_sessions(
    database: Database,
    paging: Paging,
    actor: Actor,
    station: Station = None,
    connector: Connector = None,
    status: Annotated[Status | None, Parameter(description="only in this state")] = None,
    since: From = None,
    until: To = None,
    search: Annotated[str, Parameter(description="in the id, the station or the id tag")] = "",
    owed: Annotated[bool, Parameter(description="only with change that nobody has taken")] = False,
) -> Page[SessionShown]:
    """Return sessions, newest first; `owed` keeps those with change that nobody has taken."""
    wanted = queries.SessionFilter(
        station,
        connector,
        status and status.value,
        *span_of(since, until),
        search,
        owed,
        tags=actor.sees_id_tags,
    )
    return await _page(database, wanted, paging, actor)


async def _page(database: Database, wanted: queries.SessionFilter, paging: Paging, actor: Actor) -> Page[SessionShown]:
    """Return a page of sessions, the newest first."""
    after = paging.key(*queries.ORDERING.kinds(queries.NEWEST))
    rows = await database.read(queries.list_sessions, wanted, after=after, limit=paging.limit + 1)
    return page_of(
        rows,
        paging,
        lambda charge: shown_session(charge, actor),
        lambda charge: queries.ORDERING.key(charge, queries.NEWEST),
    )


@get("/api/v1/sessions/{session_id:str}", guards=READ, tags=["sessions"], summary="Show a session")
async def get_session(
    session_id: SessionId, request: Request[Any, Any, Any], database: Database, actor: Actor
) -> Tagged[SessionShown]:
    """Return one session."""
    return tagged(request, shown_session(await database.read(charge_named, session_id), actor))


@post(
    "/api/v1/sessions",
    guards=WRITE,
    tags=["sessions"],
    summary="Offer a session",
    opt=refuses({404: "No connector has this name."}),
)
async def post_session(
    data: OfferWish,
    database: Database,
    line: StationLine,
    rails: Mapping[str, Rail],
    rules: Rules,
    site: Site,
    actor: Actor,
    idempotency_key: IdempotencyKey | None,
) -> Made[OfferShown]:
    """Open a session at a connector and return its invoice and the driver's secret link.

    The answer to a repeated key is the first one, and opens nothing.
    """
    address = usable_address(data.change_address or "", sandbox=site.sandbox, field="change_address") or None

    async def offer() -> dict[str, Any]:
        charge, invoice = await offer_session(
            database,
            line,
            pick_rail(rails),
            connector=data.connector,
            amount_msat=data.amount_msat,
            address=address,
            rules=rules,
        )
        return {
            "session": shown_session(charge, actor),
            "invoice": invoice.bolt11,
            "payment_hash": invoice.payment_hash,
            "expires": invoice.expires,
        }

    answer: dict[str, Any] = await once_outside(database, idempotency_key, offer)
    charge = await database.read(charge_named, answer["session"]["id"])
    offered = cast("OfferShown", {**answer, "link": site.url(f"/s/{charge.secret}")})
    return made(offered, "/api/v1/sessions", charge.id)


@post(
    "/api/v1/sessions/{session_id:str}/stop",
    guards=WRITE,
    tags=["sessions"],
    summary="Stop a session",
    status_code=HTTP_200_OK,
)
async def post_stop(
    session_id: SessionId, database: Database, actor: Actor, rules: Rules, idempotency_key: IdempotencyKey | None
) -> SessionShown:
    """Ask the station to end a session; what was not used is the driver's."""
    return await database.write(once, idempotency_key, _stop, session_id, actor, rules)


@post(
    "/api/v1/sessions/{session_id:str}/release",
    guards=[*WRITE, require_proof],
    tags=["sessions"],
    summary="Release a session's withheld change",
    status_code=HTTP_200_OK,
)
async def post_release(
    session_id: SessionId, database: Database, actor: Actor, idempotency_key: IdempotencyKey | None
) -> SessionShown:
    """Let change go that was withheld because a backup was restored. It may have been paid before: look first.

    Where the driver left an address it is paid at once. It cannot be undone. Change that is not withheld is left alone.
    """
    return await database.write(once, idempotency_key, _release, session_id, actor)


@get("/api/v1/refunds", guards=[require_scope("payments:read")], tags=["sessions"], summary="List change owed")
async def get_refunds(database: Database, paging: Paging, actor: Actor) -> Page[SessionShown]:
    """Return the sessions whose change nobody has taken yet; `withheld` tells what waits for the owner's word."""
    wanted = queries.SessionFilter(owed=True)
    return await _page(database, wanted, paging, actor)


@get("/api/v1/transactions", guards=READ, tags=["sessions"], summary="List transactions")
async def get_transactions(
    database: Database,
    paging: Paging,
    actor: Actor,
    station: Station = None,
    connector: Connector = None,
    id_tag: Annotated[str | None, Parameter(description="only of this tag")] = None,
    since: From = None,
    until: To = None,
    running: Annotated[
        bool, Parameter(description="only those that may still run: without an end, and of no session that is over")
    ] = False,
) -> Page[TransactionShown]:
    """Return what stations reported, newest first; who may not see id tags cannot look for one either."""
    tag = id_tag if actor.sees_id_tags else None
    wanted = queries.TransactionFilter(station, connector, tag, *span_of(since, until), running)
    before = next(iter(paging.key(int)), None)
    rows = await database.read(queries.list_transactions, wanted, before=before, limit=paging.limit + 1)
    return page_of(
        rows, paging, lambda row: shown_transaction(row, actor, unreported=row.unreported), lambda row: (row.id,)
    )


@get("/api/v1/transactions/{number:int}", guards=READ, tags=["sessions"], summary="Show a transaction")
async def get_transaction(
    number: RowNumber,
    request: Request[Any, Any, Any],
    database: Database,
    actor: Actor,
    skip: Annotated[int, Parameter(ge=0, le=10**9, description="meter values to leave out, the oldest first")] = 0,
) -> Tagged[TransactionShown]:
    """Return one transaction with at most 5,000 of its meter values; `meter_values_total` says how many there are."""
    row = await database.read(store.transaction_by_id, number)
    if row is None:
        raise Missing(f"There is no transaction {number}.", transaction=number)
    readings = await database.read(readings_of, number, skip=skip)
    values = [{**reading._asdict(), "at": Instant(reading.at_ms)} for reading in readings]
    unreported = await database.read(queries.is_unreported, number)
    total = await database.read(count_readings, number)
    return tagged(request, shown_transaction(row, actor, values, total, unreported=unreported))


@get("/api/v1/tags", guards=WRITE, tags=["sessions"], summary="List local tags")
async def get_tags(
    request: Request[Any, Any, Any], database: Database, search: TagSearch = ""
) -> Tagged[Page[TagShown]]:
    """Return the tags that charge on account."""
    rows = await database.read(queries.list_tags, text=search)
    return tagged(request, Page([shown_tag(row) for row in rows]))


@post("/api/v1/tags", guards=WRITE, tags=["sessions"], summary="Add a local tag")
async def post_tag(data: TagWish, database: Database, actor: Actor, idempotency_key: IdempotencyKey | None) -> TagShown:
    """Let a tag charge on account."""
    return await database.write(once, idempotency_key, _add_tag, data.id_tag, data.holder, actor)


@post(
    "/api/v1/tags/{id_tag:str}/block",
    guards=WRITE,
    tags=["sessions"],
    summary="Block a local tag, or allow it again",
    status_code=HTTP_204_NO_CONTENT,
)
async def post_block(
    id_tag: TagName,
    database: Database,
    actor: Actor,
    blocked: Annotated[bool, Parameter(description="false lets it in again")] = True,
) -> None:
    """Refuse a tag, or let it in again with `?blocked=false`."""
    await database.write(block_tag, id_tag, blocked=blocked, actor=actor)


@delete(
    "/api/v1/tags/{id_tag:str}",
    guards=WRITE,
    tags=["sessions"],
    summary="Remove a local tag",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_tag(id_tag: TagName, database: Database, actor: Actor) -> None:
    """Forget a tag."""
    await database.write(remove_tag, id_tag, actor=actor)


def _stop(work: Work, session_id: str, actor: Actor, rules: Rules) -> SessionShown:
    charge = ask_to_stop(work, session_id, f"{actor.name} stopped it", rules, actor=actor)
    return shown_session(charge, actor)


def _release(work: Work, session_id: str, actor: Actor) -> SessionShown:
    return shown_session(release_change(work, session_id, actor=actor), actor)


def _add_tag(work: Work, id_tag: str, holder: str, actor: Actor) -> TagShown:
    account = account_of_tag(add_tag(work, id_tag, holder, actor=actor))
    return {"id_tag": id_tag, "holder": holder, "state": "accepted", "made": work.now, "account": account}


ROUTES = [
    get_sessions,
    get_session,
    post_session,
    post_stop,
    post_release,
    get_refunds,
    get_transactions,
    get_transaction,
    get_tags,
    post_tag,
    post_block,
    delete_tag,
]
