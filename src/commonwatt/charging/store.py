"""The tables of charging, and how a charge is read and written. Times in ms UTC, money in msat, energy in Wh."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    func,
    or_,
    select,
    text,
)

from commonwatt.charging.charge import SAT_MSAT, Charge, Kind, Progress
from commonwatt.charging.model.session import ACTIVE
from commonwatt.kernel import Instant
from commonwatt.kit.database import Work, metadata

sessions = Table(
    "session",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("secret", String(43), nullable=False, unique=True),
    Column("kind", String(8), nullable=False),
    Column("station", String(64), nullable=False),
    Column("connector", Integer, nullable=False),
    Column("id_tag", String(20), nullable=False),
    Column("transaction_id", Integer, unique=True),
    Column("tariff_version", String(36), nullable=False),
    Column("rate_id", String(36)),
    Column("asset", String(8), nullable=False),
    Column("status", String(10), nullable=False),
    Column("tag_id", String(36)),
    Column("address", String(200)),
    Column("made_ms", BigInteger, nullable=False),
    Column("began_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("heard_ms", BigInteger, nullable=False),
    Column("deadline_ms", BigInteger),
    Column("energy_wh", BigInteger, nullable=False),
    Column("power_w", Integer, nullable=False),
    Column("gross_units", BigInteger, nullable=False),
    Column("paid_msat", BigInteger, nullable=False),
    Column("held_msat", BigInteger, nullable=False),
    Column("cost_msat", BigInteger, nullable=False),
    Column("billed_msat", BigInteger, nullable=False),
    Column("returned_msat", BigInteger, nullable=False),
    Column("owed_msat", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("flags", Text, nullable=False),
    Column("progress", Text, nullable=False),
    Column("withheld_ms", BigInteger),
    Index("ix_session_place", "station", "status", "connector"),
    Index("ix_session_station", "station", "id"),
    Index("ix_session_station_began", "station", "began_ms"),
    Index("ix_session_status", "status", "id"),
    Index("ix_session_tag", "id_tag"),
    Index("ix_session_deadline", "deadline_ms", sqlite_where=text("deadline_ms is not null")),
    Index("ix_session_began", "began_ms", sqlite_where=text("began_ms is not null")),
    Index("ix_session_owed", "id", "owed_msat", sqlite_where=text("owed_msat > 0")),
    Index("ix_session_rate", "rate_id", sqlite_where=text("rate_id is not null")),
)

transactions = Table(
    "station_transaction",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("session_id", String(36)),
    Column("station", String(64), nullable=False),
    Column("connector", Integer, nullable=False),
    Column("id_tag", String(20), nullable=False),
    Column("authorisation", String(16), nullable=False),
    Column("meter_start_wh", BigInteger, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("meter_stop_wh", BigInteger),
    Column("stopped_ms", BigInteger),
    Column("stop_received_ms", BigInteger),
    Column("stop_reason", String(24)),
    UniqueConstraint("station", "connector", "started_ms", "meter_start_wh", "id_tag"),
    Index("ix_station_transaction_place", "station", "connector", "id"),
    sqlite_autoincrement=True,
)

deposits = Table(
    "deposit",
    metadata,
    Column("payment_hash", String(64), primary_key=True),
    Column("session_id", String(36), nullable=False),
    Column("state", String(8), nullable=False),
    Column("amount_msat", BigInteger, nullable=False),
    Column("held_msat", BigInteger, nullable=False),
    Column("paid_msat", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Index("ix_deposit_session", "session_id"),
)

claims = Table(
    "change_claim",
    metadata,
    Column("session_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String(8), nullable=False),
    Column("payment_hash", String(64), nullable=False),
    Column("bolt11", Text, nullable=False),
    Column("amount_msat", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("reason", Text),
)

tags = Table(
    "local_tag",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("id_tag", String(20), nullable=False, unique=True),
    Column("holder", String(80), nullable=False),
    Column("state", String(10), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Progress).decode

_LASTING = (
    "id",
    "secret",
    "kind",
    "station",
    "id_tag",
    "tariff_version",
    "rate_id",
    "asset",
    "made_ms",
    "tag_id",
)
_CHANGING = (
    "connector",
    "transaction_id",
    "status",
    "address",
    "began_ms",
    "ended_ms",
    "heard_ms",
    "deadline_ms",
    "energy_wh",
    "power_w",
    "gross_units",
    "paid_msat",
    "held_msat",
    "cost_msat",
    "billed_msat",
    "returned_msat",
    "owed_msat",
    "reason",
    "flags",
    "progress",
)
_INSERT = (
    f"INSERT INTO session ({', '.join(_LASTING + _CHANGING)})"  # noqa: S608 (constants)
    f" VALUES ({', '.join('?' * len(_LASTING + _CHANGING))})"
)
_UPDATE = f"UPDATE session SET {', '.join(f'{name} = ?' for name in _CHANGING)} WHERE id = ?"  # noqa: S608 (constants)
_UPDATE_METERED = (
    "UPDATE session SET heard_ms = ?, energy_wh = ?, power_w = ?, gross_units = ?, cost_msat = ?, flags = ?,"
    " progress = ? WHERE id = ?"
)


def insert_charge(work: Work, charge: Charge) -> None:
    """Store a new charge."""
    lasting = (
        charge.id,
        charge.secret,
        charge.kind.value,
        charge.station,
        charge.id_tag,
        charge.tariff_version,
        charge.rate_id,
        charge.asset,
        charge.made.ms,
        charge.tag_id,
    )
    work.sql.exec_driver_sql(_INSERT, lasting + _changing(charge))


def save_charges(work: Work, charges: Iterable[Charge]) -> None:
    """Write what may have changed of stored charges, in one statement."""
    rows = [(*_changing(charge), charge.id) for charge in charges]
    if rows:
        work.sql.exec_driver_sql(_UPDATE, rows)


def save_metered(work: Work, charges: Iterable[Charge]) -> None:
    """Write what a reading changes while a session goes on as it is; no index is touched, which is half the price."""
    rows = [
        (
            charge.progress.heard_ms,
            charge.session.energy_wh,
            charge.progress.power_w,
            charge.gross_units,
            charge.session.cost_msat,
            " ".join(charge.flags),
            _encode(charge.progress).decode(),
            charge.id,
        )
        for charge in charges
    ]
    work.run_many(_UPDATE_METERED, rows)


def save_withheld(work: Work, session_ids: Sequence[str], since: Instant | None) -> None:
    """Write since when these sessions withhold their change, or that they do no more."""
    since_ms = None if since is None else since.ms
    rows = [(since_ms, session_id) for session_id in session_ids]
    work.run_many("UPDATE session SET withheld_ms = ? WHERE id = ?", rows)


def _changing(charge: Charge) -> tuple[Any, ...]:
    session, progress = charge.session, charge.progress
    return (
        charge.connector,
        session.transaction_id,
        session.status.value,
        charge.address,
        None if charge.began is None else charge.began.ms,
        None if charge.ended is None else charge.ended.ms,
        progress.heard_ms,
        session.deadline_ms,
        session.energy_wh,
        progress.power_w,
        charge.gross_units,
        session.paid_msat,
        session.held_msat,
        session.cost_msat,
        session.billed_msat,
        charge.returned_msat,
        charge.owed_msat,
        session.reason,
        " ".join(charge.flags),
        _encode(progress).decode(),
    )


_KINDS = {kind.value: kind for kind in Kind}
_COLUMNS = (
    "id, secret, kind, station, connector, id_tag, tariff_version, rate_id, made_ms, progress, began_ms, ended_ms,"
    " gross_units, asset, returned_msat, address, tag_id, withheld_ms"
)


def as_charge(row: Sequence[Any]) -> Charge:
    """Read a row of `_COLUMNS`."""
    return Charge(
        id=row[0],
        secret=row[1],
        kind=_KINDS[row[2]],
        station=row[3],
        connector=row[4],
        id_tag=row[5],
        tariff_version=row[6],
        rate_id=row[7],
        made=Instant(row[8]),
        progress=_decode(row[9]),
        began=None if row[10] is None else Instant(row[10]),
        ended=None if row[11] is None else Instant(row[11]),
        gross_units=row[12],
        asset=row[13],
        returned_msat=row[14],
        address=row[15],
        tag_id=row[16],
        withheld=None if row[17] is None else Instant(row[17]),
    )


def _one(sql: Connection, where: str, *values: object) -> Charge | None:
    row = sql.exec_driver_sql(f"SELECT {_COLUMNS} FROM session WHERE {where}", values).first()  # noqa: S608 (constants)
    return None if row is None else as_charge(tuple(row))


def _many(sql: Connection, where: str, *values: object) -> list[Charge]:
    rows = sql.exec_driver_sql(f"SELECT {_COLUMNS} FROM session WHERE {where}", values)  # noqa: S608 (constants)
    return [as_charge(tuple(row)) for row in rows]


def charge_by_id(sql: Connection, session_id: str) -> Charge | None:
    """Return a charge by its id."""
    return _one(sql, "id = ?", session_id)


def charge_by_secret(sql: Connection, secret: str) -> Charge | None:
    """Return a charge by the secret of its driver's link."""
    return _one(sql, "secret = ?", secret)


