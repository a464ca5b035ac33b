"""The list of stations as people want it: filtered, sorted by what they click on, in pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from commonwatt.kit.database import Ordering, SortColumn, by_text, mentions
from commonwatt.stations.queries import SEARCHED, ConnectorView, StationView, list_connectors, station_view
from commonwatt.stations.store import station

_IDENTITY: SortColumn[StationView] = SortColumn(station.c.identity, str, lambda view: view.identity)
ORDERING: Ordering[StationView] = Ordering(
    _IDENTITY,
    {
        "identity": _IDENTITY,
        "name": by_text(station.c.name, lambda view: view.name),
        "seen": SortColumn(func.coalesce(station.c.seen_ms, 0), int, lambda view: view.seen_ms or 0),
    },
)
"""What the list may be sorted by."""


@dataclass(frozen=True, slots=True)
class StationFilter:
    """Which stations are wanted; what is None does not matter."""

    search: str = ""
    state: str | None = None
    connected: bool | None = None


def page_stations(
    sql: Connection, wanted: StationFilter, *, sort: str = "identity", after: tuple[Any, ...] = (), limit: int = 50
) -> list[StationView]:
    """Return stations in the order of `sort`, those behind the key `after` (see `ORDERING`)."""
    statement = ORDERING.page(_matching(select(station), wanted), sort, after)
    return [station_view(row) for row in sql.execute(statement.limit(limit))]


def connectors_of(sql: Connection, stations: list[StationView]) -> dict[str, list[ConnectorView]]:
    """Return the connectors of some stations by their identity."""
    return {view.identity: list_connectors(sql, identity=view.identity, limit=100) for view in stations}


def _matching(statement: Select[Any], wanted: StationFilter) -> Select[Any]:
    if wanted.state is not None:
        statement = statement.where(station.c.state == wanted.state)
    if wanted.connected is not None:
        here = station.c.connected_ms.is_not(None)
        statement = statement.where(here if wanted.connected else ~here)
    if wanted.search:
        statement = statement.where(mentions(wanted.search, *SEARCHED))
    return statement
