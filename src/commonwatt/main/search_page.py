"""The search that finds things anywhere by a piece of their name, number or id; each reader finds what he may read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from litestar import get
from litestar.params import Parameter
from sqlalchemy import Connection

from commonwatt import stations
from commonwatt.charging import queries
from commonwatt.kernel import Clock, Instant
from commonwatt.kit.database import Database
from commonwatt.members import Actor, find_members, require_scope
from commonwatt.payments import PaymentFilter, list_invoices, list_payouts
from commonwatt.tariffs import list_tariffs

HITS_MAX = 6
"""Of each kind; who wants more opens the list with the same words."""
Text = Annotated[str, Parameter(max_length=100)]
Hit = dict[str, str]


@get("/search", guards=[require_scope("sessions:read")], include_in_schema=False)
async def search(database: Database, clock: Clock, actor: Actor, q: Text = "") -> dict[str, list[Hit]]:
    """Find stations, connectors, sessions, payments, tariffs and people."""
    words = q.strip()
    return {"items": list(await database.read(_hits, words, actor, clock.now())) if len(words) > 1 else []}


def _hits(sql: Connection, words: str, actor: Actor, now: Instant) -> list[Hit]:
    hits = [*_stations(sql, words)] if actor.may("stations:read") else []
    hits += _sessions(sql, words, actor)
    hits += _payments(sql, words) if actor.may("payments:read") else ()
    if actor.may("tariffs:read"):
        found = list_tariffs(sql, now, search=words, retired=True, limit=HITS_MAX)
        hits += [_hit(one.name, f"/tariffs/{one.id}", "") for one in found]
    if actor.may("members:admin"):
        hits += [_hit(one.name, "/people", one.role.value) for one in find_members(sql, words, limit=HITS_MAX)]
    return hits


def _stations(sql: Connection, words: str) -> Iterator[Hit]:
    for one in stations.list_stations(sql, search=words, limit=HITS_MAX):
        yield _hit(one.name or one.identity, f"/stations/{one.identity}", one.identity)
    view = stations.find_connector(sql, words)
    if view is not None:
        yield _hit(view.name, f"/stations/{view.station}", view.state)


def _sessions(sql: Connection, words: str, actor: Actor) -> Iterator[Hit]:
    wanted = queries.SessionFilter(text=words, offers=True, tags=actor.sees_id_tags)
    for one in queries.list_sessions(sql, wanted, limit=HITS_MAX):
        yield _hit(f"{one.station}/{one.connector}", f"/sessions/{one.id}", one.session.status.value)


def _payments(sql: Connection, words: str) -> Iterator[Hit]:
    wanted = PaymentFilter(text=words)
    for one in list_invoices(sql, wanted, HITS_MAX):
        yield _hit(one.payment_hash[:16], f"/payments/{one.payment_hash}", one.state.value)
    for paid in list_payouts(sql, wanted, HITS_MAX):
        yield _hit(paid.payment_hash[:16], f"/payments/out/{paid.id}", paid.state.value)


def _hit(label: str, href: str, hint: str) -> Hit:
    return {"label": label, "href": href, "hint": hint}


ROUTES = [search]
