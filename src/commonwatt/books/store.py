"""The books' tables and the statements that write them; `queries` has those that read.

Every write on the books is one row of `books_write`, under its key; a posting's lines are in `books_entry`, what each
account comes to is kept in `books_account` along the way, so that nothing is added up to answer a question of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Index, Integer, Row, String, Table, Text, text

from commonwatt.books.errors import HoldMissing, KeyReused
from commonwatt.books.model.account import kind_of
from commonwatt.books.model.hold import Hold, HoldState
from commonwatt.books.model.posting import Entry, Posting, Standing
from commonwatt.kernel import Amount, Asset, Instant, Refused
from commonwatt.kit.database import Work, metadata

accounts = Table(
    "books_account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(160), nullable=False),
    Column("asset", String(3), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("balance_units", BigInteger, nullable=False, server_default=text("0")),
    Column("held_units", BigInteger, nullable=False, server_default=text("0")),
    Index("uq_books_account_name", "name", "asset", unique=True),
)
"""`balance_units` is debits less credits; `held_units` is positive, in the account's own direction."""

writes = Table(
    "books_write",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("memo", Text, nullable=False),
    Column("reference", String(200), nullable=False),
    Column("hold_id", String(36)),
    Index("ix_books_write_at", "at_ms"),
    Index("ix_books_write_reference", "reference"),
)

