"""Print how long the LND rail takes for each operation on the practice network: `python -m tests.peers.measure`."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import sys
import time
from contextlib import aclosing

from commonwatt.adapters.payment.lnd import LndRail
from commonwatt.adapters.payment.lnd.regtest import LightningNetwork
from commonwatt.kernel import Done
from commonwatt.payments.ports import InvoiceState, InvoiceTerms

ROUNDS = 20


class Watch:
    """Collects durations by name."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = {}

    async def of(self, what, awaitable):
        begun = time.perf_counter()
        result = await awaitable
        self.note(what, begun)
        return result

    def note(self, what: str, begun: float) -> None:
        self.ms.setdefault(what, []).append(1000 * (time.perf_counter() - begun))


def terms(*, hold: bool) -> InvoiceTerms:
    return InvoiceTerms(secrets.token_bytes(32), 1_500_123, "measured", None, 600, hold)


async def measure(network: LightningNetwork, watch: Watch) -> None:
    shop, driver = LndRail(network.shop.config()), LndRail(network.driver.config())
    reports = shop.watch()

    async def state(wanted: InvoiceTerms, state: InvoiceState) -> None:
        async for report in reports:
            if (report.payment_hash, report.state) == (wanted.payment_hash, state):
                return

    def pay(bolt11: str):
        return driver.pay(bolt11, amount_msat=1_500_123, fee_limit_msat=10_000, timeout_s=20)

    async with aclosing(reports):
        for settle in [True, False] * ROUNDS:
            wanted = terms(hold=True)
            issued = await watch.of("create hold invoice", shop.create_invoice(wanted))
            begun = time.perf_counter()
            paying = asyncio.create_task(pay(issued.value.bolt11))
            await state(wanted, InvoiceState.ACCEPTED)
            watch.note("hold: pay to accepted, told by watch", begun)
            await watch.of("look up invoice", shop.look_up_invoice(wanted.payment_hash))
            begun = time.perf_counter()
            if settle:
                await watch.of("settle", shop.settle_invoice(wanted.preimage))
                assert isinstance(await paying, Done)
                watch.note("hold: settle to payer done", begun)
            else:
                await watch.of("cancel", shop.cancel_invoice(wanted.payment_hash))
                await paying
                watch.note("hold: cancel to payer failed", begun)
        for _ in range(ROUNDS):
            wanted = terms(hold=False)
            issued = await watch.of("create plain invoice", shop.create_invoice(wanted))
            paid = await watch.of("plain: pay to proof", pay(issued.value.bolt11))
            assert isinstance(paid, Done)
            await watch.of("look up payment", driver.look_up_payment(wanted.payment_hash))
            await watch.of("balance", shop.balance())
        many = [terms(hold=False) for _ in range(50)]
        issued = [await shop.create_invoice(wanted) for wanted in many]
        begun = time.perf_counter()
        outcomes = await asyncio.gather(*(pay(one.value.bolt11) for one in issued))
        assert all(isinstance(outcome, Done) for outcome in outcomes)
        watch.note("50 plain payments at once, each", begun)
        watch.ms["50 plain payments at once, each"][-1] /= 50
    await shop.close()
    await driver.close()


def main() -> None:
    watch = Watch()
    begun = time.perf_counter()
    with LightningNetwork() as network:
        watch.note("network from nothing to a usable channel", begun)
        asyncio.run(measure(network, watch))
        begun = time.perf_counter()
        network.kill(network.shop)
        network.restart(network.shop)
        watch.note("kill -9 of a node to a usable channel", begun)
    for what, ms in watch.ms.items():
        low, high = min(ms), max(ms)
        sys.stdout.write(f"{what:<44} {statistics.median(ms):>9.1f} ms  ({low:.1f}-{high:.1f}, n={len(ms)})\n")


if __name__ == "__main__":
    main()
