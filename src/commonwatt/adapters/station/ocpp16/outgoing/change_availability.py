"""ChangeAvailability (OCPP 1.6, 5.2)."""

from __future__ import annotations

from typing import Any


def request(connector: int, *, operative: bool) -> tuple[str, dict[str, Any]]:
    """Ask to put a connector, or with 0 the station, in or out of service."""
    return "ChangeAvailability", {"connectorId": connector, "type": "Operative" if operative else "Inoperative"}
