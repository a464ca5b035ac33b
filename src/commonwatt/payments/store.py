"""The tables of payments and the statements over them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    bindparam,
    select,
    text,
    update,
)

from commonwatt.kernel import Instant
from commonwatt.kit.database import metadata
from commonwatt.payments.reports import Decision, Invoice, Payout, PayoutState, Stage

invoices = Table(
    "payments_invoices",
    metadata,
    Column("payment_hash", String(64), primary_key=True),
    Column("preimage", LargeBinary(32), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("account", String(200), nullable=False),
    Column("rail", String(40), nullable=False),
    Column("amount_msat", BigInteger, nullable=False),
    Column("paid_msat", BigInteger, nullable=False, server_default=text("0")),
    Column("state", String(10), nullable=False),
    Column("wish", String(10)),
    Column("hold", Boolean, nullable=False),
    Column("description", Text, nullable=False),
    Column("metadata", Text),
    Column("comment", Text),
    Column("bolt11", Text, nullable=False, server_default=""),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("accepted_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("next_check_ms", BigInteger, nullable=False),
    Column("checks", Integer, nullable=False, server_default=text("0")),
    Index("ix_payments_invoices_subject", "subject"),
    Index("ix_payments_invoices_made", "made_ms", "payment_hash"),
    Index("ix_payments_invoices_check", "next_check_ms", sqlite_where=text("ended_ms is null")),
    Index("ix_payments_invoices_settled", "ended_ms", "state", "paid_msat", sqlite_where=text("state = 'settled'")),
)

payouts = Table(
    "payments_payouts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("hold_id", String(36), nullable=False),
    Column("payment_hash", String(64), nullable=False),
    Column("bolt11", Text, nullable=False),
    Column("subject", String(200), nullable=False),
    Column("account", String(200), nullable=False),
    Column("rail", String(40), nullable=False),
    Column("amount_msat", BigInteger, nullable=False),
    Column("fee_limit_msat", BigInteger, nullable=False),
    Column("fee_msat", BigInteger, nullable=False, server_default=text("0")),
    Column("state", String(10), nullable=False),
    Column("tried", Boolean, nullable=False, server_default=text("0")),
    Column("preimage", LargeBinary(32)),
    Column("reason", Text),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Index("ix_payments_payouts_subject", "subject"),
    Index("ix_payments_payouts_made", "made_ms", "id"),
    Index("ix_payments_payouts_open", "made_ms", sqlite_where=text("ended_ms is null")),
    Index(
        "ix_payments_payouts_done",
        "ended_ms",
        "state",
        "amount_msat",
        "fee_msat",
        sqlite_where=text("state = 'done'"),
    ),
    Index(
        "uq_payments_payouts_hash",
        "payment_hash",
        unique=True,
        sqlite_where=text("state != 'failed'"),
        postgresql_where=text("state != 'failed'"),
    ),
)


def _instant(ms: int | None) -> Instant | None:
    return None if ms is None else Instant(ms)


def as_invoice(row: Row[Any]) -> Invoice:
    """Read a row of `payments_invoices`."""
    return Invoice(
        payment_hash=row.payment_hash,
        subject=row.subject,
        account=row.account,
        rail=row.rail,
        amount_msat=row.amount_msat,
        paid_msat=row.paid_msat,
        state=Stage(row.state),
        decision=None if row.wish is None else Decision(row.wish),
        hold=bool(row.hold),
        description=row.description,
        comment=row.comment,
        bolt11=row.bolt11,
        made=Instant(row.made_ms),
        expires=Instant(row.expires_ms),
        ended=_instant(row.ended_ms),
        accepted=_instant(row.accepted_ms),
    )


def as_payout(row: Row[Any]) -> Payout:
    """Read a row of `payments_payouts`."""
    return Payout(
        id=row.id,
        key=row.key,
        hold_id=row.hold_id,
        payment_hash=row.payment_hash,
        bolt11=row.bolt11,
        subject=row.subject,
        account=row.account,
        rail=row.rail,
        amount_msat=row.amount_msat,
        fee_limit_msat=row.fee_limit_msat,
        fee_msat=row.fee_msat,
        state=PayoutState(row.state),
        tried=bool(row.tried),
        reason=row.reason,
        made=Instant(row.made_ms),
        expires=Instant(row.expires_ms),
        ended=_instant(row.ended_ms),
    )


_INVOICE = select(invoices).where(invoices.c.payment_hash == bindparam("wanted"))
_PAYOUT = select(payouts).where(payouts.c.id == bindparam("wanted"))
_PAYOUT_BY_KEY = select(payouts).where(payouts.c.key == bindparam("wanted"))
"""Built once: building such a statement costs more than running it."""


def find_invoice(sql: Connection, payment_hash: str) -> Invoice | None:
    """Return the invoice of a payment hash (hexadecimal)."""
    row = sql.execute(_INVOICE, {"wanted": payment_hash}).one_or_none()
    return None if row is None else as_invoice(row)


def invoice_preimage(sql: Connection, payment_hash: str) -> bytes | None:
    """Return the preimage of an invoice: the secret that takes its money. Never show it before it is settled."""
    return sql.execute(select(invoices.c.preimage).where(invoices.c.payment_hash == payment_hash)).scalar_one_or_none()


def change_invoice(sql: Connection, payment_hash: str, **values: object) -> None:
    """Write columns of one invoice."""
    sql.execute(update(invoices).where(invoices.c.payment_hash == payment_hash).values(**values))


def find_payout(sql: Connection, payout_id: str) -> Payout | None:
    """Return the payout of an id."""
    row = sql.execute(_PAYOUT, {"wanted": payout_id}).one_or_none()
    return None if row is None else as_payout(row)


def find_payout_by_key(sql: Connection, key: str) -> Payout | None:
    """Return the payout of a caller's key."""
    row = sql.execute(_PAYOUT_BY_KEY, {"wanted": key}).one_or_none()
    return None if row is None else as_payout(row)


def change_payout(sql: Connection, payout_id: str, **values: object) -> None:
    """Write columns of one payout."""
    sql.execute(update(payouts).where(payouts.c.id == payout_id).values(**values))


def payout_of_hash(sql: Connection, payment_hash: str) -> Payout | None:
    """Return the payout that pays, or paid, an invoice; failed ones do not count."""
    alive = (payouts.c.payment_hash == payment_hash) & (payouts.c.state != PayoutState.FAILED)
    row = sql.execute(select(payouts).where(alive)).one_or_none()
    return None if row is None else as_payout(row)


def first_paid(sql: Connection, subject: str) -> tuple[str, str] | None:
    """Return rail and payment request of the first invoice that brought money for a subject; None without one."""
    columns = invoices.c
    paid = select(columns.rail, columns.bolt11).where(columns.subject == subject, columns.paid_msat > 0)
    row = sql.execute(paid.order_by(columns.made_ms, columns.payment_hash).limit(1)).first()
    return None if row is None else (row.rail, row.bolt11)


def latest_request(sql: Connection, rail: str) -> str | None:
    """Return the payment request that a rail issued last."""
    of_rail = select(invoices.c.bolt11).where(invoices.c.rail == rail, invoices.c.bolt11 != "")
    return sql.execute(of_rail.order_by(invoices.c.made_ms.desc()).limit(1)).scalar_one_or_none()