entries = Table(
    "books_entry",
    metadata,
    Column("number", Integer, ForeignKey("books_write.number"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("books_account.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("units", BigInteger, nullable=False),
    Index("ix_books_entry_account", "account_id", "at_ms", "units"),
    sqlite_with_rowid=False,
)

holds = Table(
    "books_hold",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", Integer, ForeignKey("books_write.number"), nullable=False),
    Column("source_id", Integer, ForeignKey("books_account.id"), nullable=False),
    Column("target", String(160), nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("captured_units", BigInteger),
    Column("ended_ms", BigInteger),
    Index("ix_books_hold_open", "source_id", sqlite_where=text("state = 'held'")),
)

_CLAIM = """INSERT INTO books_write (key, kind, digest, at_ms, memo, reference, hold_id) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO NOTHING RETURNING number"""
_STANDINGS = "SELECT name, asset, id, balance_units, held_units FROM books_account WHERE name IN ("
_OPEN = "INSERT INTO books_account (name, asset, kind) VALUES (?, ?, ?) RETURNING id"
_SET = "UPDATE books_account SET balance_units = ?, held_units = ? WHERE id = ?"
_ENTER = "INSERT INTO books_entry (number, line, account_id, at_ms, units) VALUES (?, ?, ?, ?, ?)"
_LINES = """SELECT a.name, a.asset, e.units FROM books_entry e JOIN books_account a ON a.id = e.account_id
WHERE e.number = ? ORDER BY e.line"""
_HOLD = """SELECT h.*, w.key, w.memo, w.reference, w.at_ms, a.name AS source, a.asset
FROM books_hold h JOIN books_write w ON w.number = h.number JOIN books_account a ON a.id = h.source_id"""

Pair = tuple[str, str]
"""An account's name and the code of the asset."""


class Claim(NamedTuple):
    """A key that is ours: the number of the write, and whether it was made before with the same content."""

    number: int
    repeated: bool


class Opened(NamedTuple):
    """An account's row and where it stands."""

    id: int
    standing: Standing


def claim_key(work: Work, key: str, kind: str, digest: str, memo: str, reference: str, hold_id: str | None) -> Claim:
    """Store a write under its key, or find the same one. Raises KeyReused when the key stands for other content."""
    sql = work.sql
    row = sql.exec_driver_sql(_CLAIM, (key, kind, digest, work.now.ms, memo, reference, hold_id)).first()
    if row is not None:
        work.tell("books", "booked", number=row[0], reference=reference)
        return Claim(row[0], repeated=False)
    found = sql.exec_driver_sql("SELECT number, digest FROM books_write WHERE key = ?", (key,)).one()
    if found[1] != digest:
        msg = (
            f"The key {key!r} was used for another write before. Nothing was changed; use a fresh key for a new write."
        )
        raise KeyReused(msg, key=key, number=found[0])
    return Claim(found[0], repeated=True)


@contextmanager
def forgotten_when_refused(sql: Connection, claim: Claim) -> Iterator[None]:
    """Give a claimed key back when a rule says no inside, so that a caller who goes on leaves no empty write behind."""
    try:
        yield
    except Refused:
        sql.exec_driver_sql("DELETE FROM books_write WHERE number = ?", (claim.number,))
        raise


def open_accounts(sql: Connection, pairs: Iterable[Pair]) -> dict[Pair, Opened]:
    """Fetch where accounts stand, opening those that were never used."""
    wanted = list(pairs)
    names = tuple({name for name, _ in wanted})
    rows = sql.exec_driver_sql(_STANDINGS + ", ".join("?" * len(names)) + ")", names)
    found = {(name, asset): Opened(row_id, Standing(units, held)) for name, asset, row_id, units, held in rows}
    for pair in wanted:
        if pair not in found:
            row_id = sql.exec_driver_sql(_OPEN, (*pair, kind_of(pair[0]).prefix)).scalar_one()
            found[pair] = Opened(row_id, Standing())
    return found


def save_standings(sql: Connection, opened: Mapping[Pair, Opened], standings: Mapping[Pair, Standing]) -> None:
    """Keep where accounts stand now."""
    rows = [(standing.units, standing.held, opened[pair].id) for pair, standing in standings.items()]
    sql.exec_driver_sql(_SET, rows)


def enter(work: Work, number: int, lines: Sequence[Entry], opened: Mapping[Pair, Opened]) -> None:
    """Store a posting's lines."""
    at_ms = work.now.ms
    rows = [
        (number, line, opened[entry.account, entry.amount.asset.code].id, at_ms, entry.amount.units)
        for line, entry in enumerate(lines)
    ]
    work.sql.exec_driver_sql(_ENTER, rows)


def fetch_posting(sql: Connection, number: int) -> Posting:
    """Read a posting as it was booked."""
    row = sql.exec_driver_sql("SELECT * FROM books_write WHERE number = ?", (number,)).one()
    lines = tuple(
        Entry(name, Amount(Asset.of(asset), units)) for name, asset, units in sql.exec_driver_sql(_LINES, (number,))
    )
    return Posting(row.number, row.key, Instant(row.at_ms), row.memo, row.reference, lines, row.hold_id)


def store_hold(sql: Connection, hold: Hold, number: int, source_id: int) -> None:
    """Store a new hold."""
    statement = "INSERT INTO books_hold (id, number, source_id, target, units, state) VALUES (?, ?, ?, ?, ?, ?)"
    sql.exec_driver_sql(statement, (hold.id, number, source_id, hold.target, hold.amount.units, str(hold.state)))


def end_hold(work: Work, hold: Hold) -> None:
    """Keep how a hold ended."""
    units = None if hold.captured is None else hold.captured.units
    statement = "UPDATE books_hold SET state = ?, captured_units = ?, ended_ms = ? WHERE id = ?"
    work.sql.exec_driver_sql(statement, (str(hold.state), units, work.now.ms, hold.id))


def fetch_hold(sql: Connection, hold_id: str) -> Hold:
    """Read a hold. Raises HoldMissing."""
    row = sql.exec_driver_sql(f"{_HOLD} WHERE h.id = ?", (hold_id,)).first()
    if row is None:
        msg = f"There is no hold {hold_id!r}."
        raise HoldMissing(msg, hold=hold_id)
    return _hold(row)


def fetch_hold_by_number(sql: Connection, number: int) -> Hold:
    """Read the hold that a write made."""
    return _hold(sql.exec_driver_sql(f"{_HOLD} WHERE h.number = ?", (number,)).one())


def _hold(row: Row[Any]) -> Hold:
    asset = Asset.of(row.asset)
    taken = None if row.captured_units is None else Amount(asset, row.captured_units)
    amount, made = Amount(asset, row.units), Instant(row.at_ms)
    state = HoldState(row.state)
    return Hold(row.id, row.key, row.source, row.target, amount, row.memo, row.reference, made, state, taken)
