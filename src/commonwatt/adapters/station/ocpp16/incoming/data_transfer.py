"""DataTransfer (OCPP 1.6, 4.3): a vendor's own message, which we keep and do not understand."""

from __future__ import annotations

from typing import Any

from commonwatt.adapters.station.dialect import Caller


def data_transfer(_caller: Caller, _request: dict[str, Any]) -> dict[str, Any]:
    """Say that the vendor's messages are unknown here."""
    return {"status": "UnknownVendorId"}
