"""What the books answer: balances now and at any past instant, the trial balance, the journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, literal, or_, select

from commonwatt.books.errors import AccountAbove
from commonwatt.books.model.account import KINDS, Side, kind_of
from commonwatt.books.model.posting import Entry, Posting, told
from commonwatt.books.store import accounts, entries, writes
from commonwatt.kernel import BTC, Amount, Asset, Instant
from commonwatt.kit.database import Ordering, SortColumn, mentions
from commonwatt.kit.database.ordering import Key

LIMIT_MAX = 500
_NAMED_MAX = 5
"""So many accounts are named where none was."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account in one asset, told in its own direction: what it holds, how much of that is held for somebody."""

    name: str
    balance: Amount
    held: Amount

    @property
    def available(self) -> Amount:
        """What postings and holds can still take."""
        return self.balance - self.held


@dataclass(frozen=True, slots=True)
class TrialLine:
    """What a kind of account comes to in one asset; one of the two columns is zero."""

    account: str
    debit: Amount
    credit: Amount


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """Which postings to show; what is None is not asked. `account` matches itself and all below it (`session`)."""

    account: str | None = None
    asset: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    """Up to, and not including, this instant."""
    text: str | None = None
    """Occurs in memo, reference, key or an account's name, whatever its case."""
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Postings, the newest first, and where the next page begins."""

    items: tuple[Posting, ...]
    next_cursor: int | None


_NAME: SortColumn[AccountState] = SortColumn(accounts.c.name, str, lambda one: one.name)
_ASSET: SortColumn[AccountState] = SortColumn(accounts.c.asset, str, lambda one: one.balance.asset.code)
_OWNED = [kind.prefix for kind in KINDS.values() if kind.side is Side.DEBIT]


def _ordering(balance_units: ColumnElement[Any], held_units: ColumnElement[Any]) -> Ordering[AccountState]:
    """Return what accounts may be sorted by; balances as they are told, in each account's own direction."""
    told_units = case((accounts.c.kind.in_(_OWNED), balance_units), else_=-balance_units)
    places = {
        "account": _NAME,
        "balance": SortColumn(told_units, int, lambda one: one.balance.units),
        "held": SortColumn(held_units, int, lambda one: one.held.units),
    }
    return Ordering((_NAME, _ASSET), places)


ACCOUNTS = _ordering(accounts.c.balance_units, accounts.c.held_units)
"""What the list of accounts may be sorted by; amounts compare in their units, so among one asset only."""


def balance(connection: Connection, account: str, at: Instant | None = None, *, asset: Asset = BTC) -> Amount:
    """Return what an account holds, in its own direction; `at` asks for a past instant, inclusive.

    An account that was never used holds nothing. Raises AccountUnknown for a name of no kind.
    """
    kind_of(account)
    statement = select(accounts.c.id, accounts.c.balance_units)
    row = connection.execute(statement.where(accounts.c.name == account, accounts.c.asset == asset.code)).first()
    if row is None:
        return Amount(asset, 0)
    if at is None:
        return told(account, asset, row.balance_units)
    until = select(func.coalesce(func.sum(entries.c.units), 0))
    until = until.where(entries.c.account_id == row.id, entries.c.at_ms <= at.ms)
    return told(account, asset, connection.execute(until).scalar_one())


def available(connection: Connection, account: str, *, asset: Asset = BTC) -> Amount:
    """Return what postings and holds can still take from an account: its balance less what is held."""
    kind_of(account)
    statement = select(accounts.c.balance_units, accounts.c.held_units)
    row = connection.execute(statement.where(accounts.c.name == account, accounts.c.asset == asset.code)).first()
    if row is None:
        return Amount(asset, 0)
    return told(account, asset, row.balance_units) - Amount(asset, row.held_units)


def list_accounts(
    connection: Connection,
    prefix: str | None = None,
    after: Key | None = None,
    limit: int = 50,
    at: Instant | None = None,
    *,
    sort: str = "account",
    asset: str | None = None,
) -> list[AccountState]:
    """Return at most `limit` accounts by name or in the order of `sort`, behind the key `after` (see `ACCOUNTS`).

    `prefix` asks for one account and all below it, `at` for a past instant, inclusive: the accounts that were used by
    then, of which only the balance is known.
    """
    statement, order = _accounts(prefix, at, asset)
    page = order.page(statement, sort, after or ()).limit(max(1, min(limit, LIMIT_MAX + 1)))
    return [_state(row) for row in connection.execute(page)]


def all_accounts(
    connection: Connection, prefix: str | None = None, at: Instant | None = None, *, asset: str | None = None
) -> Iterator[AccountState]:
    """Yield all accounts in the order of their names; see `list_accounts`."""
    statement, order = _accounts(prefix, at, asset)
    return map(_state, connection.execute(order.page(statement, "account")))


def _accounts(prefix: str | None, at: Instant | None, asset: str | None) -> tuple[Select[Any], Ordering[AccountState]]:
    columns = (accounts.c.name, accounts.c.asset, accounts.c.balance_units, accounts.c.held_units)
    statement: Select[Any] = select(*columns)
    order = ACCOUNTS
    if at is not None:
        until = select(entries.c.account_id, func.sum(entries.c.units).label("units"))
        then = until.where(entries.c.at_ms <= at.ms).group_by(entries.c.account_id).subquery()
        statement = select(
            accounts.c.name, accounts.c.asset, then.c.units.label("balance_units"), literal(0).label("held_units")
        ).join(then, then.c.account_id == accounts.c.id)
        order = _ordering(then.c.units, literal(0))
    if asset is not None:
        statement = statement.where(accounts.c.asset == asset)
    if prefix is not None:
        statement = statement.where(_within(prefix))
    return statement, order


