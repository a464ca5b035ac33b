"""The play world's own ledger: nodes with balances, invoices, payments. It stands for everybody else's computers.

It lives in a database of its own, which no transaction of ours ever spans, and every step is on disk before it is
answered, so that a crash of ours leaves the world exactly as a real one would be: ahead of us, or not.
Money is conserved: balances plus what is in flight equal what was minted, at every commit.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    text,
    update,
)

from commonwatt.kernel import Instant, Rounding, divide
from commonwatt.kit.database import Work
from commonwatt.payments.ports import InvoiceState, InvoiceTerms
from commonwatt.protocols.bolt11 import Bolt11, Network, encode

world = MetaData()

nodes = Table(
    "nodes",
    world,
    Column("name", String(80), primary_key=True),
    Column("secret", LargeBinary(32), nullable=False),
    Column("balance_msat", BigInteger, nullable=False),
    Column("minted_msat", BigInteger, nullable=False),
)

invoices = Table(
    "invoices",
    world,
    Column("payment_hash", LargeBinary(32), primary_key=True),
    Column("payee", String(80), ForeignKey("nodes.name"), nullable=False),
    Column("preimage", LargeBinary(32), nullable=False),
    Column("bolt11", Text, nullable=False),
    Column("amount_msat", BigInteger),
    Column("description", Text, nullable=False),
    Column("hold", Boolean, nullable=False),
    Column("state", String(10), nullable=False),
    Column("paid_msat", BigInteger, nullable=False, server_default=text("0")),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("held_until_ms", BigInteger),
    Index("ix_invoices_held", "payee", "held_until_ms"),
)

payments = Table(
    "payments",
    world,
    Column("payer", String(80), ForeignKey("nodes.name"), nullable=False),
    Column("payment_hash", LargeBinary(32), nullable=False),
    Column("bolt11", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("amount_msat", BigInteger, nullable=False),
    Column("fee_msat", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", Text),
    Column("preimage", LargeBinary(32)),
    Column("made_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    PrimaryKeyConstraint("payer", "payment_hash"),
    Index("ix_payments_made", "payer", "made_ms"),
    Index("ix_payments_hash", "payment_hash"),
)

HOLD_MAX_S = 24 * 3600
"""A hold that nobody settles goes back to its payer after a day, as the time lock of a real one would make it."""
ROUTER = "router"
"""The node that keeps the routing fees."""


class Way(StrEnum):
    """How far a payment has come."""

    IN_FLIGHT = "in flight"
    DONE = "done"
    FAILED = "failed"


class NoWay(Exception):
    """The world declines; nothing was moved."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What the way between two nodes costs: a base and so many millionths of the amount, rounded up."""

    base_msat: int = 0
    ppm: int = 0

    def of(self, amount_msat: int) -> int:
        """Return the fee of an amount, in msat."""
        return self.base_msat + divide(amount_msat * self.ppm, 1_000_000, Rounding.UP).quotient


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries to pay an invoice: that much, and at most so much for the way there."""

    payer: str
    bolt11: str
    invoice: Bolt11
    amount_msat: int
    fee_msat: int
    fee_limit_msat: int


def add_node(work: Work, name: str, balance_msat: int) -> None:
    """Let a node exist, with money from nowhere; one that exists already is left as it is."""
    if work.sql.execute(select(nodes.c.name).where(nodes.c.name == name)).first() is None:
        row = {"name": name, "secret": work.ids.secret(32), "balance_msat": balance_msat, "minted_msat": balance_msat}
        work.sql.execute(insert(nodes).values(row))


def node_of(sql: Connection, name: str) -> Row[Any]:
    """Return a node's row."""
    return sql.execute(select(nodes).where(nodes.c.name == name)).one()


