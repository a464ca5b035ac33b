"""The table of readings and its queries; all times in ms UTC, energy in Wh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, String, Table, func, select

from commonwatt.kit.database import Work, metadata

reading = Table(
    "reading",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("transaction_id", Integer),
    Column("station", String(64), nullable=False),
    Column("connector", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("context", String(24), nullable=False),
    Column("energy_wh", BigInteger),
    Column("register_wh", BigInteger),
    Column("power_w", Integer),
    Column("current_ma", Integer),
    Column("voltage_mv", Integer),
    Column("soc_percent", Integer),
    Index("ix_reading_transaction", "transaction_id", "at_ms"),
    Index("ix_reading_station", "station", "connector", "at_ms"),
)

_INSERT = (
    "INSERT INTO reading (transaction_id, station, connector, at_ms, context, energy_wh, register_wh, power_w,"
    " current_ma, voltage_mv, soc_percent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Reading(NamedTuple):
    """One moment of a meter. `energy_wh` is what the charge delivered until then, `register_wh` the raw register."""

    transaction_id: int | None
    station: str
    connector: int
    at_ms: int
    context: str
    energy_wh: int | None
    register_wh: int | None
    power_w: int | None
    current_ma: int | None
    voltage_mv: int | None
    soc_percent: int | None


def store_readings(work: Work, readings: Sequence[Reading]) -> None:
    """Write readings in one statement."""
    work.run_many(_INSERT, readings)


def count_readings(connection: Connection, transaction_id: int) -> int:
    """Return how many readings a transaction has."""
    statement = select(func.count()).where(reading.c.transaction_id == transaction_id)
    return int(connection.execute(statement).scalar_one())


def readings_of(connection: Connection, transaction_id: int, *, skip: int = 0, limit: int = 5000) -> list[Reading]:
    """Return a transaction's readings, oldest first, at most `limit` behind the first `skip`."""
    statement = select(*[reading.c[name] for name in Reading._fields]).where(reading.c.transaction_id == transaction_id)
    rows = connection.execute(statement.order_by(reading.c.at_ms, reading.c.id).limit(limit).offset(skip))
    return [Reading(*row) for row in rows]


def strongest_w(
    connection: Connection, station: str, connector: int, *, but: int | None = None, power_max_w: int
) -> int | None:
    """Return the most power in W ever measured at a connector, outside of one transaction; None without any.

    More than `power_max_w` is a wrong unit.
    """
    at = (reading.c.station == station, reading.c.connector == connector, reading.c.power_w.between(1, power_max_w))
    others = reading.c.transaction_id.is_distinct_from(but)
    strongest = connection.execute(select(func.max(reading.c.power_w)).where(*at, others)).scalar_one()
    return None if strongest is None else int(strongest)


def readings_at(
    connection: Connection, station: str, connector: int, since_ms: int, *, limit: int = 5000
) -> list[Reading]:
    """Return a connector's readings from an instant on, oldest first."""
    statement = select(*[reading.c[name] for name in Reading._fields]).where(
        reading.c.station == station, reading.c.connector == connector, reading.c.at_ms >= since_ms
    )
    rows = connection.execute(statement.order_by(reading.c.at_ms, reading.c.id).limit(limit))
    return [Reading(*row) for row in rows]