def _state(row: Row[Any]) -> AccountState:
    asset = Asset.of(row.asset)
    return AccountState(row.name, told(row.name, asset, row.balance_units), Amount(asset, row.held_units))


def balance_states(connection: Connection, account: str, at: Instant | None = None) -> list[AccountState]:
    """Return an account in every asset that it was ever used in; of the past only the balance is known.

    None for an account that was never used. Raises AccountAbove where only the accounts below its name were.
    """
    kind_of(account)
    found = list_accounts(connection, account, None, LIMIT_MAX)
    states = [state for state in found if state.name == account]
    if found and not states:
        below = list(dict.fromkeys(state.name for state in found))
        more = f", and {len(below) - _NAMED_MAX} more" if len(below) > _NAMED_MAX else ""
        raise AccountAbove(
            f"No account is called {account!r}; it stands for those below it: {', '.join(below[:_NAMED_MAX])}{more}. "
            "Ask for one of them; the trial balance has the sum of each kind.",
            account=account,
        )
    if at is None:
        return states
    past = ((state.name, state.balance.asset) for state in states)
    return [AccountState(name, balance(connection, name, at, asset=asset), Amount(asset, 0)) for name, asset in past]


def trial_balance(connection: Connection, at: Instant | None = None) -> list[TrialLine]:
    """Return what each kind of account comes to, debit or credit, now or at a past instant.

    In every asset the debits equal the credits; `check_books` proves it.
    """
    if at is None:
        statement = select(accounts.c.kind, accounts.c.asset, func.sum(accounts.c.balance_units).label("units"))
    else:
        statement = select(accounts.c.kind, accounts.c.asset, func.sum(entries.c.units).label("units"))
        statement = statement.join(entries, entries.c.account_id == accounts.c.id).where(entries.c.at_ms <= at.ms)
    statement = statement.group_by(accounts.c.kind, accounts.c.asset).order_by(accounts.c.asset, accounts.c.kind)
    lines = []
    for kind, code, units in connection.execute(statement):
        asset = Asset.of(code)
        whole = int(units)
        lines.append(TrialLine(kind, Amount(asset, max(whole, 0)), Amount(asset, max(-whole, 0))))
    return lines


def journal(
    connection: Connection, filters: JournalFilter | None = None, cursor: int | None = None, limit: int = 50
) -> JournalPage:
    """Return a page of postings, the newest first. `cursor` is the `next_cursor` of the page before, a number."""
    count = max(1, min(limit, LIMIT_MAX))
    statement = _matching(filters or JournalFilter())
    if cursor is not None:
        statement = statement.where(writes.c.number < cursor)
    rows = connection.execute(statement.order_by(writes.c.number.desc()).limit(count + 1)).all()
    postings = _with_entries(connection, rows[:count])
    return JournalPage(postings, rows[count - 1].number if len(rows) > count else None)


def export_journal(connection: Connection, filters: JournalFilter | None = None) -> Iterator[Posting]:
    """Yield all postings that match, the oldest first, without keeping them all in memory."""
    last = 0
    while chunk := journal_after(connection, last, filters):
        yield from chunk
        last = chunk[-1].number


def journal_after(
    connection: Connection, number: int, filters: JournalFilter | None = None, limit: int = LIMIT_MAX
) -> tuple[Posting, ...]:
    """Return the next postings that match after a number, the oldest first; none when there are no more."""
    statement = _matching(filters or JournalFilter()).where(writes.c.number > number)
    return _with_entries(connection, connection.execute(statement.order_by(writes.c.number).limit(limit)).all())


def _matching(filters: JournalFilter) -> Select[Any]:
    statement = select(writes).where(writes.c.kind.in_(("post", "capture")))
    if filters.since is not None:
        statement = statement.where(writes.c.at_ms >= filters.since.ms)
    if filters.until is not None:
        statement = statement.where(writes.c.at_ms < filters.until.ms)
    if filters.reference is not None:
        statement = statement.where(writes.c.reference == filters.reference)
    touched = select(entries.c.number).join(accounts, accounts.c.id == entries.c.account_id)
    if filters.account is not None:
        touched_here = touched.where(_within(filters.account))
        if filters.asset is not None:
            touched_here = touched_here.where(accounts.c.asset == filters.asset)
        statement = statement.where(writes.c.number.in_(touched_here))
    elif filters.asset is not None:
        here = (entries.c.number == writes.c.number, accounts.c.asset == filters.asset)
        statement = statement.where(touched.where(*here).correlate(writes).exists())
    if filters.text:
        found = mentions(filters.text, writes.c.memo, writes.c.reference, writes.c.key)
        named = touched.where(mentions(filters.text, accounts.c.name))
        statement = statement.where(found | writes.c.number.in_(named))
    return statement


def _within(account: str) -> Any:
    """Match an account and all below it, without taking its name for a pattern."""
    name = accounts.c.name
    return or_(name == account, (name > account + ":") & (name < account + ";"))


def _with_entries(connection: Connection, rows: Any) -> tuple[Posting, ...]:
    numbers = [row.number for row in rows]
    statement = select(entries.c.number, accounts.c.name, accounts.c.asset, entries.c.units)
    statement = statement.join(accounts, accounts.c.id == entries.c.account_id).where(entries.c.number.in_(numbers))
    lines: dict[int, list[Entry]] = {number: [] for number in numbers}
    for number, name, code, units in connection.execute(statement.order_by(entries.c.number, entries.c.line)):
        lines[number].append(Entry(name, Amount(Asset.of(code), units)))
    return tuple(
        Posting(row.number, row.key, Instant(row.at_ms), row.memo, row.reference, tuple(lines[row.number]), row.hold_id)
        for row in rows
    )
