"""The list of stations as people want it: filtered, sorted by what they click on, in pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, tuple_

from commonwatt.stations.queries import ConnectorView, StationView, escaped, list_connectors, station_view
from commonwatt.stations.store import station

_COLUMNS: dict[str, Any] = {
    "identity": station.c.identity,
    "name": func.lower(station.c.name),
    "seen": func.coalesce(station.c.seen_ms, 0),
}
SORTS = (*_COLUMNS, *(f"-{name}" for name in _COLUMNS))
"""How the list may be sorted; a minus turns the order round."""


@dataclass(frozen=True, slots=True)
class StationFilter:
    """Which stations are wanted; what is None does not matter."""

    search: str = ""
    state: str | None = None
    connected: bool | None = None


def page_stations(
    sql: Connection, wanted: StationFilter, *, sort: str = "identity", after: tuple[Any, ...] = (), limit: int = 50
) -> list[StationView]:
    """Return stations in the order of `sort`, those after the key `after` (see `sort_key`)."""
    column = _COLUMNS[sort.removeprefix("-")]
    key = tuple_(column, station.c.identity)
    statement = _matching(select(station), wanted)
    if sort.startswith("-"):
        statement = statement.order_by(column.desc(), station.c.identity.desc())
        statement = statement.where(key < after) if after else statement
    else:
        statement = statement.order_by(column, station.c.identity)
        statement = statement.where(key > after) if after else statement
    return [station_view(row) for row in sql.execute(statement.limit(limit))]


def sort_key(view: StationView, sort: str) -> tuple[str | int, ...]:
    """Return where a station stands in an order: what a cursor keeps of it."""
    name = sort.removeprefix("-")
    if name == "seen":
        return (view.seen_ms or 0, view.identity)
    return (view.name.lower() if name == "name" else view.identity, view.identity)


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
        like = f"%{escaped(wanted.search)}%"
        columns = (station.c.identity, station.c.name, station.c.vendor, station.c.model, station.c.serial)
        statement = statement.where(or_(*(column.like(like, escape="\\") for column in columns)))
    return statement
