"""FirmwareStatusNotification (OCPP 1.6, 4.5): how an update of firmware goes."""

from __future__ import annotations

from typing import Any

from commonwatt.adapters.station.dialect import Caller


def firmware_status_notification(_caller: Caller, _request: dict[str, Any]) -> dict[str, Any]:
    """Take note; the frame is the record."""
    return {}
