"""Payments for people who sign in: `/payments`, one of them, and the rails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from litestar import get, post
from litestar.params import Parameter, QueryParameter
from litestar.response import Redirect, Stream, Template
from sqlalchemy import Connection

from commonwatt.books import JournalFilter, journal
from commonwatt.kernel import Amount, Clock, Instant
from commonwatt.kit.database import Database
from commonwatt.kit.web import CSV_ROWS_MAX, AsFile, Paging, Site, csv_answer, page_of
from commonwatt.kit.web.days import day_begins
from commonwatt.members import Actor, require_proof, require_scope
from commonwatt.payments.actions.decide_payout import confirm_payout, give_payout_back
from commonwatt.payments.asking import rail_states
from commonwatt.payments.ports import Rail, Worth
from commonwatt.payments.queries import (
    INVOICES,
    NEWEST,
    PAYOUTS,
    PaymentFilter,
    PaymentSums,
    invoice_of,
    list_invoices,
    list_payouts,
    payout_of,
    sum_payments,
)
from commonwatt.payments.reports import Invoice, Payout, PayoutState, Stage

READ, DECIDE = [require_scope("payments:read")], [require_scope("payments:write"), require_proof]
Text = Annotated[str, Parameter(max_length=200)]
State = Annotated[str, QueryParameter(name="state", max_length=20)]
Order = Annotated[str, QueryParameter(name="sort", pattern=INVOICES.pattern)]


def _(text: str) -> str:
    """Mark a text for the catalogs; the template translates it."""
    return text


@get("/payments", guards=READ, include_in_schema=False)
async def show_payments(
    database: Database,
    clock: Clock,
    site: Site,
    rails: Mapping[str, Rail],
    worth: Worth,
    paging: Paging,
    tab: Annotated[str, Parameter(pattern="^(in|out)$")] = "in",
    q: Text = "",
    in_state: State = "",
    rail: Text = "",
    since: Text = "",
    until: Text = "",
    order: Order = "",
    as_file: AsFile = "",
) -> Template | Stream:
    """List what came in or went out, the newest first or as asked; `format=csv` gives all that match as a file."""
    begins, ends = day_begins(since, site), day_begins(until, site, days=1, field="until")
    filters = PaymentFilter(q or None, in_state or None, rail or None, None, begins, ends)
    if as_file:
        return await _export(database, filters, tab, order or NEWEST)
    sort = order or NEWEST
    after, limit = paging.key(*INVOICES.kinds(sort)), paging.limit + 1
    invoices = await database.read(list_invoices, filters, limit, after, sort=sort) if tab == "in" else []
    payouts = await database.read(list_payouts, filters, limit, after, sort=sort) if tab == "out" else []
    received = page_of(invoices, paging, lambda one: one, lambda one: INVOICES.key(one, sort))
    sent = page_of(payouts, paging, lambda one: one, lambda one: PAYOUTS.key(one, sort))
    now = clock.now()
    sums = await database.read(sum_payments, begins or Instant(0), ends or now.plus(seconds=1))
    context = {
        "tab": tab,
        "invoices": received.items,
        "payouts": sent.items,
        "next_cursor": received.next_cursor if tab == "in" else sent.next_cursor,
        "filtered": bool(q or in_state or rail or since or until),
        "sums": sums,
        "worths": await database.read(_worths, worth, [*received.items, *sent.items], sums, now),
        "rail_names": list(rails),
    }
    return Template("payments/payments.html", context=context)


def _worths(
    sql: Connection, worth: Worth, shown: Sequence[Invoice | Payout], sums: PaymentSums, now: Instant
) -> dict[str, Amount | None]:
    """Return what payments are in the currency that people say, by hash or id; and the sums by their names."""
    found = {
        "received": worth(sql, "", sums.received.units, now),
        "paid_out": worth(sql, "", sums.paid_out.units, now),
        "fees": worth(sql, "", sums.fees.units, now),
        "open": worth(sql, "", (sums.locked + sums.going_out).units, now),
    }
    for one in shown:
        name = one.payment_hash if isinstance(one, Invoice) else one.id
        msat = one.due_msat if isinstance(one, Invoice) else one.amount_msat
        found[name] = worth(sql, one.subject, msat, now)
    return found


@get("/payments/{payment_hash:str}", guards=READ, include_in_schema=False)
async def show_received(payment_hash: str, database: Database, clock: Clock, worth: Worth) -> Template:
    """Show one invoice: what it was for, what happened, and its journal lines."""
    invoice = await database.read(invoice_of, payment_hash)
    fiat = await database.read(worth, invoice.subject, invoice.due_msat, clock.now())
    return await _payment(database, invoice.subject, fiat, invoice=invoice)


@get("/payments/out/{payout_id:str}", guards=READ, include_in_schema=False)
async def show_sent(payout_id: str, database: Database, clock: Clock, worth: Worth, actor: Actor) -> Template:
    """Show one payment of ours; of one in doubt, let who may say how it ended."""
    payout = await database.read(payout_of, payout_id)
    fiat = await database.read(worth, payout.subject, payout.amount_msat, clock.now())
    may_decide = payout.state is PayoutState.DOUBTFUL and actor.may("payments:write")
    return await _payment(database, payout.subject, fiat, payout=payout, may_decide=may_decide)


@post("/payments/out/{payout_id:str}/confirm", guards=DECIDE, include_in_schema=False)
async def confirm_sent(payout_id: str, database: Database, actor: Actor) -> Redirect:
    """Take a person's word that a payment in doubt arrived."""
    await database.write(confirm_payout, payout_id, actor=actor)
    return Redirect(f"/payments/out/{payout_id}", status_code=303)


