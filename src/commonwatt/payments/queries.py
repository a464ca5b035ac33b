"""What payments answers: lists to filter and page through, sums of a day, what is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, func, literal, or_, select

from commonwatt.kernel import BTC, Amount, Instant, said
from commonwatt.kit.database import Ordering, SortColumn, mentions
from commonwatt.kit.database.ordering import Key
from commonwatt.payments import store
from commonwatt.payments.errors import NoSuchInvoice, NoSuchPayout
from commonwatt.payments.reports import Invoice, Payout, PayoutState, Stage

NEWEST = "-made"
INVOICES: Ordering[Invoice] = Ordering(
    SortColumn(store.invoices.c.payment_hash, str, lambda one: one.payment_hash),
    {
        "made": SortColumn(store.invoices.c.made_ms, int, lambda one: one.made.ms),
        "amount": SortColumn(store.invoices.c.amount_msat, int, lambda one: one.amount_msat),
    },
)
PAYOUTS: Ordering[Payout] = Ordering(
    SortColumn(store.payouts.c.id, str, lambda one: one.id),
    {
        "made": SortColumn(store.payouts.c.made_ms, int, lambda one: one.made.ms),
        "amount": SortColumn(store.payouts.c.amount_msat, int, lambda one: one.amount_msat),
    },
)


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """Which rows to list; what is None is not asked."""

    text: str | None = None
    """Occurs in the subject, or begins the payment hash or the payment request; for payouts in the id or key too."""
    state: str | None = None
    rail: str | None = None
    subject: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    """Up to, and not including, this instant."""


@dataclass(frozen=True, slots=True)
class PaymentSums:
    """Money that moved in a span of time, and what is under way now."""

    received: Amount
    received_count: int
    paid_out: Amount
    paid_out_count: int
    fees: Amount
    locked: Amount
    """Held by payers' nodes for us, neither taken nor given back yet."""
    going_out: Amount
    """Reserved for payouts whose end is not known yet."""


def invoice_of(sql: Connection, payment_hash: str) -> Invoice:
    """Return an invoice by its payment hash (hexadecimal). Raises NoSuchInvoice."""
    invoice = store.find_invoice(sql, payment_hash.lower())
    if invoice is None:
        raise NoSuchInvoice(said("No invoice of ours has this payment hash."), payment_hash=payment_hash[:80])
    return invoice


def payout_of(sql: Connection, payout_id: str) -> Payout:
    """Return a payout by its id. Raises NoSuchPayout."""
    payout = store.find_payout(sql, payout_id)
    if payout is None:
        raise NoSuchPayout(said("No payout of ours has this id."), payout=payout_id[:80])
    return payout


def payout_of_key(sql: Connection, key: str) -> Payout | None:
    """Return the payout that a caller asked for under this key."""
    return store.find_payout_by_key(sql, key)


def preimage_when_settled(sql: Connection, payment_hash: str) -> str | None:
    """Return the proof of payment in hexadecimal; None before the money is ours, when showing it would give it away."""
    table = store.invoices
    settled = (table.c.payment_hash == payment_hash) & (table.c.state == Stage.SETTLED)
    preimage = sql.execute(select(table.c.preimage).where(settled)).scalar_one_or_none()
    return None if preimage is None else bytes(preimage).hex()


def any_doubtful(sql: Connection) -> bool:
    """Whether a payout waits for a person to say how it ended."""
    table = store.payouts
    doubtful = select(table.c.id).where(table.c.ended_ms.is_(None), table.c.state == PayoutState.DOUBTFUL)
    return sql.execute(doubtful.limit(1)).first() is not None


def rail_of(sql: Connection, subject: str) -> str | None:
    """Return the rail over which a subject was paid first; None while nothing was paid."""
    paid = store.first_paid(sql, subject)
    return None if paid is None else paid[0]


def open_invoices(sql: Connection, subject: str) -> list[str]:
    """Return the payment hashes of a subject's invoices that could still be paid and were not."""
    table = store.invoices
    payable = table.c.state.in_([Stage.DRAFTED, Stage.OPEN]) & table.c.wish.is_(None)
    return list(sql.execute(select(table.c.payment_hash).where(table.c.subject == subject, payable)).scalars())


def invoices_of(sql: Connection, subject: str) -> list[Invoice]:
    """Return all invoices of a subject, oldest first."""
    table = store.invoices
    rows = sql.execute(select(table).where(table.c.subject == subject).order_by(table.c.made_ms, table.c.payment_hash))
    return [store.as_invoice(row) for row in rows]