def charge_by_transaction(sql: Connection, transaction_id: int) -> Charge | None:
    """Return the charge of a transaction."""
    return _one(sql, "transaction_id = ?", transaction_id)


def charges_by_transaction(sql: Connection, transaction_ids: Sequence[int]) -> dict[int, Charge]:
    """Return the charges of many transactions in one query."""
    if not transaction_ids:
        return {}
    marks = ", ".join("?" * len(transaction_ids))
    cursor = sql.connection.cursor()  # the driver's own, as in `Work.run_many`
    cursor.execute(f"SELECT {_COLUMNS} FROM session WHERE transaction_id IN ({marks})", transaction_ids)  # noqa: S608 (constants)
    found = [as_charge(row) for row in cursor.fetchall()]
    return {charge.session.transaction_id or 0: charge for charge in found}


def charge_by_tag(sql: Connection, station: str, id_tag: str) -> Charge | None:
    """Return the newest charge under a one-time id tag at a station, in whatever letters it wrote it."""
    ours = id_tag.upper()  # as we make them
    return _one(sql, "id_tag = ? AND station = ? AND kind = 'prepaid' ORDER BY id DESC LIMIT 1", ours, station)


def local_tag(sql: Connection, name: str) -> Row[Any] | None:
    """Return the local tag that a station reads, or that has an id; None without one.

    Letters are compared whatever their case (OCPP 1.6, 7.28: CiString20Type). Of two that differ by it alone, which
    only old data holds, the one that is written so comes first.
    """
    exactly = tags.c.id_tag == name
    meant = (tags.c.id == name) | (func.upper(tags.c.id_tag) == name.upper())
    return sql.execute(select(tags).where(meant).order_by(exactly.desc(), tags.c.id).limit(1)).one_or_none()


