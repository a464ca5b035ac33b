"""ChangeConfiguration (OCPP 1.6, 5.3)."""

from __future__ import annotations

from typing import Any

from commonwatt.stations import Setting


def request(key: str, value: str) -> tuple[str, dict[str, Any]]:
    """Ask to change a configuration key."""
    return "ChangeConfiguration", {"key": key, "value": value}


def settings(asked: dict[str, Any], answer: dict[str, Any]) -> list[Setting]:
    """Return the setting that a station took over, when it did."""
    if answer.get("status") not in {"Accepted", "RebootRequired"}:
        return []
    return [Setting(asked["key"], asked["value"], readonly=False)]
