"""What every LNURL answer has in common: errors, and which message it is (LUD-01)."""

from __future__ import annotations

import json
from typing import Any

from commonwatt.protocols.lnurl.errors import LnurlError, ServiceError
from commonwatt.protocols.lnurl.pay import PayRequest
from commonwatt.protocols.lnurl.withdraw import WithdrawRequest

REASON_MAX = 300


def compose_ok() -> dict[str, str]:
    """Return the answer of a callback that went well."""
    return {"status": "OK"}


def compose_error(reason: str) -> dict[str, str]:
    """Return the answer that says no, with a reason that a wallet shows to its user."""
    return {"status": "ERROR", "reason": reason}


def read_answer(body: bytes | str) -> dict[str, Any]:
    """Read any answer as JSON. Raises ServiceError when it says no, LnurlError when it is none."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        msg = "the service does not answer as LNURL demands"
        raise LnurlError(msg)
    if str(message.get("status", "")).upper() == "ERROR":
        raise ServiceError(str(message.get("reason") or "the service gave no reason")[:REASON_MAX])
    return message


def parse_service(body: bytes | str) -> PayRequest | WithdrawRequest:
    """Read what a service offers at its first address. Raises ServiceError and LnurlError."""
    message = read_answer(body)
    match message.get("tag"):
        case "payRequest":
            return PayRequest.parse(message)
        case "withdrawRequest":
            return WithdrawRequest.parse(message)
        case tag:
            msg = f"the service offers {str(tag)[:40]!r}, which is neither to pay nor to withdraw"
            raise LnurlError(msg)
