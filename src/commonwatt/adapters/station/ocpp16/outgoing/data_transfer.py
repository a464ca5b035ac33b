"""DataTransfer (OCPP 1.6, 5.6)."""

from __future__ import annotations

from typing import Any


def request(vendor: str, message: str | None = None, data: str | None = None) -> tuple[str, dict[str, Any]]:
    """Send a vendor's own message."""
    given = {"vendorId": vendor, "messageId": message, "data": data}
    return "DataTransfer", {key: value for key, value in given.items() if value is not None}