def payouts_of(sql: Connection, subject: str) -> list[Payout]:
    """Return all payouts of a subject, oldest first."""
    table = store.payouts
    rows = sql.execute(select(table).where(table.c.subject == subject).order_by(table.c.made_ms, table.c.id))
    return [store.as_payout(row) for row in rows]


def list_invoices(
    sql: Connection, filters: PaymentFilter, limit: int = 50, after: Key = (), *, sort: str = NEWEST
) -> list[Invoice]:
    """Return at most `limit` invoices, newest first or in the order of `sort`, behind the key `after`."""
    table = store.invoices
    statement = INVOICES.page(_matching(select(table), table, filters, [table.c.payment_hash]), sort, after)
    return [store.as_invoice(row) for row in sql.execute(statement.limit(limit))]


def list_payouts(
    sql: Connection, filters: PaymentFilter, limit: int = 50, after: Key = (), *, sort: str = NEWEST
) -> list[Payout]:
    """Return at most `limit` payouts, newest first or in the order of `sort`, behind the key `after`."""
    table = store.payouts
    starts = [table.c.payment_hash, table.c.id, table.c.key]
    statement = PAYOUTS.page(_matching(select(table), table, filters, starts), sort, after)
    return [store.as_payout(row) for row in sql.execute(statement.limit(limit))]


def sum_payments(sql: Connection, since: Instant, until: Instant) -> PaymentSums:
    """Add up what was received and paid out in a span of time, and what is locked or going out at this moment."""
    ours, theirs = store.invoices, store.payouts
    settled = ours.c.ended_ms.between(since.ms, until.ms - 1) & (ours.c.state == _plain(Stage.SETTLED))
    done = theirs.c.ended_ms.between(since.ms, until.ms - 1) & (theirs.c.state == _plain(PayoutState.DONE))
    received_count, received = _sums(sql, settled, ours.c.paid_msat)
    paid_out_count, paid_out, fees = _sums(sql, done, theirs.c.amount_msat, theirs.c.fee_msat)
    _, locked = _sums(sql, ours.c.ended_ms.is_(None) & (ours.c.state == Stage.ACCEPTED), ours.c.paid_msat)
    _, going_out = _sums(sql, theirs.c.ended_ms.is_(None), theirs.c.amount_msat)
    return PaymentSums(
        received=Amount(BTC, received),
        received_count=received_count,
        paid_out=Amount(BTC, paid_out),
        paid_out_count=paid_out_count,
        fees=Amount(BTC, fees),
        locked=Amount(BTC, locked),
        going_out=Amount(BTC, going_out),
    )


def _plain(state: str) -> ColumnElement[str]:
    """Return a state written into the statement itself: only then is an index used that holds this state alone."""
    return literal(state, literal_execute=True)


def _sums(sql: Connection, condition: ColumnElement[bool], *columns: Column[int]) -> tuple[int, ...]:
    """Return how many rows there are, and the sum of each column."""
    totals = [func.coalesce(func.sum(column), 0) for column in columns]
    return tuple(int(value) for value in sql.execute(select(func.count(), *totals).where(condition)).one())


def _matching(statement: Select[Any], table: Table, filters: PaymentFilter, starts: list[Any]) -> Select[Any]:
    for column, wanted in [("state", filters.state), ("rail", filters.rail), ("subject", filters.subject)]:
        if wanted is not None:
            statement = statement.where(table.c[column] == wanted)
    if filters.since is not None:
        statement = statement.where(table.c.made_ms >= filters.since.ms)
    if filters.until is not None:
        statement = statement.where(table.c.made_ms < filters.until.ms)
    if filters.text:
        wanted = filters.text.strip()
        begins = [column.startswith(wanted, autoescape=True) for column in [*starts, table.c.bolt11]]
        statement = statement.where(or_(mentions(wanted, table.c.subject), *begins))
    return statement


def list_payments(
    sql: Connection,
    filters: PaymentFilter,
    limit: int = 50,
    after: Key = (),
    direction: str | None = None,
) -> list[Invoice | Payout]:
    """Return invoices (`in`) and payouts (`out`) in one list, newest first, after the given `(made ms, hash or id)`."""
    rows: list[Invoice | Payout] = []
    if direction != "out":
        rows += list_invoices(sql, filters, limit, after)
    if direction != "in":
        rows += list_payouts(sql, filters, limit, after)
    return sorted(rows, key=place_of, reverse=True)[:limit]


def place_of(payment: Invoice | Payout) -> tuple[int, str]:
    """Return where a payment stands in the list: when it was made, then its hash or id."""
    return payment.made.ms, payment.payment_hash if isinstance(payment, Invoice) else payment.id
