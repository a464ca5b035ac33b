"""`/api/v1/payments` and `/api/v1/rails` for programs. Nothing is written here: money moves by sessions and change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from litestar import Request, get
from litestar.params import Parameter, QueryParameter

from commonwatt.kernel import BTC, Amount, Clock, Instant
from commonwatt.kit.database import Database
from commonwatt.kit.web import Answer, Page, Paging, Tagged, page_of, tagged
from commonwatt.kit.web.days import span_of
from commonwatt.kit.web.parameters import From, To
from commonwatt.members import allow
from commonwatt.payments.asking import RailState, rail_states
from commonwatt.payments.ports import Capabilities, Rail
from commonwatt.payments.queries import (
    PaymentFilter,
    PaymentSums,
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
STATES = "drafted|open|accepted|settled|cancelled|pending|resent|doubtful|done|failed"
DAY_S = 24 * 3600

RailName = Annotated[str | None, Parameter(max_length=TEXT_MAX, description="only over this backend")]
PaymentState = Annotated[
    str | None, QueryParameter(name="state", pattern=f"^({STATES})$", description="only in this state")
]
PaymentName = Annotated[str, Parameter(description="an invoice's payment hash, or a payout's id")]


class OneWayShown(TypedDict, total=False):
    """What only an invoice has (paid to preimage), or only a payout (fee and reason)."""

    paid: Amount
    hold: bool
    wish: str | None
    description: str
    comment: str | None
    preimage: str | None
    fee: Amount
    reason: str | None


class PaymentShown(OneWayShown):
    """An invoice (in) or a payout (out), never with a secret."""

    direction: str
    id: str
    payment_hash: str
    bolt11: str
    subject: str
    account: str
    rail: str
    amount: Amount
    state: str
    made: Instant
    expires: Instant
    ended: Instant | None


class RailShown(TypedDict):
    """A payment backend: what it can do, whether it answers, and if so what it could pay out and still receive."""

    name: str
    capabilities: Capabilities
    reachable: bool
    problem: str | None
    spendable: Amount | None
    receivable: Amount | None


class RailsShown(TypedDict):
    """All payment backends."""

    items: list[RailShown]


@get("/api/v1/payments", guards=[allow(scope="payments:read")], tags=["payments"], summary="List payments in and out")
async def get_payments(
    request: Request[Any, Any, Any],
    database: Database,
    paging: Paging,
    direction: Annotated[str | None, Parameter(pattern="^(in|out)$", description="in or out; both unless told")] = None,
    wanted: PaymentState = None,
    rail: RailName = None,
    subject: Annotated[str | None, Parameter(max_length=TEXT_MAX, description="such as session/<id>")] = None,
    search: Annotated[str | None, Parameter(max_length=TEXT_MAX, description="in the subject, or begins an id")] = None,
    since: From = None,
    until: To = None,
) -> Tagged[Page[PaymentShown]]:
    """Return invoices and payouts, the newest first."""
    begins, ends = span_of(since, until)
    filters = PaymentFilter(
        text=search or None,
        state=wanted,
        rail=rail,
        subject=subject,
        since=begins,
        until=ends,
    )
    after = paging.key(int, str)
    rows = await database.read(list_payments, filters, paging.limit + 1, after, direction)
    return tagged(request, page_of(rows, paging, shown, place_of))


@get("/api/v1/payments/sums", guards=[allow(scope="payments:read")], tags=["payments"], summary="Add payments up")
async def get_sums(
    request: Request[Any, Any, Any], database: Database, clock: Clock, since: From = None, until: To = None
) -> Tagged[PaymentSums]:
    """Return what was received and paid out in a span of time, the last 24 hours unless told, and what is under way."""
    begins, ends = span_of(since, until)
    last = ends or clock.now().plus(ms=1)
    sums = await database.read(sum_payments, begins or last.plus(seconds=-DAY_S), last)
    return tagged(request, sums)


@get("/api/v1/payments/{name:str}", guards=[allow(scope="payments:read")], tags=["payments"], summary="Show a payment")
async def get_payment(request: Request[Any, Any, Any], database: Database, name: PaymentName) -> Tagged[PaymentShown]:
    """Return an invoice by its payment hash, or a payout by its id; with the preimage once it proves a payment."""
    if len(name) != HASH_LENGTH:
        return tagged(request, shown(await database.read(payout_of, name)))
    invoice = await database.read(invoice_of, name)
    preimage = await database.read(preimage_when_settled, invoice.payment_hash)
    return tagged(request, {**shown(invoice), "preimage": preimage})


@get("/api/v1/rails", guards=[allow(scope="payments:read")], tags=["payments"], summary="List payment backends")
async def get_rails(rails: Mapping[str, Rail]) -> Answer[RailsShown]:
    """Return each backend with what it can do, what it could pay out and still receive, and whether it answers."""
    return Answer(RailsShown(items=[rail_shown(state) for state in await rail_states(rails.values())]))


def rail_shown(state: RailState) -> RailShown:
    """Return a rail as the API shows it."""
    balance = state.balance
    return {
        "name": state.name,
        "capabilities": state.capabilities,
        "reachable": balance is not None,
        "problem": state.problem,
        "spendable": Amount(BTC, balance.spendable_msat) if balance else None,
        "receivable": Amount(BTC, balance.receivable_msat) if balance else None,
    }


def shown(payment: Invoice | Payout) -> PaymentShown:
    """Return a payment as the API shows it; never with a secret."""
    both: PaymentShown = {
        "direction": "in" if isinstance(payment, Invoice) else "out",
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
            **both,
            "paid": Amount(BTC, payment.paid_msat),
            "hold": payment.hold,
            "wish": payment.decision,
            "description": payment.description,
            "comment": payment.comment,
        }
    return {**both, "fee": Amount(BTC, payment.fee_msat), "reason": payment.reason}


ROUTES: list[Any] = [get_payments, get_sums, get_payment, get_rails]
