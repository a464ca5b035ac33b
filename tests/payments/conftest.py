"""A small world: our database and its jobs, a sandbox network with our node and a driver's phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from commonwatt.adapters.payment.sandbox import Faults, Fees, SandboxNetwork, SandboxRail, ledger
from commonwatt.books import balance, check_books
from commonwatt.kernel import SeededIds
from commonwatt.kit.clock import SteppedClock
from commonwatt.kit.database import Database, Jobs, outbox
from commonwatt.payments import Performer, Reconciler, note_invoice, request_invoice
from commonwatt.payments.ports import InvoiceTerms


@dataclass
class World:
    """Everything that a test of payments touches."""

    clock: SteppedClock
    database: Database
    network: SandboxNetwork
    rail: SandboxRail
    jobs: Jobs
    performer: Performer
    reconciler: Reconciler

    async def invoice(self, amount_msat=50_000, *, subject="session/1", account="session:1", **more):
        return await request_invoice(
            self.database,
            self.rail,
            subject=subject,
            account=account,
            amount_msat=amount_msat,
            description="Charging",
            **more,
        )

    async def pay(self, invoice, amount_msat=None):
        """The phone pays; a hold stays in flight."""
        amount_msat = amount_msat or invoice.amount_msat
        return await self.network.pay(
            "phone", invoice.bolt11, amount_msat=amount_msat, fee_limit_msat=10**9, timeout_s=0
        )

    async def their_invoice(self, amount_msat=20_000, *, seed=1, hold=False, any_amount=False, expiry_s=600):
        """The phone asks for money."""
        preimage = bytes([seed]) * 32
        terms = InvoiceTerms(preimage, amount_msat, "change", None, expiry_s, hold)
        return (await self.network.issue("phone", terms, any_amount=any_amount)).value.bolt11

    async def forget_payments(self):
        """Our node loses its past, as when payments are deleted or the node is restored; the world keeps its own."""
        table = ledger.payments
        await self.network.database.write(lambda work: work.sql.execute(table.delete().where(table.c.payer == "us")))

    async def hear(self, invoice):
        """The rail's stream would have told us; look it up instead."""
        report = (await self.network.look_up_invoice(self.rail.node, bytes.fromhex(invoice.payment_hash))).value
        return await self.database.write(note_invoice, self.rail.name, report)

    async def state(self, invoice):
        from commonwatt.payments import invoice_of

        return (await self.database.read(invoice_of, invoice.payment_hash)).state

    async def balance(self, account):
        return (await self.database.read(balance, account)).units

    async def events(self, prefix="payments."):
        """What was told, in order: kind without its prefix, and fields."""

        def read(sql) -> list[tuple[str, dict[str, Any]]]:
            rows = sql.execute(select(outbox).where(outbox.c.kind.startswith(prefix)).order_by(outbox.c.id))
            effects = {"SettleInvoice", "CancelInvoice", "SendPayment"}
            told = [(row.kind.removeprefix(prefix), msgspec.json.decode(row.payload)) for row in rows]
            return [(kind, fields) for kind, fields in told if kind not in effects]

        return await self.database.read(read)

    async def kinds(self):
        return [kind for kind, _ in await self.events()]

    async def check(self):
        """Whatever happened, the books add up and the play world has lost no money."""
        await self.database.read(check_books)
        assert await self.network.conserved()


@pytest.fixture
async def world(database, clock):
    network = SandboxNetwork(None, clock, SeededIds(7), fees=Fees(base_msat=1, ppm=1000))
    await network.add_node("us", 1_000_000_000)
    await network.add_node("phone", 500_000_000)
    rail = SandboxRail(network, "us", faults=Faults())
    performer = Performer(database, {"sandbox": rail})
    jobs = Jobs(database, {}, performer.lanes())
    await jobs.start()
    world = World(clock, database, network, rail, jobs, performer, Reconciler(database, {"sandbox": rail}, performer))
    yield world
    await jobs.stop()
    await world.check()
    network.close()