@post("/payments/out/{payout_id:str}/give-back", guards=DECIDE, include_in_schema=False)
async def give_sent_back(payout_id: str, database: Database, actor: Actor) -> Redirect:
    """Take a person's word that a payment in doubt did not arrive."""
    await database.write(give_payout_back, payout_id, actor=actor)
    return Redirect(f"/payments/out/{payout_id}", status_code=303)


@get("/rails", guards=READ, include_in_schema=False)
async def show_rails(rails: Mapping[str, Rail]) -> Template:
    """Show the Lightning backends: whether they answer, and what they can pay and receive."""
    return Template("payments/rails.html", context={"rails": await rail_states(rails.values())})


async def _payment(
    database: Database,
    subject: str,
    fiat: Amount | None,
    *,
    invoice: Invoice | None = None,
    payout: Payout | None = None,
    may_decide: bool = False,
) -> Template:
    page = await database.read(journal, JournalFilter(reference=subject), None, 100)
    context = {
        "invoice": invoice,
        "payout": payout,
        "may_decide": may_decide,
        "fiat": fiat,
        "postings": page.items,
        "events": _received(invoice) if invoice else _sent(payout) if payout else [],
    }
    return Template("payments/payment.html", context=context)


def _received(invoice: Invoice) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [{"what": _("Invoice made"), "when": invoice.made, "icon": "file-text"}]
    if invoice.ended is not None:
        settled = invoice.state is Stage.SETTLED
        what = _("Money received") if settled else _("Closed without money")
        tone, icon = ("ok", "check") if settled else ("off", "x")
        events.append({"what": what, "when": invoice.ended, "tone": tone, "icon": icon})
    return events


def _sent(payout: Payout) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [{"what": _("Amount reserved, payment asked for"), "when": payout.made}]
    if payout.ended is not None:
        done = payout.state is PayoutState.DONE
        what = _("Arrived") if done else _("Given up; the amount is owed again")
        tone, icon = ("ok", "check") if done else ("bad", "x")
        events.append({"what": what, "when": payout.ended, "why": payout.reason, "tone": tone, "icon": icon})
    return events


async def _export(database: Database, filters: PaymentFilter, tab: str, sort: str) -> Stream:
    if tab == "in":
        header = ("payment_hash", "made", "state", "rail", "subject", "amount_msat", "paid_msat", "ended")
        invoices = await database.read(list_invoices, filters, CSV_ROWS_MAX, sort=sort)
        return csv_answer("payments-received", header, _invoice_rows(invoices))
    sent = ("id", "payment_hash", "made", "state", "rail", "subject", "amount_msat", "fee_msat", "ended", "reason")
    payouts = await database.read(list_payouts, filters, CSV_ROWS_MAX, sort=sort)
    return csv_answer("payments-made", sent, _payout_rows(payouts))


def _invoice_rows(invoices: Iterable[Invoice]) -> Iterable[tuple[Any, ...]]:
    for one in invoices:
        money: tuple[Any, ...] = (one.amount_msat, one.paid_msat, one.ended)
        yield (one.payment_hash, one.made, one.state.value, one.rail, one.subject, *money)


def _payout_rows(payouts: Iterable[Payout]) -> Iterable[tuple[Any, ...]]:
    for one in payouts:
        money: tuple[Any, ...] = (one.amount_msat, one.fee_msat, one.ended, one.reason)
        yield (one.id, one.payment_hash, one.made, one.state.value, one.rail, one.subject, *money)


ROUTES = [show_payments, show_received, show_sent, confirm_sent, give_sent_back, show_rails]
