"""`/api/v1/payments` and `/api/v1/rails` for programs. Nothing is written here: money moves by sessions and change."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Request, get
from litestar.params import Parameter, QueryParameter

from commonwatt.kernel import BTC, Amount, Clock, Done, Failed, Unknown
from commonwatt.kit.database import Database
from commonwatt.kit.web import Answer, Paging, page_of, tagged
from commonwatt.kit.web.days import instant_of
from commonwatt.kit.web.parameters import From, To
from commonwatt.members import allow
from commonwatt.payments.ports import Rail
from commonwatt.payments.queries import (
    PaymentFilter,
    invoice_of,
    list_payments,
    payout_of,
    place_of,
    preimage_when_settled,
    sum_payments,
)
from commonwatt.payments.reports import Invoice, Payout

TEXT_MAX = 200
HASH_LENGTH = 64
BALANCE_S = 5
"""Seconds that a rail has to tell its balance."""
STATES = "drafted|open|accepted|settled|cancelled|pending|done|failed"
DAY_S = 24 * 3600

Words = Annotated[str | None, Parameter(max_length=TEXT_MAX)]


@get("/api/v1/payments", guards=[allow(scope="payments:read")], tags=["payments"], summary="List payments in and out")
async def get_payments(
    request: Request[Any, Any, Any],
    database: Database,
    paging: Paging,
    direction: Annotated[str | None, Parameter(pattern="^(in|out)$", description="in or out; both unless told")] = None,
    wanted: Annotated[str | None, QueryParameter(name="state", pattern=f"^({STATES})$")] = None,
    rail: Words = None,
    subject: Annotated[str | None, Parameter(max_length=TEXT_MAX, description="such as session/<id>")] = None,
    search: Annotated[str | None, Parameter(max_length=TEXT_MAX, description="in the subject, or begins an id")] = None,
    since: From = None,
    until: To = None,
) -> Answer:
    """Return invoices and payouts, the newest first."""
    filters = PaymentFilter(
        text=search or None,
        state=wanted,
        rail=rail,
        subject=subject,
        since=instant_of(since, "from"),
        until=instant_of(until, "to"),
    )
    after = paging.key(int, str)
    rows = await database.read(list_payments, filters, paging.limit + 1, after, direction)
    return tagged(request, page_of(rows, paging, shown, place_of))


@get("/api/v1/payments/sums", guards=[allow(scope="payments:read")], tags=["payments"], summary="Add payments up")
async def get_sums(
    request: Request[Any, Any, Any], database: Database, clock: Clock, since: From = None, until: To = None
) -> Answer:
    """Return what was received and paid out in a span of time, the last 24 hours unless told, and what is under way."""
    last = instant_of(until, "to") or clock.now().plus(ms=1)
    first = instant_of(since, "from") or last.plus(seconds=-DAY_S)
    sums = await database.read(sum_payments, first, last)
    return tagged(request, sums)


@get("/api/v1/payments/{name:str}", guards=[allow(scope="payments:read")], tags=["payments"], summary="Read a payment")
async def get_payment(request: Request[Any, Any, Any], database: Database, name: str) -> Answer:
    """Return an invoice by its payment hash, or a payout by its id; with the preimage once it proves a payment."""
    if len(name) != HASH_LENGTH:
        return tagged(request, shown(await database.read(payout_of, name)))
    invoice = await database.read(invoice_of, name)
    preimage = await database.read(preimage_when_settled, invoice.payment_hash)
    return tagged(request, {**shown(invoice), "preimage": preimage})


@get("/api/v1/rails", guards=[allow(scope="payments:read")], tags=["payments"], summary="List payment backends")
async def get_rails(rails: Mapping[str, Rail]) -> Answer:
    """Return each backend with what it can do, what it could pay out and still receive, and whether it answers."""
    return Answer({"items": await asyncio.gather(*(rail_state(rail) for rail in rails.values()))})


async def rail_state(rail: Rail) -> dict[str, Any]:
    """Ask a rail how it is; one that does not answer in time is out of reach."""
    try:
        balance = await asyncio.wait_for(rail.balance(), BALANCE_S)
    except TimeoutError:
        balance = Unknown("no answer in time")
    state: dict[str, Any] = {
        "name": rail.name,
        "capabilities": rail.capabilities,
        "reachable": isinstance(balance, Done),
        "problem": None,
        "spendable": None,
        "receivable": None,
    }
    match balance:
        case Done(known):
            state["spendable"] = Amount(BTC, known.spendable_msat)
            state["receivable"] = Amount(BTC, known.receivable_msat)
        case Failed(reason, _) | Unknown(reason):
            state["problem"] = reason
    return state


def shown(payment: Invoice | Payout) -> dict[str, Any]:
    """Return a payment as the API shows it; never with a secret."""
    both: dict[str, Any] = {
        "id": payment.payment_hash if isinstance(payment, Invoice) else payment.id,
        "payment_hash": payment.payment_hash,
        "bolt11": payment.bolt11,
        "subject": payment.subject,
        "account": payment.account,
        "rail": payment.rail,
        "amount": Amount(BTC, payment.amount_msat),
        "state": payment.state,
        "made": payment.made,
        "expires": payment.expires,
        "ended": payment.ended,
    }
    if isinstance(payment, Invoice):
        return {
            "direction": "in",
            **both,
            "paid": Amount(BTC, payment.paid_msat),
            "hold": payment.hold,
            "wish": payment.wish,
            "description": payment.description,
            "comment": payment.comment,
        }
    return {"direction": "out", **both, "fee": Amount(BTC, payment.fee_msat), "reason": payment.reason}


ROUTES: list[Any] = [get_payments, get_sums, get_payment, get_rails]
