"""Steps that the tests on the real network share: issue, pay, wait for a state."""

from __future__ import annotations

import asyncio
import secrets

from commonwatt.adapters.payment.lnd import LndRail
from commonwatt.kernel import Done, Unknown
from commonwatt.payments.ports import InvoiceState, InvoiceTerms

ODD_MSAT = 1_500_123
FEE_MSAT = 10_000


def terms(*, hold: bool = False, amount_msat: int = ODD_MSAT, description_hash: bytes | None = None, expiry_s=600):
    return InvoiceTerms(
        secrets.token_bytes(32), amount_msat, "Charging at CP-1 · Zürich", description_hash, expiry_s, hold
    )


async def issue(rail: LndRail, wanted: InvoiceTerms) -> str:
    issued = await rail.create_invoice(wanted)
    assert isinstance(issued, Done), issued
    assert issued.value.payment_hash == wanted.payment_hash
    return issued.value.bolt11


def pay(rail: LndRail, bolt11: str, amount_msat: int = ODD_MSAT, timeout_s: int = 20) -> asyncio.Task:
    return asyncio.create_task(rail.pay(bolt11, amount_msat=amount_msat, fee_limit_msat=FEE_MSAT, timeout_s=timeout_s))


async def until(rail: LndRail, payment_hash: bytes, state: InvoiceState):
    async with asyncio.timeout(30):
        while True:
            report = await rail.look_up_invoice(payment_hash)
            if isinstance(report, Done) and report.value.state is state:
                return report.value
            await asyncio.sleep(0.02)


async def told(reports, payment_hash: bytes, state: InvoiceState):
    async with asyncio.timeout(30):
        async for report in reports:
            if report.payment_hash == payment_hash and report.state is state:
                return report
    raise AssertionError("the watch ended")


async def ended(rail: LndRail, payment_hash: bytes):
    """Look a payment up until it is no longer in flight."""
    async with asyncio.timeout(30):
        while True:
            found = await rail.look_up_payment(payment_hash)
            if not isinstance(found, Unknown):
                return found
            await asyncio.sleep(0.05)
