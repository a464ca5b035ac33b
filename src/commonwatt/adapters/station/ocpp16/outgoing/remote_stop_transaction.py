"""RemoteStopTransaction (OCPP 1.6, 5.12)."""

from __future__ import annotations

from typing import Any


def request(transaction_id: int) -> tuple[str, dict[str, Any]]:
    """Ask to end a transaction."""
    return "RemoteStopTransaction", {"transactionId": transaction_id}
