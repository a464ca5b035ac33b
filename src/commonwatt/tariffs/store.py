"""The tables of tariffs and exchange rates, and their queries. Versions, assignments and rates are only ever added.

A version holds from `valid_from` until a later one begins or its own `valid_to` passes. An assignment holds from
`from_ms` until the next one of the same place; places are a connector, a station, or (`station` empty) the site, and
the narrowest that has a tariff in force wins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    func,
    or_,
    select,
)

from commonwatt.kernel import Instant, said
from commonwatt.kit.database import mentions, metadata
from commonwatt.tariffs.document import stored_tariff
from commonwatt.tariffs.errors import NoRate, NoTariff, TariffMissing
from commonwatt.tariffs.model.rate import Rate
from commonwatt.tariffs.model.tariff import Tariff

RATE_AGE_MAX_S = 900
"""How old the newest rate may be before nothing is sold in a currency any more."""
AHEAD_MS = 60_000
"""So far ahead of our clock the time of a rate may lie, as sources' clocks do."""
ID_LEAST = 8
"""Characters of an id's end that are enough to name a tariff."""
_CACHE_MAX = 4096

tariffs = Table(
    "tariff",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("retired_ms", BigInteger),
)

versions = Table(
    "tariff_version",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tariff_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("valid_from_ms", BigInteger, nullable=False),
    Column("valid_to_ms", BigInteger),
    Column("document", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", String(100), nullable=False),
    Index("uq_tariff_version_number", "tariff_id", "number", unique=True),
)

assignments = Table(
    "tariff_assignment",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("station", String(64), nullable=False),
    Column("connector", Integer, nullable=False),
    Column("tariff_id", String(36)),
    Column("from_ms", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", String(100), nullable=False),
    Index("ix_tariff_assignment_place", "station", "connector", "from_ms"),
)

rates = Table(
    "rate",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("currency", String(3), nullable=False),
    Column("micro_per_btc", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("sources", Text, nullable=False),
    Index("ix_rate_currency", "currency", "made_ms"),
)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a tariff with its story."""

    tariff: Tariff
    number: int
    made: Instant
    made_by: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """That a tariff (None: no own one any more) holds at a place from an instant on."""

    id: str
    station: str
    """Empty for the whole site."""
    connector: int
    """0 for the whole station or site."""
    tariff_id: str | None
    since: Instant
    made: Instant
    made_by: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A tariff as lists show it."""

    id: str
    name: str
    retired: Instant | None
    versions: int
    current: Tariff | None
    """The version in force, else the newest; None for a tariff whose versions all ended."""
    places: tuple[Assignment, ...]
    """Where it is assigned now or will be."""


_known: WeakKeyDictionary[Engine, dict[str, Any]] = WeakKeyDictionary()


def _cache(connection: Connection) -> dict[str, Any]:
    known = _known.setdefault(connection.engine, {})
    if len(known) > _CACHE_MAX:
        known.clear()
    return known


def tariff_by_id(connection: Connection, version_id: str) -> Tariff:
    """Return a version of a tariff, whatever became of it since; versions never change, so each is read once.

    Raises TariffMissing.
    """
    known = _cache(connection)
    found = known.get(version_id)
    if isinstance(found, Tariff):
        return found
    row = connection.execute(select(versions).where(versions.c.id == version_id)).first()
    if row is None:
        raise TariffMissing(
            said("There is no tariff version %(version_id)s.", version_id=version_id), version=version_id
        )
    tariff = known[version_id] = read_version(row)
    return tariff


def read_version(row: Row[Any]) -> Tariff:
    """Return the tariff of a row of `tariff_version`."""
    return replace(
        stored_tariff(row.document),
        id=row.tariff_id,
        version=row.id,
        valid_from=Instant(row.valid_from_ms),
        valid_to=None if row.valid_to_ms is None else Instant(row.valid_to_ms),
    )


_ASSIGNED = (
    "SELECT tariff_id FROM tariff_assignment WHERE station = ? AND connector = ? AND from_ms <= ?"
    " ORDER BY from_ms DESC, id DESC LIMIT 1"
)
_VERSION_AT = (
    "SELECT id FROM tariff_version WHERE tariff_id = ? AND valid_from_ms <= ?"
    " AND (valid_to_ms IS NULL OR valid_to_ms > ?) ORDER BY valid_from_ms DESC, number DESC LIMIT 1"
)


def tariff_for(connection: Connection, station: str, connector: int, at: Instant) -> Tariff:
    """Return the version that holds at a connector at an instant: its own, its station's, or the site's.

    Raises NoTariff when none does; then nothing is sold there.
    """
    for place in dict.fromkeys(((station, connector), (station, 0), ("", 0))):
        assigned = _assigned(connection, *place, at)
        if assigned is not None and (tariff := version_at(connection, assigned, at)) is not None:
            return tariff
    raise NoTariff(
        said(
            "No price is set for connector %(connector)s of %(station)s, nor for the site. Assign a "
            "tariff; until then nobody can pay here.",
            connector=connector,
            station=station,
        ),
        station=station,
        connector=connector,
    )


def _assigned(connection: Connection, station: str, connector: int, at: Instant) -> str | None:
    return connection.exec_driver_sql(_ASSIGNED, (station, connector, at.ms)).scalar()


def version_at(connection: Connection, tariff_id: str, at: Instant) -> Tariff | None:
    """Return the version of a tariff in force at an instant: of those that hold, the one that began last."""
    found = connection.exec_driver_sql(_VERSION_AT, (tariff_id, at.ms, at.ms)).scalar()
    return None if found is None else tariff_by_id(connection, found)


def newest_version(connection: Connection, tariff_id: str) -> Version:
    """Return the version that was added last. Raises TariffMissing."""
    found = history(connection, tariff_id)
    return found[0]


def history(connection: Connection, tariff_id: str) -> list[Version]:
    """Return all versions of a tariff, the newest first. Raises TariffMissing."""
    query = select(versions).where(versions.c.tariff_id == tariff_id).order_by(versions.c.number.desc())
    rows = connection.execute(query).all()
    if not rows:
        raise TariffMissing(said("There is no tariff %(tariff_id)s.", tariff_id=tariff_id), tariff=tariff_id)
    return [Version(read_version(row), row.number, Instant(row.made_ms), row.made_by) for row in rows]


def assignment_history(
    connection: Connection, *, tariff_id: str | None = None, station: str | None = None, limit: int = 500
) -> list[Assignment]:
    """Return assignments of a tariff or of a station's places, the newest first."""
    query = select(assignments).order_by(assignments.c.from_ms.desc(), assignments.c.id.desc()).limit(limit)
    if tariff_id is not None:
        query = query.where(assignments.c.tariff_id == tariff_id)
    if station is not None:
        query = query.where(assignments.c.station == station)
    return [read_assignment(row) for row in connection.execute(query)]


def read_assignment(row: Row[Any]) -> Assignment:
    """Return the assignment of a row."""
    return Assignment(
        row.id, row.station, row.connector, row.tariff_id, Instant(row.from_ms), Instant(row.made_ms), row.made_by
    )


def places_of(connection: Connection, at: Instant) -> dict[str, tuple[Assignment, ...]]:
    """Return, per tariff, the assignments that hold at an instant or begin later."""
    query = select(assignments).order_by(assignments.c.from_ms.desc(), assignments.c.id.desc())
    found: dict[str, tuple[Assignment, ...]] = {}
    settled: set[tuple[str, int]] = set()
    for row in connection.execute(query):
        place = (row.station, row.connector)
        if place in settled:
            continue
        if row.from_ms <= at.ms:
            settled.add(place)
        if row.tariff_id is not None:
            found[row.tariff_id] = (*found.get(row.tariff_id, ()), read_assignment(row))
    return found


def list_tariffs(
    connection: Connection,
    at: Instant,
    *,
    limit: int = 50,
    after: str = "",
    retired: bool = False,
    search: str = "",
) -> list[Listed]:
    """Return tariffs by their making, the newest first, beginning behind the id `after`; retired ones if asked."""
    query = select(tariffs).order_by(tariffs.c.id.desc()).limit(limit)
    if after:
        query = query.where(tariffs.c.id < after)
    if not retired:
        query = query.where(tariffs.c.retired_ms.is_(None))
    if search:
        query = query.where(mentions(search, tariffs.c.name))
    rows = connection.execute(query).all()
    places = places_of(connection, at)
    return [_listed(connection, row, at, places) for row in rows]


def tariff_row(connection: Connection, tariff_id: str) -> Row[Any]:
    """Return what all versions of a tariff share, retired or not. Raises TariffMissing."""
    row = connection.execute(select(tariffs).where(tariffs.c.id == tariff_id)).first()
    if row is None:
        raise TariffMissing(said("There is no tariff %(tariff_id)s.", tariff_id=tariff_id), tariff=tariff_id)
    return row


def show_tariff(connection: Connection, tariff_id: str, at: Instant) -> Listed:
    """Return one tariff as lists show it. Raises TariffMissing."""
    row = tariff_row(connection, tariff_id)
    return _listed(connection, row, at, places_of(connection, at))


def find_tariff(connection: Connection, word: str) -> str:
    """Return the id of a tariff by its id, the end of it, or, without regard to case, its name; raise TariffMissing.

    Of several of one name the one that is not retired is meant; among several of those nothing is guessed.
    """
    query = select(tariffs).where(or_(tariffs.c.id == word, func.lower(tariffs.c.name) == word.lower()))
    rows = connection.execute(query).all()
    if not rows and len(word) >= ID_LEAST:
        rows = connection.execute(select(tariffs).where(tariffs.c.id.endswith(word, autoescape=True))).all()
    rows = [row for row in rows if row.retired_ms is None] or rows
    if len(rows) == 1:
        return str(rows[0].id)
    if not rows:
        raise TariffMissing(said("There is no tariff %(word)s.", word=word), tariff=word)
    ids = ", ".join(row.id for row in rows)
    raise TariffMissing(
        said("Several tariffs are called %(word)s. Name one by its id: %(ids)s.", word=word, ids=ids), tariff=word
    )


def _listed(connection: Connection, row: Row[Any], at: Instant, places: dict[str, tuple[Assignment, ...]]) -> Listed:
    query = select(func.count()).select_from(versions).where(versions.c.tariff_id == row.id)
    current = version_at(connection, row.id, at)
    if current is None:
        current = newest_version(connection, row.id).tariff
    return Listed(
        id=row.id,
        name=row.name,
        retired=None if row.retired_ms is None else Instant(row.retired_ms),
        versions=connection.execute(query).scalar_one(),
        current=current,
        places=places.get(row.id, ()),
    )


def rate_by_id(connection: Connection, rate_id: str) -> Rate:
    """Return a stored rate, however old: what a session has locked. Raises NoRate when it was never stored."""
    known = _cache(connection)
    found = known.get(rate_id)
    if isinstance(found, Rate):
        return found
    row = connection.execute(select(rates).where(rates.c.id == rate_id)).first()
    if row is None:
        raise NoRate(said("There is no exchange rate %(rate_id)s.", rate_id=rate_id), rate=rate_id)
    rate = known[rate_id] = _read_rate(row)
    return rate


def current_rate(connection: Connection, currency: str, now: Instant, *, max_age_s: int = RATE_AGE_MAX_S) -> Rate:
    """Return the newest rate of a currency; raise NoRate when there is none or it is older than allowed.

    A rate of our future, stored before our clock was set back, is of unknown age and counts for nothing.
    """
    until_ms = now.ms + AHEAD_MS
    known = (rates.c.currency == currency) & (rates.c.made_ms <= until_ms) & (rates.c.at_ms <= until_ms)
    query = select(rates).where(known).order_by(rates.c.made_ms.desc(), rates.c.id.desc())
    row = connection.execute(query.limit(1)).first()
    if row is None:
        raise NoRate(
            said(
                "No price of bitcoin in %(currency)s is known yet. Payments in %(currency)s wait; check "
                "the rate sources.",
                currency=currency,
            ),
            currency=currency,
        )
    age_s = now.since(Instant(min(row.at_ms, row.made_ms))) // 1000
    if age_s > max_age_s:
        raise NoRate(
            said(
                "The newest price of bitcoin in %(currency)s is %(age_s)s s old, more than the "
                "%(max_age_s)s s allowed. Payments in %(currency)s wait until a source answers again.",
                currency=currency,
                age_s=age_s,
                max_age_s=max_age_s,
            ),
            currency=currency,
            age_s=age_s,
        )
    return _read_rate(row)


def list_rates(connection: Connection, currency: str, *, limit: int = 50, after: str = "") -> list[Rate]:
    """Return rates of a currency, the newest first, beginning behind the id `after`."""
    query = select(rates).where(rates.c.currency == currency).order_by(rates.c.id.desc()).limit(limit)
    if after:
        query = query.where(rates.c.id < after)
    return [_read_rate(row) for row in connection.execute(query)]


def _read_rate(row: Row[Any]) -> Rate:
    sources = msgspec.json.decode(row.sources)
    return Rate(
        row.id,
        row.currency,
        row.micro_per_btc,
        Instant(row.at_ms),
        tuple(sources["used"]),
        tuple(sources["dropped"]),
    )