_ACTIVE = ", ".join(f"'{status}'" for status in sorted(ACTIVE))


def active_charges(sql: Connection, station: str, connector: int | None = None) -> list[Charge]:
    """Return the charges that occupy a station's connectors, or one of them."""
    if connector is None:
        return _many(sql, f"station = ? AND status IN ({_ACTIVE})", station)
    return _many(sql, f"station = ? AND connector = ? AND status IN ({_ACTIVE})", station, connector)


def offered_charges(sql: Connection, station: str, connector: int, *, beyond: int = 0) -> list[Charge]:
    """Return the unpaid offers of a connector, the oldest first; without the `beyond` newest of them."""
    here = "station = ? AND connector = ? AND status = 'offered'"
    older = f"SELECT id FROM session WHERE {here} ORDER BY id DESC LIMIT -1 OFFSET ?"  # noqa: S608 (constants)
    return _many(sql, f"id IN ({older}) ORDER BY id", station, connector, beyond)


_WITHHOLDS = f"withheld_ms IS NOT NULL AND owed_msat > 0 AND owed_msat >= {SAT_MSAT}"
"""Those that `Charge.withholds`; the second condition is the one of the index."""


def withholding_charges(sql: Connection) -> list[Charge]:
    """Return the charges that owe change which waits for the owner's word, the oldest first."""
    return _many(sql, f"{_WITHHOLDS} ORDER BY made_ms, id")


def sum_withheld(sql: Connection) -> tuple[int, int]:
    """Return how many sessions owe change that waits for the owner's word, and how much in msat."""
    query = f"SELECT count(*), coalesce(sum(owed_msat), 0) FROM session WHERE {_WITHHOLDS}"  # noqa: S608 (constants)
    row = sql.exec_driver_sql(query).one()
    return row[0], row[1]


def transaction_by_id(sql: Connection, transaction_id: int) -> Row[Any] | None:
    """Return a transaction's row."""
    return sql.execute(select(transactions).where(transactions.c.id == transaction_id)).one_or_none()


def open_transactions(sql: Connection, station: str) -> list[tuple[Row[Any], Charge | None]]:
    """Return what may run at a station: transactions of active charges, and the newest of each connector with none."""
    active = {charge.session.transaction_id: charge for charge in active_charges(sql, station)}
    columns = transactions.c
    newest = select(func.max(columns.id)).where(columns.station == station).group_by(columns.connector)
    may_run = or_(columns.id.in_(active), and_(columns.id.in_(newest), columns.session_id.is_(None)))
    rows = sql.execute(select(transactions).where(columns.stopped_ms.is_(None), may_run))
    return [(row, active.get(row.id)) for row in rows]
