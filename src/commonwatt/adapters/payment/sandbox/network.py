"""The play world itself: opens its ledger, tells who waits, and lets several nodes pay each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from commonwatt.adapters.payment.sandbox import ledger
from commonwatt.adapters.payment.sandbox.ledger import Attempt, Fees, NoWay, Way
from commonwatt.kernel import Clock, Done, Failed, Ids, Outcome, Unknown
from commonwatt.kit.database import Database, Note, open_engine
from commonwatt.payments.ports import (
    REFUSED_BY_PAYEE,
    InvoiceReport,
    InvoiceState,
    InvoiceTerms,
    IssuedInvoice,
    PaymentReport,
)
from commonwatt.protocols.bolt11 import Bolt11Error, Network, decode

if TYPE_CHECKING:
    from commonwatt.adapters.payment.sandbox.wallet import SandboxWallet

TIMEOUT_MAX_S = 60
BY_PAYEE = frozenset({"the invoice was paid already", "the invoice was cancelled"})
"""The reasons for which a payee's own node turns a payment away."""


class SandboxNetwork:
    """A few Lightning nodes that exist only here; their money is play money and their invoices are regtest's."""

    def __init__(
        self, path: Path | None, clock: Clock, ids: Ids, *, fees: Fees | None = None, inline: bool = False
    ) -> None:
        """Open the world at a file, made when absent; None keeps it in memory, `inline` in the caller's own steps."""
        engine = open_engine(path)
        ledger.world.create_all(engine)
        self.clock = clock
        self.fees = fees or Fees()
        self.database = Database(engine, clock, ids, inline=inline or path is None)
        self.database.on_notes.append(self._hear)
        self.phone: SandboxWallet | None = None
        """The wallet that pages and programs share, made when it is first used."""
        self._watchers: dict[str, list[asyncio.Queue[InvoiceReport]]] = {}
        self._waiters: dict[tuple[str, bytes], list[asyncio.Event]] = {}

    async def add_node(self, name: str, balance_msat: int = 0) -> None:
        """Let a node exist; one that exists keeps its key and its money."""
        await self.database.write(ledger.add_node, ledger.ROUTER, 0)
        await self.database.write(ledger.add_node, name, balance_msat)

    async def balance_msat(self, node: str) -> int:
        """Return what a node can spend."""
        row = await self.database.read(ledger.node_of, node)
        return int(row.balance_msat)

    async def conserved(self) -> bool:
        """Whether balances and money in flight still come to what was minted."""
        minted, present = await self.database.read(ledger.totals)
        return minted == present

    async def issue(self, node: str, terms: InvoiceTerms, *, any_amount: bool = False) -> Outcome[IssuedInvoice]:
        """Issue an invoice of a node."""
        try:
            bolt11 = await self.database.write(ledger.issue, node, terms, any_amount=any_amount)
        except (NoWay, Bolt11Error) as error:
            return Failed(str(error))
        return Done(IssuedInvoice(bolt11, terms.payment_hash))

    async def look_up_invoice(self, node: str, payment_hash: bytes) -> Outcome[InvoiceReport]:
        """Tell an invoice's state; a hold whose time lock ran out is given back on the way."""
        row = await self.database.read(ledger.find_invoice, payment_hash)
        if row is None or row.payee != node:
            return Failed("this node never heard of the invoice", "missing")
        state = ledger.state_of(row, self.clock.now())
        if state is InvoiceState.CANCELLED and row.state == InvoiceState.ACCEPTED:
            await self.cancel(node, payment_hash)
        paid_msat = 0 if state in {InvoiceState.OPEN, InvoiceState.CANCELLED} else row.paid_msat
        return Done(InvoiceReport(payment_hash, state, int(paid_msat)))

    async def settle(self, node: str, preimage: bytes) -> Outcome[None]:
        """Give locked money to a node."""
        try:
            await self.database.write(ledger.settle, node, preimage)
        except NoWay as error:
            return Failed(str(error))
        return Done(None)

    async def cancel(self, node: str, payment_hash: bytes) -> Outcome[None]:
        """Give locked money back."""
        try:
            await self.database.write(ledger.cancel, node, payment_hash)
        except NoWay as error:
            return Failed(str(error))
        return Done(None)

    async def pay(
        self, node: str, bolt11: str, *, amount_msat: int, fee_limit_msat: int, timeout_s: int
    ) -> Outcome[PaymentReport]:
        """Pay from a node and wait for the end, at most so long: `Unknown` is a payment that the payee holds."""
        try:
            invoice = decode(bolt11)
        except Bolt11Error as error:
            return Failed(f"this is no invoice: {error}", "unreadable")
        if invoice.network is not Network.REGTEST:
            return Failed(f"the sandbox cannot pay invoices of the network {invoice.network}", "network")
        attempt = Attempt(node, bolt11, invoice, amount_msat, self.fees.of(amount_msat), fee_limit_msat)
        with self._waiting(node, invoice.payment_hash) as ended:
            await self.database.write(ledger.send, attempt)
            outcome = await self.look_up_payment(node, invoice.payment_hash)
            if not isinstance(outcome, Unknown):
                return outcome
            try:
                await asyncio.wait_for(ended.wait(), min(timeout_s, TIMEOUT_MAX_S))
            except TimeoutError:
                return outcome
        return await self.look_up_payment(node, invoice.payment_hash)

    async def look_up_payment(self, node: str, payment_hash: bytes) -> Outcome[PaymentReport]:
        """Tell how a node's payment ended."""
        row = await self.database.read(ledger.find_payment, node, payment_hash)
        if row is None:
            return Failed("this node never sent such a payment", "missing")
        match Way(row.state):
            case Way.DONE:
                return Done(PaymentReport(payment_hash, row.preimage, int(row.amount_msat), int(row.fee_msat)))
            case Way.FAILED:
                return Failed(str(row.reason), REFUSED_BY_PAYEE if row.reason in BY_PAYEE else "failed")
            case Way.IN_FLIGHT:
                target = await self.database.read(ledger.find_invoice, payment_hash)
                if target is not None and ledger.state_of(target, self.clock.now()) is InvoiceState.CANCELLED:
                    await self.cancel(target.payee, payment_hash)
                    return Failed("the time lock of the payment ran out")
                return Unknown("the payee holds the payment and has neither taken nor returned it")

    async def watch(self, node: str) -> AsyncGenerator[InvoiceReport]:
        """Yield a node's invoices as they change, beginning with what is held now."""
        news: asyncio.Queue[InvoiceReport] = asyncio.Queue()
        self._watchers.setdefault(node, []).append(news)
        try:
            for row in await self.database.read(_held, node):
                yield InvoiceReport(row.payment_hash, InvoiceState.ACCEPTED, int(row.paid_msat))
            while True:
                yield await news.get()
        finally:
            self._watchers[node].remove(news)

    async def history(self, node: str, limit: int = 50) -> list[dict[str, Any]]:
        """Return what a node paid and received, newest first."""
        return await self.database.read(_history, node, limit)

    def close(self) -> None:
        """Finish what waits and close the ledger."""
        self.database.close()

    def _hear(self, notes: list[Note]) -> None:
        for note in notes:
            if note.name == "invoice":
                report = InvoiceReport(
                    note.data["payment_hash"], InvoiceState(note.data["state"]), note.data["paid_msat"]
                )
                for news in self._watchers.get(note.topic, []):
                    news.put_nowait(report)
            else:
                for ended in self._waiters.get((note.topic, note.data["payment_hash"]), []):
                    ended.set()

    @contextmanager
    def _waiting(self, node: str, payment_hash: bytes) -> Iterator[asyncio.Event]:
        ended = asyncio.Event()
        waiters = self._waiters.setdefault((node, payment_hash), [])
        waiters.append(ended)
        try:
            yield ended
        finally:
            waiters.remove(ended)
            if not waiters:
                self._waiters.pop((node, payment_hash), None)