def issue(work: Work, payee: str, terms: InvoiceTerms, *, any_amount: bool = False) -> str:
    """Write, sign and store an invoice; the same preimage again answers with the same one."""
    known = find_invoice(work.sql, terms.payment_hash)
    if known is not None:
        if known.payee != payee:
            msg = "another node has an invoice of this hash"
            raise NoWay(msg)
        return str(known.bolt11)
    hashed = terms.description_hash
    invoice = Bolt11(
        network=Network.REGTEST,
        amount_msat=None if any_amount else terms.amount_msat,
        timestamp=work.now.seconds,
        payment_hash=terms.payment_hash,
        payment_secret=hashlib.sha256(b"secret" + terms.preimage).digest(),
        description=terms.description if hashed is None else None,
        description_hash=hashed,
        expiry_s=terms.expiry_s,
    )
    bolt11 = encode(invoice, node_of(work.sql, payee).secret)
    work.sql.execute(
        insert(invoices).values(
            payment_hash=terms.payment_hash,
            payee=payee,
            preimage=terms.preimage,
            bolt11=bolt11,
            amount_msat=invoice.amount_msat,
            description=terms.description,
            hold=terms.hold,
            state=InvoiceState.OPEN,
            made_ms=work.now.ms,
            expires_ms=1000 * invoice.expires_s,
        )
    )
    return bolt11


def find_invoice(sql: Connection, payment_hash: bytes) -> Row[Any] | None:
    """Return an invoice's row."""
    return sql.execute(select(invoices).where(invoices.c.payment_hash == payment_hash)).one_or_none()


def find_payment(sql: Connection, payer: str, payment_hash: bytes) -> Row[Any] | None:
    """Return a payer's payment of a hash."""
    both = (payments.c.payer == payer) & (payments.c.payment_hash == payment_hash)
    return sql.execute(select(payments).where(both)).one_or_none()


def state_of(row: Row[Any], now: Instant) -> InvoiceState:
    """Return an invoice's state at an instant: an open one ends by its expiry, a held one by its time lock."""
    state = InvoiceState(row.state)
    if state is InvoiceState.OPEN and now.ms > row.expires_ms:
        return InvoiceState.CANCELLED
    if state is InvoiceState.ACCEPTED and now.ms > row.held_until_ms:
        return InvoiceState.CANCELLED
    return state


def send(work: Work, attempt: Attempt) -> None:
    """Move money towards an invoice: to its payee at once, or locked when it holds.

    A payment that is under way or done already is left alone. One that cannot be made is kept as failed.
    """
    payment_hash = attempt.invoice.payment_hash
    before = find_payment(work.sql, attempt.payer, payment_hash)
    if before is not None and before.state != Way.FAILED:
        return
    target = find_invoice(work.sql, payment_hash)
    reason = _refusal(work, attempt, target)
    values = {
        "payer": attempt.payer,
        "payment_hash": payment_hash,
        "bolt11": attempt.bolt11,
        "description": attempt.invoice.description or (target.description if target is not None else ""),
        "amount_msat": attempt.amount_msat,
        "fee_msat": attempt.fee_msat,
        "state": Way.FAILED if reason else Way.IN_FLIGHT,
        "reason": reason,
        "made_ms": work.now.ms,
        "ended_ms": work.now.ms if reason else None,
    }
    if before is None:
        work.sql.execute(insert(payments).values(values))
    else:
        both = (payments.c.payer == attempt.payer) & (payments.c.payment_hash == payment_hash)
        work.sql.execute(update(payments).where(both).values(values))
    if reason or target is None:
        return
    _move(work, attempt.payer, -(attempt.amount_msat + attempt.fee_msat))
    held_until = work.now.plus(seconds=HOLD_MAX_S).ms
    _change(work, target, state=InvoiceState.ACCEPTED, paid_msat=attempt.amount_msat, held_until_ms=held_until)
    if not target.hold:
        settle(work, target.payee, target.preimage)


def settle(work: Work, payee: str, preimage: bytes) -> None:
    """Give locked money to the payee; settled already is fine. Raises NoWay."""
    row = find_invoice(work.sql, hashlib.sha256(preimage).digest())
    if row is None or row.payee != payee:
        msg = "there is no such invoice"
        raise NoWay(msg)
    state = state_of(row, work.now)
    if state is InvoiceState.SETTLED:
        return
    if state is not InvoiceState.ACCEPTED:
        msg = f"the invoice is {state}, not accepted"
        raise NoWay(msg)
    payment = _payment_in_flight(work.sql, row.payment_hash)
    _move(work, payee, row.paid_msat)
    _move(work, ROUTER, payment.fee_msat)
    _end(work, payment, Way.DONE, preimage=preimage)
    _change(work, row, state=InvoiceState.SETTLED)


