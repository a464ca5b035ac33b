"""Lists and sums over sessions and transactions, for pages, the API and the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from commonwatt.charging import store
from commonwatt.charging.charge import Charge, Kind, account_of_tag
from commonwatt.charging.model.session import ACTIVE, Status
from commonwatt.kernel import Instant
from commonwatt.kit.database import Ordering, SortColumn, by_text, mentions
from commonwatt.kit.database.ordering import Key

_SESSION = store.sessions.c
_TRANSACTION = store.transactions.c
_UNREPORTED = and_(
    _TRANSACTION.stopped_ms.is_(None),
    exists().where(
        _SESSION.id == _TRANSACTION.session_id,
        _SESSION.status.in_([Status.ENDED.value, Status.CANCELLED.value]),
    ),
)
"""Whether no station told a transaction's end though its session is over."""
_OWES = _SESSION.owed_msat > literal_column("0")
"""Whether change is owed, in the words of the index: no bound value proves its condition."""
_COVERED = case(
    (
        and_(_SESSION.status == Status.ENDED.value, or_(_SESSION.billed_msat > 0, _SESSION.held_msat == 0)),
        _SESSION.billed_msat,
    ),
    else_=_SESSION.paid_msat + _SESSION.held_msat,
)
EARNED: ColumnElement[int] = case(
    (_SESSION.status == Status.CANCELLED.value, 0),
    (
        and_(_SESSION.kind == Kind.PREPAID.value, _SESSION.cost_msat > _COVERED),
        cast(_SESSION.gross_units * _COVERED, BigInteger) // _SESSION.cost_msat,
    ),
    else_=_SESSION.gross_units,
)
"""What `Charge.earned_units` is, for sums: the part of the bill that is paid for, in the tariff's asset."""
_MADE: SortColumn[Charge] = SortColumn(_SESSION.id, str, lambda charge: charge.id)
ORDERING: Ordering[Charge] = Ordering(
    _MADE,
    {
        "made": _MADE,
        "station": SortColumn(_SESSION.station, str, lambda charge: charge.station),
        "energy": SortColumn(_SESSION.energy_wh, int, lambda charge: charge.session.energy_wh),
        "cost": SortColumn(_SESSION.gross_units, int, lambda charge: charge.gross_units),
        "owed": SortColumn(_SESSION.owed_msat, int, lambda charge: charge.owed_msat),
    },
)
"""What the list of sessions may be sorted by; ids grow with time, so they are the order of their making."""
NEWEST = "-made"
_ID_TAG: SortColumn[Row[Any]] = SortColumn(store.tags.c.id_tag, str, lambda row: row.id_tag)
TAGS: Ordering[Row[Any]] = Ordering(
    _ID_TAG,
    {
        "holder": by_text(store.tags.c.holder, lambda row: row.holder),
        "tag": _ID_TAG,
        "state": SortColumn(store.tags.c.state, str, lambda row: row.state),
        "made": SortColumn(store.tags.c.made_ms, int, lambda row: row.made_ms),
    },
)
"""What the list of tags may be sorted by."""


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions are wanted; what is None does not matter.

    `text` looks into ids, stations, reasons, tags and their holders.
    """

    station: str | None = None
    connector: int | None = None
    status: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    text: str = ""
    owed: bool = False
    offers: bool = False
    """Whether offers that nobody paid are listed too."""
    tags: bool = True
    """Whether `text` may find id tags and their holders; not for those who may not see them."""


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Which transactions are wanted."""

    station: str | None = None
    connector: int | None = None
    id_tag: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over sessions that began in a span."""

    sessions: int
    energy_wh: int
    billed_msat: int
    paid_msat: int
    owed_msat: int


def list_sessions(
    sql: Connection,
    wanted: SessionFilter,
    *,
    sort: str = NEWEST,
    after: tuple[str | int, ...] = (),
    limit: int = 50,
) -> list[Charge]:
    """Return sessions in the order of `sort`, the newest first by default, those behind the key `after`."""
    statement = ORDERING.page(_matching(select(_SESSION.id), wanted), sort, after).limit(limit)
    ids = [row.id for row in sql.execute(statement)]
    charges = (store.charge_by_id(sql, session_id) for session_id in ids)
    return [charge for charge in charges if charge is not None]


def running_sessions(sql: Connection) -> list[Charge]:
    """Return the sessions that occupy a connector now, the newest first."""
    statement = select(_SESSION.id).where(_SESSION.status.in_([status.value for status in ACTIVE]))
    ids = [row.id for row in sql.execute(statement.order_by(_SESSION.id.desc()).limit(500))]
    charges = (store.charge_by_id(sql, session_id) for session_id in ids)
    return [charge for charge in charges if charge is not None]


def sum_sessions(sql: Connection, since: Instant, until: Instant) -> Totals:
    """Add up what was delivered and billed in sessions that began in [since, until)."""
    row = sql.execute(
        select(
            func.count(),
            func.coalesce(func.sum(_SESSION.energy_wh), 0),
            func.coalesce(func.sum(_SESSION.billed_msat), 0),
            func.coalesce(func.sum(_SESSION.paid_msat), 0),
            func.coalesce(func.sum(_SESSION.owed_msat), 0),
        ).where(_SESSION.began_ms >= since.ms, _SESSION.began_ms < until.ms)
    ).one()
    return Totals(*row)


def sum_gross(sql: Connection, since: Instant, until: Instant) -> dict[str, int]:
    """Return what is paid for of sessions that began in [since, until), in units by the code of each asset."""
    own = (_SESSION.began_ms >= since.ms, _SESSION.began_ms < until.ms)
    statement = select(_SESSION.asset, func.sum(EARNED)).where(*own).group_by(_SESSION.asset)
    return {asset: int(units) for asset, units in sql.execute(statement)}


def sum_owed(sql: Connection) -> tuple[int, int]:
    """Return how many sessions have change that nobody has taken, and how much in msat."""
    statement = select(func.count(), func.coalesce(func.sum(_SESSION.owed_msat), 0)).where(_OWES)
    row = sql.execute(statement).one()
    return row[0], row[1]


def list_transactions(
    sql: Connection, wanted: TransactionFilter, *, before: int | None = None, limit: int = 50
) -> list[Row[Any]]:
    """Return transactions as stations reported them, the newest first, those before the number `before`.

    Each row says whether it is `unreported`; one that is does not run, whatever its record lacks.
    """
    statement = select(store.transactions, _UNREPORTED.label("unreported")).order_by(_TRANSACTION.id.desc())
    statement = statement.limit(limit)
    for column, value in ((_TRANSACTION.station, wanted.station), (_TRANSACTION.connector, wanted.connector)):
        statement = statement if value is None else statement.where(column == value)
    if wanted.id_tag is not None:
        statement = statement.where(_TRANSACTION.id_tag == wanted.id_tag)
    if wanted.since is not None:
        statement = statement.where(_TRANSACTION.started_ms >= wanted.since.ms)
    if wanted.until is not None:
        statement = statement.where(_TRANSACTION.started_ms < wanted.until.ms)
    if wanted.open_only:
        statement = statement.where(_TRANSACTION.stopped_ms.is_(None), ~_UNREPORTED)
    if before is not None:
        statement = statement.where(_TRANSACTION.id < before)
    return list(sql.execute(statement).all())


def is_unreported(sql: Connection, number: int) -> bool:
    """Whether no station told the end of a transaction though its session is over."""
    return bool(sql.execute(select(_UNREPORTED).where(_TRANSACTION.id == number)).scalar_one())


def list_claims(sql: Connection, session_id: str) -> list[Row[Any]]:
    """Return the claims of a session's change, in order."""
    claims = store.claims
    return list(sql.execute(select(claims).where(claims.c.session_id == session_id).order_by(claims.c.number)).all())


