"""Payments: invoices, holds and payouts over any rail.

The front door. Charging asks with `request_invoice`, decides with `capture_invoice` and `cancel_invoice`, gives change
with `pay_out`, and hears of the world through `events`. Reading order: `ports` (what a rail promises), `reports` (our
own rows), `actions/`, `jobs` (what is asked of the rails), `reconcile` (belief against the world), `queries`.
"""

from commonwatt.payments.actions.capture_invoice import cancel_invoice, capture_invoice
from commonwatt.payments.actions.note_invoice import note_invoice
from commonwatt.payments.actions.pay_out import pay_out
from commonwatt.payments.actions.request_invoice import request_invoice
from commonwatt.payments.jobs import Performer
from commonwatt.payments.lnurl_client import LnurlClient, fetch_invoice_from_address
from commonwatt.payments.queries import (
    PaymentFilter,
    PaymentSums,
    any_doubtful,
    invoice_of,
    invoices_of,
    list_invoices,
    list_payments,
    list_payouts,
    open_invoices,
    payout_of,
    payout_of_key,
    payouts_of,
    preimage_when_settled,
    rail_of,
    sum_payments,
)
from commonwatt.payments.reconcile import Reconciler, look_up_in_time, watch_rail
from commonwatt.payments.reports import Decision, Invoice, Payout, PayoutState, Stage

__all__ = [
    "Decision",
    "Invoice",
    "LnurlClient",
    "PaymentFilter",
    "PaymentSums",
    "Payout",
    "PayoutState",
    "Performer",
    "Reconciler",
    "Stage",
    "any_doubtful",
    "cancel_invoice",
    "capture_invoice",
    "fetch_invoice_from_address",
    "invoice_of",
    "invoices_of",
    "list_invoices",
    "list_payments",
    "list_payouts",
    "look_up_in_time",
    "note_invoice",
    "open_invoices",
    "pay_out",
    "payout_of",
    "payout_of_key",
    "payouts_of",
    "preimage_when_settled",
    "rail_of",
    "request_invoice",
    "sum_payments",
    "watch_rail",
]
