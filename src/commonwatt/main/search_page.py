"""The search that finds things anywhere by a piece of their name, number or id; each reader finds what he may read."""

from __future__ import annotations

import json
from typing import Annotated, Any

from litestar import Request, get
from litestar.params import Parameter
from sqlalchemy import Connection

from commonwatt import stations
from commonwatt.charging import queries
from commonwatt.kernel import Clock, Instant
from commonwatt.kit.database import Database
from commonwatt.kit.pages import render_for
from commonwatt.members import Actor, find_members, require_scope
from commonwatt.payments import PaymentFilter, list_invoices, list_payouts
from commonwatt.tariffs import list_tariffs

HITS_MAX = 6
"""Of each kind; who wants more opens the list with the same words."""
Text = Annotated[str, Parameter(max_length=100)]
Hit = dict[str, str]


@get("/search", guards=[require_scope("sessions:read")], include_in_schema=False)
async def search(
    request: Request[Any, Any, Any], database: Database, clock: Clock, actor: Actor, q: Text = ""
) -> dict[str, list[Hit]]:
    """Find stations, connectors, sessions, payments, tariffs and people, and tell them in the words of their lists."""
    words = q.strip()
    if len(words) < 2:  # noqa: PLR2004 (one letter is in everything)
        return {"items": []}
    found = await database.read(_found, words, actor, clock.now())
    told = render_for(request, "search_hits.html", now=clock.now(), **found)
    return {"items": [json.loads(line) for line in told.splitlines() if line.strip()]}


def _found(sql: Connection, words: str, actor: Actor, now: Instant) -> dict[str, Any]:
    """Return what the reader may see of each kind."""
    found: dict[str, Any] = dict.fromkeys(("stations", "connectors", "invoices", "payouts", "tariffs", "members"), ())
    if actor.may("stations:read"):
        found["stations"] = stations.list_stations(sql, search=words, limit=HITS_MAX)
        view = stations.find_connector(sql, words)
        found["connectors"] = [] if view is None else [view]
    wanted = queries.SessionFilter(text=words, offers=True, tags=actor.sees_id_tags)
    found["sessions"] = queries.list_sessions(sql, wanted, limit=HITS_MAX)
    if actor.may("payments:read"):
        paid = PaymentFilter(text=words)
        found |= {"invoices": list_invoices(sql, paid, HITS_MAX), "payouts": list_payouts(sql, paid, HITS_MAX)}
    if actor.may("tariffs:read"):
        found["tariffs"] = list_tariffs(sql, now, search=words, retired=True, limit=HITS_MAX)
    if actor.may("members:admin"):
        found["members"] = find_members(sql, words, limit=HITS_MAX)
    found["names"] = stations.station_names(sql)
    return found


ROUTES = [search]
