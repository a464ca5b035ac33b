"""GetConfiguration (OCPP 1.6, 5.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commonwatt import stations
from commonwatt.kit.database import Work
from commonwatt.stations import Setting


def request(keys: Sequence[str] = ()) -> tuple[str, dict[str, Any]]:
    """Ask for some configuration keys, or for all."""
    return "GetConfiguration", {"key": list(keys)} if keys else {}


def settings(answer: dict[str, Any]) -> list[Setting]:
    """Return the settings in a station's answer."""
    return [Setting(item["key"], item.get("value"), item["readonly"]) for item in answer.get("configurationKey", [])]


def remember(work: Work, identity: str, told: Sequence[Setting]) -> None:
    """Keep the settings with the station."""
    stations.remember_configuration(work, identity, told)
