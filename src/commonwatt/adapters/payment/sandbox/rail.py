"""The sandbox as a rail: everything that a Lightning backend can do, with play money, and faults on request."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from commonwatt.adapters.payment.sandbox.faults import Faults
from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.kernel import Done, Outcome
from commonwatt.payments.ports import (
    Capabilities,
    InvoiceReport,
    InvoiceTerms,
    IssuedInvoice,
    PaymentReport,
    RailBalance,
)

RECEIVABLE_MSAT = 1_000_000_000_000
"""The sandbox has room for ten bitcoin, always."""


class SandboxRail:
    """One node of a sandbox network as a rail."""

    capabilities = Capabilities(hold=True, accepted_event=True, description_hash=True, msat=True)

    def __init__(
        self, network: SandboxNetwork, node: str, *, name: str = "sandbox", faults: Faults | None = None
    ) -> None:
        """Take a node that exists in the network."""
        self.name = name
        self.network = network
        self.node = node
        self.faults = faults or Faults()

    async def create_invoice(self, terms: InvoiceTerms) -> Outcome[IssuedInvoice]:
        """Issue an invoice."""
        return await self.faults.around("create_invoice", lambda: self.network.issue(self.node, terms))

    async def look_up_invoice(self, payment_hash: bytes) -> Outcome[InvoiceReport]:
        """Tell an invoice's state."""
        return await self.faults.around(
            "look_up_invoice", lambda: self.network.look_up_invoice(self.node, payment_hash)
        )

    async def settle_invoice(self, preimage: bytes) -> Outcome[None]:
        """Take locked money."""
        return await self.faults.around("settle_invoice", lambda: self.network.settle(self.node, preimage))

    async def cancel_invoice(self, payment_hash: bytes) -> Outcome[None]:
        """Give locked money back."""
        return await self.faults.around("cancel_invoice", lambda: self.network.cancel(self.node, payment_hash))

    async def pay(
        self, bolt11: str, *, amount_msat: int, fee_limit_msat: int, timeout_s: int
    ) -> Outcome[PaymentReport]:
        """Pay an invoice once."""
        return await self.faults.around(
            "pay",
            lambda: self.network.pay(
                self.node, bolt11, amount_msat=amount_msat, fee_limit_msat=fee_limit_msat, timeout_s=timeout_s
            ),
        )

    async def look_up_payment(self, payment_hash: bytes) -> Outcome[PaymentReport]:
        """Tell how a payment ended."""
        return await self.faults.around(
            "look_up_payment", lambda: self.network.look_up_payment(self.node, payment_hash)
        )

    async def watch(self) -> AsyncGenerator[InvoiceReport]:
        """Yield invoices as they change, but not what the faults drop."""
        async with aclosing(self.network.watch(self.node)) as reports:
            async for report in reports:
                if not self.faults.down and report.state not in self.faults.drop:
                    yield report

    async def balance(self) -> Outcome[RailBalance]:
        """Tell what can be paid out and received now."""
        return await self.faults.around("balance", self._balance)

    async def close(self) -> None:
        """Nothing to let go of; the network is closed by whoever opened it."""

    async def _balance(self) -> Outcome[RailBalance]:
        return Done(RailBalance(await self.network.balance_msat(self.node), RECEIVABLE_MSAT))
