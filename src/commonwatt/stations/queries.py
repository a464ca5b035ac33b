"""What is known of stations, for edges and other features; `connected` and states are those of the last commit."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from commonwatt.kernel import Said, said
from commonwatt.kit.database import mentions
from commonwatt.stations.errors import StationMissing
from commonwatt.stations.hiding import is_secret, mask_id_tags
from commonwatt.stations.store import configuration, connector, frame, offered_secret, quirk, station

OFFLINE = "Offline"
"""The state of a connector whose station is gone."""
SEARCHED = (station.c.identity, station.c.name, station.c.vendor, station.c.model, station.c.serial)
"""Where a search for stations looks."""
NAMES_MAX = 1000
_NEAREST_MAX = 5000
"""Identities that are compared when one was misspelt."""


@dataclass(frozen=True, slots=True)
class StationView:
    """A station as pages and the API show it; instants in ms, None for what never happened."""

    identity: str
    name: str
    state: str
    connected: bool
    has_password: bool
    waivers: tuple[str, ...]
    vendor: str | None
    model: str | None
    serial: str | None
    firmware: str | None
    status: str | None
    error_code: str | None
    address: str | None
    protocol: str | None
    made_ms: int
    admitted_ms: int | None
    boot_ms: int | None
    seen_ms: int | None
    connected_ms: int | None
    disconnected_ms: int | None
    drift_ms: int | None
    ping_ms: int | None

    @property
    def called(self) -> bool:
        """Whether it was ever here, be it in the waiting room."""
        return self.connected or bool(self.seen_ms or self.boot_ms or self.disconnected_ms)


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """A connector with its live state; `status` is what it last said, `online` whether its station is there."""

    station: str
    number: int
    name: str
    label: str
    status: str
    error_code: str
    info: str
    vendor_error: str
    since_ms: int
    reported_ms: int | None
    online: bool
    station_name: str
    station_state: str

    @property
    def state(self) -> str:
        """One word: offline while its station is gone, else its own status."""
        return self.status if self.online else OFFLINE


@dataclass(frozen=True, slots=True)
class FrameView:
    """A frame as it was stored, without passwords; `text` has no id tags for those who may not see them."""

    id: int
    station: str
    at_ms: int
    direction: str
    kind: str
    action: str
    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class QuirkView:
    """Something that a station does slightly wrong, and how often."""

    slug: str
    detail: str
    count: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class SettingView:
    """A configuration key as the station last told it."""

    key: str
    value: str | None
    readonly: bool
    read_ms: int

    @property
    def secret(self) -> bool:
        """Whether it is a password; the value says only that there is one."""
        return is_secret(self.key)


def find_station(sql: Connection, identity: str) -> StationView | None:
    """Return a station, or None."""
    row = sql.execute(select(station).where(station.c.identity == identity)).first()
    return None if row is None else station_view(row)


def station_of(sql: Connection, identity: str) -> StationView:
    """Return a station. Raises StationMissing, with the nearest identity."""
    view = find_station(sql, identity)
    if view is None:
        raise StationMissing(_nobody_is_called(sql, identity), identity=identity[:60])
    return view


def check_place(sql: Connection, identity: str, _number: int = 0) -> None:
    """Raise StationMissing, with the nearest identity, when no station has this one; the empty one is the whole site.

    Waiting and rejected stations exist; connectors appear only as a station reports them, so any number may be meant.
    """
    if identity:
        station_of(sql, identity)


def _nobody_is_called(sql: Connection, identity: str) -> Said:
    known = list(sql.execute(select(station.c.identity).limit(_NEAREST_MAX)).scalars())
    capitals = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(identity[:60].casefold(), list(capitals), n=1)
    if near:
        return said(
            "No station is called %(identity)s. Did you mean %(near)s?",
            identity=identity[:60],
            near=capitals[near[0]],
        )
    return said(
        "No station is called %(identity)s. Look at the list of stations for its exact identity.",
        identity=identity[:60],
    )


def secret_hash_of(sql: Connection, identity: str) -> str | None:
    """Return the hash of a station's password, for the listener alone."""
    return sql.execute(select(station.c.secret_hash).where(station.c.identity == identity)).scalar()


def offered_hash_of(sql: Connection, identity: str) -> str | None:
    """Return the hash of the password that a station in the waiting room offered first, for the listener alone."""
    return sql.execute(select(offered_secret.c.secret_hash).where(offered_secret.c.station == identity)).scalar()


def list_stations(
    sql: Connection, *, search: str = "", state: str | None = None, after: str | None = None, limit: int = 50
) -> list[StationView]:
    """Return stations by identity, those after `after`; `search` looks into identity, name, vendor, model, serial."""
    statement = select(station).order_by(station.c.identity).limit(limit)
    if after is not None:
        statement = statement.where(station.c.identity > after)
    if state is not None:
        statement = statement.where(station.c.state == state)
    if search:
        statement = statement.where(mentions(search, *SEARCHED))
    return [station_view(row) for row in sql.execute(statement)]


def station_names(sql: Connection) -> dict[str, str]:
    """Return the names of stations by their identities, for pages that name many at once."""
    rows = sql.execute(select(station.c.identity, station.c.name).order_by(station.c.identity).limit(NAMES_MAX))
    return {row.identity: row.name for row in rows}


