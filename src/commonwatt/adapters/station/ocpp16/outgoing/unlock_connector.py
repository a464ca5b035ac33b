"""UnlockConnector (OCPP 1.6, 5.18)."""

from __future__ import annotations

from typing import Any


def request(connector: int) -> tuple[str, dict[str, Any]]:
    """Ask to release the plug of a connector."""
    return "UnlockConnector", {"connectorId": connector}
