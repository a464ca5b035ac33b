"""TriggerMessage (OCPP 1.6, 5.17, remote trigger profile)."""

from __future__ import annotations

from typing import Any


def request(message: str, connector: int | None = None) -> tuple[str, dict[str, Any]]:
    """Ask a station to send a message now: BootNotification, Heartbeat, MeterValues, StatusNotification and others."""
    asked: dict[str, Any] = {"requestedMessage": message}
    return "TriggerMessage", asked if connector is None else asked | {"connectorId": connector}