def cancel(work: Work, payee: str, payment_hash: bytes) -> None:
    """Give locked money back, or close an open invoice; cancelled already is fine. Raises NoWay."""
    row = find_invoice(work.sql, payment_hash)
    if row is None or row.payee != payee:
        msg = "there is no such invoice"
        raise NoWay(msg)
    if row.state == InvoiceState.SETTLED:
        msg = "the invoice is settled"
        raise NoWay(msg)
    if row.state == InvoiceState.ACCEPTED:
        payment = _payment_in_flight(work.sql, payment_hash)
        _move(work, payment.payer, payment.amount_msat + payment.fee_msat)
        _end(work, payment, Way.FAILED, reason="the payee gave the payment back")
    if row.state != InvoiceState.CANCELLED:
        _change(work, row, state=InvoiceState.CANCELLED)


def totals(sql: Connection) -> tuple[int, int]:
    """Return what was minted, and what balances and payments in flight come to; they are equal, always."""
    minted, balances = sql.execute(select(func.sum(nodes.c.minted_msat), func.sum(nodes.c.balance_msat))).one()
    flying = select(func.coalesce(func.sum(payments.c.amount_msat + payments.c.fee_msat), 0))
    in_flight = sql.execute(flying.where(payments.c.state == Way.IN_FLIGHT)).scalar_one()
    return int(minted or 0), int(balances or 0) + int(in_flight)


def _refusal(work: Work, attempt: Attempt, target: Row[Any] | None) -> str | None:
    """Return why a payment cannot be made, or None."""
    if target is None:
        return "no route: nobody in the sandbox has this invoice"
    state = state_of(target, work.now)
    reasons = {
        "the invoice was paid already": state in {InvoiceState.ACCEPTED, InvoiceState.SETTLED},
        "the invoice has expired": work.now.ms > target.expires_ms,
        "the invoice was cancelled": state is InvoiceState.CANCELLED,
        "a node cannot pay its own invoice": target.payee == attempt.payer,
        "the amount is not the invoice's": target.amount_msat not in {None, attempt.amount_msat},
        "nothing is to be paid": attempt.amount_msat <= 0,
        "the way there costs more than the limit": attempt.fee_msat > attempt.fee_limit_msat,
        "insufficient balance": node_of(work.sql, attempt.payer).balance_msat < attempt.amount_msat + attempt.fee_msat,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _payment_in_flight(sql: Connection, payment_hash: bytes) -> Row[Any]:
    both = (payments.c.payment_hash == payment_hash) & (payments.c.state == Way.IN_FLIGHT)
    return sql.execute(select(payments).where(both)).one()


def _move(work: Work, node: str, amount_msat: int) -> None:
    if amount_msat:
        to_node = update(nodes).where(nodes.c.name == node)
        work.sql.execute(to_node.values(balance_msat=nodes.c.balance_msat + amount_msat))


def _change(work: Work, row: Row[Any], **values: Any) -> None:
    """Change an invoice and leave a note for whoever watches its payee."""
    work.sql.execute(update(invoices).where(invoices.c.payment_hash == row.payment_hash).values(**values))
    paid_msat = values.get("paid_msat", row.paid_msat)
    work.tell(row.payee, "invoice", payment_hash=row.payment_hash, state=values["state"], paid_msat=paid_msat)


def _end(work: Work, payment: Row[Any], state: Way, **values: Any) -> None:
    both = (payments.c.payer == payment.payer) & (payments.c.payment_hash == payment.payment_hash)
    work.sql.execute(update(payments).where(both).values(state=state, ended_ms=work.now.ms, **values))
    work.tell(payment.payer, "payment", payment_hash=payment.payment_hash)
