"""The sandbox against itself: two nodes of one network on disk, on a clock that is stepped."""

from __future__ import annotations

from contextlib import asynccontextmanager

from tests.contract.harness import Harness

from commonwatt.adapters.payment.sandbox import SandboxNetwork, SandboxRail
from commonwatt.kernel import RandomIds
from commonwatt.kit.clock import SteppedClock
from commonwatt.payments.ports import InvoiceTerms


def missing():
    """The sandbox is always there."""
    return


@asynccontextmanager
async def harness(request, tmp_path):
    """Open a network in a file; a crash opens the same file again."""
    clock, ids = SteppedClock(), RandomIds()
    networks = []

    async def open_network():
        network = SandboxNetwork(tmp_path / "sandbox.db", clock, ids)
        for node in ("us", "them"):
            await network.add_node(node, 10_000_000_000)
        networks.append(network)
        return network

    network = await open_network()

    async def pass_time(seconds):
        clock.step(seconds=seconds)

    async def reopen():
        bench.theirs.network = fresh = await open_network()
        return SandboxRail(fresh, "us")

    async def interrupt():
        """There is no connection that could break."""

    async def open_amount_invoice():
        terms = InvoiceTerms(ids.secret(32), 1, "any", None, 600, hold=False)
        return (await bench.theirs.network.issue("them", terms, any_amount=True)).value.bolt11

    bench = Harness(
        SandboxRail(network, "us"), SandboxRail(network, "them"), pass_time, reopen, interrupt, open_amount_invoice
    )
    try:
        yield bench
        assert await networks[-1].conserved()
    finally:
        for each in networks:
            each.close()