def count_stations(sql: Connection) -> dict[str, int]:
    """Return how many stations there are by state, and under "connected" how many are there now."""
    rows = sql.execute(select(station.c.state, func.count()).group_by(station.c.state))
    counts: dict[str, int] = {state: number for state, number in rows}  # noqa: C416 (rows are not pairs to the type checker)
    online = and_(station.c.connected_ms.is_not(None), station.c.state == "admitted")
    counts["connected"] = sql.execute(select(func.count()).select_from(station).where(online)).scalar_one()
    return counts


def _connectors() -> Select[tuple[object, ...]]:
    return select(
        connector,
        station.c.connected_ms.is_not(None).label("online"),
        station.c.name.label("station_name"),
        station.c.state.label("station_state"),
    ).join(station, station.c.identity == connector.c.station)


def list_connectors(
    sql: Connection,
    *,
    identity: str | None = None,
    status: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[ConnectorView]:
    """Return connectors by name, those after `after`; of one station by their numbers.

    `status` is the shown state: `Offline` finds those whose station is gone, any other word only those that are there.
    """
    statement = _connectors().limit(limit)
    if identity is not None:
        statement = statement.where(connector.c.station == identity).order_by(connector.c.number)
    else:
        statement = statement.order_by(connector.c.name)
    if after is not None:
        statement = statement.where(connector.c.name > after)
    if status is not None:
        here = station.c.connected_ms.is_not(None)
        statement = statement.where(~here if status == OFFLINE else and_(here, connector.c.status == status))
    return [ConnectorView(**row._mapping) for row in sql.execute(statement)]  # noqa: SLF001 (SQLAlchemy's public name)


def find_connector(sql: Connection, name: str) -> ConnectorView | None:
    """Return the connector of this name, or None."""
    row = sql.execute(_connectors().where(connector.c.name == name)).first()
    return None if row is None else ConnectorView(**row._mapping)  # noqa: SLF001 (SQLAlchemy's public name)


def connector_at(sql: Connection, identity: str, number: int) -> ConnectorView | None:
    """Return a station's connector by its number, or None."""
    row = sql.execute(_connectors().where(connector.c.station == identity, connector.c.number == number)).first()
    return None if row is None else ConnectorView(**row._mapping)  # noqa: SLF001 (SQLAlchemy's public name)


def list_frames(
    sql: Connection,
    *,
    identity: str | None = None,
    search: str = "",
    action: str | None = None,
    direction: str | None = None,
    from_ms: int | None = None,
    to_ms: int | None = None,
    before: int | None = None,
    limit: int = 50,
    masked: bool,
) -> list[FrameView]:
    """Return frames, the newest first, those before the id `before`.

    `masked` hides id tags, and lets the search see only action and message id, so that nobody finds a tag by guessing.
    """
    statement = select(frame).order_by(frame.c.id.desc()).limit(limit)
    given: list[tuple[object, Callable[[Any], ColumnElement[bool]]]] = [
        (identity, lambda value: frame.c.station == value),
        (action, lambda value: frame.c.action == value),
        (direction, lambda value: frame.c.direction == value),
        (from_ms, lambda value: frame.c.at_ms >= value),
        (to_ms, lambda value: frame.c.at_ms < value),
        (before, lambda value: frame.c.id < value),
    ]
    for value, condition in given:
        if value is not None:
            statement = statement.where(condition(value))
    if search:
        columns = (frame.c.action, frame.c.message_id) if masked else (frame.c.text, frame.c.action)
        statement = statement.where(mentions(search, *columns))
    rows = [FrameView(**row._mapping) for row in sql.execute(statement)]  # noqa: SLF001 (SQLAlchemy's public name)
    return [replace(row, text=mask_id_tags(row.text)) for row in rows] if masked else rows


def list_quirks(sql: Connection, identity: str) -> Sequence[QuirkView]:
    """Return what a station does slightly wrong, the latest first."""
    rows = sql.execute(select(quirk).where(quirk.c.station == identity).order_by(quirk.c.last_ms.desc()))
    return [
        QuirkView(row.slug, row.detail, row._mapping["count"], row.first_ms, row.last_ms)  # noqa: SLF001 (SQLAlchemy's public name)
        for row in rows
    ]


def list_configuration(sql: Connection, identity: str) -> Sequence[SettingView]:
    """Return a station's configuration as it last told it, by key; of a password only that there is one."""
    rows = sql.execute(select(configuration).where(configuration.c.station == identity).order_by(configuration.c.key))
    return [SettingView(row.key, row.value, row.readonly, row.read_ms) for row in rows]


def station_view(row: Row[tuple[object, ...]]) -> StationView:
    """Return the view of a row of `station`; the hash of its password stays behind."""
    values = dict(row._mapping)  # noqa: SLF001 (SQLAlchemy's public name)
    secret = values.pop("secret_hash")
    waivers = str(values.pop("waivers") or "")
    return StationView(
        **values,
        connected=values["connected_ms"] is not None,
        has_password=secret is not None,
        waivers=tuple(waivers.split(",")) if waivers else (),
    )
