"""What the owner's page of one session shows: its story, its bill, its money, its meter, its facts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from commonwatt.books import JournalFilter, journal
from commonwatt.charging import queries, store
from commonwatt.charging.charge import Charge, Kind
from commonwatt.charging.driver_view import bill_told, both, chart_of, cost_of, duration_s, place_of
from commonwatt.charging.model.session import Status
from commonwatt.charging.pricing import rate_of, tariff_of
from commonwatt.kernel import Amount, Asset, Instant
from commonwatt.metering import Reading, readings_of
from commonwatt.payments import Invoice, Payout, PayoutState, Stage, invoices_of, payouts_of
from commonwatt.tariffs import Rate, Tariff

Event = dict[str, Any]


def owner_context(sql: Connection, charge: Charge, now: Instant, zone: str) -> dict[str, Any]:
    """Return everything that the page shows."""
    tariff, rate, session = tariff_of(sql, charge), rate_of(sql, charge), charge.session
    invoices, payouts = invoices_of(sql, charge.subject), payouts_of(sql, charge.subject)
    row = store.transaction_by_id(sql, session.transaction_id) if session.transaction_id else None
    readings = readings_of(sql, session.transaction_id) if session.transaction_id else []
    return {
        "charge": charge,
        "connector": place_of(sql, charge),
        "tariff": tariff,
        "bill": bill_told(sql, charge),
        "chart": _framed(chart_of(readings, now, zone, live=not session.over), readings),
        "readings": len(readings),
        "cost": cost_of(tariff, rate, charge),
        "paid": both(tariff, rate, session.paid_msat),
        "locked": both(tariff, rate, session.held_msat),
        "returned": both(tariff, rate, charge.returned_msat),
        "owed": both(tariff, rate, charge.owed_msat),
        "uncollected": both(tariff, rate, session.uncollected_msat) if session.uncollected_msat else None,
        "late_wh": late_wh(charge, row),
        "left": both(tariff, rate, max(0, session.credit_msat - session.cost_msat)),
        "duration_s": duration_s(charge, now),
        "rate": rate,
        "events": [_priced(event, tariff, rate) for event in story_of(sql, charge, invoices, payouts)],
        "invoices": invoices,
        "payouts": payouts,
        "money_of": {
            **{one.payment_hash: both(tariff, rate, one.due_msat) for one in invoices},
            **{one.id: both(tariff, rate, -one.amount_msat) for one in payouts},
        },
        "postings": journal(sql, JournalFilter(account=charge.account), limit=50).items,
        "transaction": row,
    }


def late_wh(charge: Charge, transaction: Row[Any] | None) -> int:
    """Return the energy, in Wh, that a report told only after the bill was posted; a bill is never raised."""
    if transaction is None or transaction.stop_received_ms is None or charge.ended is None or charge.flags:
        return 0
    if transaction.stop_received_ms <= charge.ended.ms:
        return 0
    delivered_wh: int = transaction.meter_stop_wh - transaction.meter_start_wh
    return max(0, delivered_wh - charge.session.energy_wh)


def _priced(event: Event, tariff: Tariff, rate: Rate | None) -> Event:
    """Tell an event's money in the tariff's currency too, at the rate that the session has locked."""
    return {"money": both(tariff, rate, event["msat"]), **event} if event.get("msat") else event


def _framed(chart: dict[str, Any] | None, readings: list[Reading]) -> dict[str, Any] | None:
    """Let the chart of a session begin and end with its readings."""
    return None if chart is None else {**chart, "from": readings[0].at_ms, "to": readings[-1].at_ms}


def story_of(sql: Connection, charge: Charge, invoices: list[Invoice], payouts: list[Payout]) -> list[Event]:
    """Return what happened, in order, as kinds that the template words: `{"kind", "when", ...}`."""
    session = charge.session
    events: list[Event] = [{"kind": "tagged" if charge.kind is Kind.LOCAL else "offered", "when": charge.made}]
    events += _money_events(sql, charge, {invoice.payment_hash: invoice for invoice in invoices})
    events += _meter_events(sql, session.transaction_id)
    if session.status is Status.STOPPING:
        events.append({"kind": "stopping", "when": Instant(charge.progress.heard_ms), "why": session.reason})
    if charge.ended is not None:
        kind = "cancelled" if session.status is Status.CANCELLED else "billed"
        events.append({"kind": kind, "when": charge.ended, "why": session.reason, "msat": session.billed_msat})
        if charge.kind is Kind.LOCAL and kind == "billed":
            events[-1]["money"] = {"amount": Amount(Asset.of(charge.asset), charge.gross_units), "sats": None}
    for claim in queries.list_claims(sql, charge.id):
        events.append({"kind": "claimed", "when": Instant(claim.made_ms), "msat": claim.amount_msat})
    for payout in payouts:
        if payout.ended is not None:
            kind = "returned" if payout.state is PayoutState.DONE else "undelivered"
            why = payout.reason or ""
            events.append({"kind": kind, "when": payout.ended, "msat": payout.amount_msat, "why": why})
    rank = {kind: place for place, kind in enumerate(ORDER)}
    return sorted(events, key=lambda event: (event["when"].ms, rank.get(event["kind"], len(ORDER))))


ORDER = (
    "offered",
    "tagged",
    "locked",
    "paid",
    "began",
    "energy",
    "taken",
    "stopping",
    "stopped",
    "billed",
    "cancelled",
)
"""What comes first of what happened in one millisecond."""


def _money_events(sql: Connection, charge: Charge, invoices: dict[str, Invoice]) -> list[Event]:
    """Return when money was locked, became ours, or went back."""
    deposits = store.deposits
    rows = sql.execute(select(deposits).where(deposits.c.session_id == charge.id))
    events: list[Event] = []
    for row in rows:
        invoice = invoices.get(row.payment_hash)
        msat = row.amount_msat
        if invoice is None or not invoice.hold:
            events.append({"kind": "paid", "when": Instant(row.made_ms), "msat": msat})
            continue
        events.append({"kind": "locked", "when": Instant(row.made_ms), "msat": msat})
        if invoice.ended is not None:
            kind = "taken" if invoice.state is Stage.SETTLED else "given-back"
            events.append({"kind": kind, "when": invoice.ended, "msat": msat})
    return events


def _meter_events(sql: Connection, transaction_id: int | None) -> list[Event]:
    """Return when the station began, when energy flowed first, and when it ended."""
    row = store.transaction_by_id(sql, transaction_id) if transaction_id else None
    if row is None:
        return []
    events: list[Event] = [{"kind": "began", "when": Instant(row.received_ms), "number": row.id}]
    first = next((one for one in readings_of(sql, row.id) if (one.energy_wh or 0) > 0), None)
    if first is not None:
        events.append({"kind": "energy", "when": Instant(first.at_ms)})
    if row.stopped_ms is not None:
        told = Instant(row.stop_received_ms or row.stopped_ms)
        events.append({"kind": "stopped", "when": told, "why": row.stop_reason or ""})
    return events
