"""lnd's JSON read into our words; whatever has another shape than documented raises `Odd`, never anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commonwatt.kernel import Done, Failed, Outcome, Unknown
from commonwatt.payments.ports import REFUSED_BY_PAYEE, InvoiceReport, InvoiceState, PaymentReport, RailBalance

_STATES = {
    "OPEN": InvoiceState.OPEN,
    "ACCEPTED": InvoiceState.ACCEPTED,
    "SETTLED": InvoiceState.SETTLED,
    "CANCELED": InvoiceState.CANCELLED,
}
_FAILURES = {
    "FAILURE_REASON_TIMEOUT": ("timeout", "No way to the payee was found in time."),
    "FAILURE_REASON_NO_ROUTE": ("no-route", "There is no way to the payee within the fee limit."),
    "FAILURE_REASON_ERROR": ("failed", "The node could not send the payment."),
    "FAILURE_REASON_INCORRECT_PAYMENT_DETAILS": (REFUSED_BY_PAYEE, "The payee's node refused the payment."),
    "FAILURE_REASON_INSUFFICIENT_BALANCE": ("no-balance", "The node has too little to send on its channels."),
    "FAILURE_REASON_CANCELED": ("cancelled", "The payment was cancelled at the node."),
}
_BYTES_OF_HASH = 32


class Odd(ValueError):
    """An answer whose shape is not lnd's."""


def whole(value: object) -> int:
    """Read a whole number that is not negative; lnd writes 64-bit ones as strings and may leave out zero."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Odd("a number is missing")
    text = str(value)
    if len(text) > 20 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 (digits of 2^64)
        raise Odd("a number is out of range")
    return int(text)


def read_invoice(body: Mapping[str, Any], payment_hash: bytes) -> InvoiceReport:
    """Read an lnrpc.Invoice: what is locked while accepted, what was received once settled, in msat."""
    state = _STATES.get(str(body.get("state")))
    match state:
        case None:
            raise Odd("an invoice in a state that nobody knows")
        case InvoiceState.SETTLED:
            paid = whole(body.get("amt_paid_msat"))
        case InvoiceState.ACCEPTED:
            paid = sum(whole(part.get("amt_msat")) for part in _parts(body) if part.get("state") == "ACCEPTED")
        case _:
            paid = 0
    return InvoiceReport(payment_hash, state, paid)


def _parts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parts = body.get("htlcs", [])
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Odd("the parts of a payment are no list")
    return parts


def read_payment(body: Mapping[str, Any], payment_hash: bytes) -> Outcome[PaymentReport]:
    """Read an lnrpc.Payment; in flight is Unknown, and so is every status that we do not know."""
    match body.get("status"):
        case "SUCCEEDED":
            preimage = _bytes_32(body.get("payment_preimage"))
            return Done(
                PaymentReport(payment_hash, preimage, whole(body.get("value_msat")), whole(body.get("fee_msat")))
            )
        case "FAILED":
            code, reason = _FAILURES.get(str(body.get("failure_reason")), ("failed", "The payment failed at the node."))
            return Failed(reason, code)
        case _:
            return Unknown("the payment is on its way")


def read_request(body: Mapping[str, Any]) -> tuple[bytes, int]:
    """Read an lnrpc.PayReq: payment hash, and amount in msat, 0 when the invoice names none."""
    return _bytes_32(body.get("payment_hash")), whole(body.get("num_msat"))


def _bytes_32(value: object) -> bytes:
    try:
        read = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        read = b""
    if len(read) != _BYTES_OF_HASH:
        raise Odd("a hash or preimage is not 32 bytes long")
    return read


def read_channels(body: Mapping[str, Any]) -> RailBalance:
    """Sum what active channels could send and receive, in msat, without the reserves that each side must keep."""
    channels = body.get("channels")
    if not isinstance(channels, list) or not all(isinstance(channel, dict) for channel in channels):
        raise Odd("the channels are no list")
    spendable = receivable = 0
    for channel in channels:
        ours, theirs = channel.get("local_constraints") or {}, channel.get("remote_constraints") or {}
        if not isinstance(ours, dict) or not isinstance(theirs, dict):
            raise Odd("the limits of a channel are no object")
        spendable += max(0, whole(channel.get("local_balance")) - whole(ours.get("chan_reserve_sat")))
        receivable += max(0, whole(channel.get("remote_balance")) - whole(theirs.get("chan_reserve_sat")))
    return RailBalance(1000 * spendable, 1000 * receivable)