def list_tags(
    sql: Connection, *, text: str = "", sort: str = "holder", after: Key = (), limit: int | None = None
) -> list[Row[Any]]:
    """Return the local tags by holder or in the order of `sort`, behind the key `after` (see `TAGS`)."""
    statement = TAGS.page(select(store.tags), sort, after).limit(limit)
    if text:
        statement = statement.where(mentions(text, store.tags.c.holder, store.tags.c.id_tag))
    return list(sql.execute(statement).all())


def holders_of(sql: Connection, accounts: Iterable[str]) -> dict[str, str]:
    """Return whose tag charges on each of these accounts of the books; nothing for other accounts, and removed tags."""
    wanted = {name.removeprefix(account_of_tag("")): name for name in accounts if name.startswith(account_of_tag(""))}
    rows = sql.execute(select(store.tags.c.id, store.tags.c.holder).where(store.tags.c.id.in_(wanted)))
    return {wanted[row.id]: row.holder for row in rows}


def _matching(statement: Select[Any], wanted: SessionFilter) -> Select[Any]:
    conditions = [
        (wanted.station, _SESSION.station == wanted.station),
        (wanted.connector, _SESSION.connector == wanted.connector),
        (wanted.status, _SESSION.status == wanted.status),
        (wanted.since, _SESSION.made_ms >= (wanted.since.ms if wanted.since else 0)),
        (wanted.until, _SESSION.made_ms < (wanted.until.ms if wanted.until else 0)),
        (wanted.owed or None, _OWES),
        (None if wanted.offers or wanted.status else True, or_(_SESSION.status != "offered", _SESSION.paid_msat > 0)),
    ]
    for given, condition in conditions:
        if given is not None:
            statement = statement.where(condition)
    if wanted.text:
        columns = [_SESSION.id, _SESSION.station, _SESSION.reason]
        columns += [_SESSION.id_tag] if wanted.tags else []
        held = select(store.tags.c.id).where(mentions(wanted.text, store.tags.c.holder))
        by_holder = [_SESSION.tag_id.in_(held)] if wanted.tags else []
        statement = statement.where(or_(mentions(wanted.text, *columns), *by_holder))
    return statement
