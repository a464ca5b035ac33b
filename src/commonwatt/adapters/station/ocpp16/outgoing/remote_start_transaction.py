"""RemoteStartTransaction (OCPP 1.6, 5.11)."""

from __future__ import annotations

from typing import Any


def request(connector: int, id_tag: str) -> tuple[str, dict[str, Any]]:
    """Ask to start at a connector with an id tag of at most 20 characters."""
    return "RemoteStartTransaction", {"connectorId": connector, "idTag": id_tag}