def _held(sql: Connection, node: str) -> list[Row[Any]]:
    table = ledger.invoices
    mine = (table.c.payee == node) & table.c.held_until_ms.is_not(None) & (table.c.state == InvoiceState.ACCEPTED)
    return list(sql.execute(select(table).where(mine)))


def _history(sql: Connection, node: str, limit: int) -> list[dict[str, Any]]:
    sent = select(ledger.payments).where(ledger.payments.c.payer == node)
    lines = [
        {
            "way": "out",
            "payment_hash": row.payment_hash.hex(),
            "amount_msat": row.amount_msat,
            "fee_msat": row.fee_msat,
            "state": row.state,
            "reason": row.reason,
            "description": row.description,
            "at_ms": row.made_ms,
        }
        for row in sql.execute(sent.order_by(ledger.payments.c.made_ms.desc()).limit(limit))
    ]
    received = select(ledger.invoices).where(ledger.invoices.c.payee == node, ledger.invoices.c.paid_msat > 0)
    lines += [
        {
            "way": "in",
            "payment_hash": row.payment_hash.hex(),
            "amount_msat": row.paid_msat,
            "fee_msat": 0,
            "state": "done" if row.state == InvoiceState.SETTLED else str(row.state),
            "reason": None,
            "description": row.description,
            "at_ms": row.made_ms,
        }
        for row in sql.execute(received.order_by(ledger.invoices.c.made_ms.desc()).limit(limit))
    ]
    return sorted(lines, key=lambda line: line["at_ms"], reverse=True)[:limit]
