"""Stations as JSON values, the same for the API and the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from commonwatt.kernel import Instant
from commonwatt.stations.queries import StationView


def shown_station(view: StationView) -> dict[str, Any]:
    """Return a station as programs see it."""
    return timed(asdict(view))


def timed(values: dict[str, Any]) -> dict[str, Any]:
    """Write instants as such: `seen_ms` becomes `seen`; spans (drift, ping) stay in ms."""
    shown: dict[str, Any] = {}
    for key, value in values.items():
        if key.endswith("_ms") and key not in {"drift_ms", "ping_ms"}:
            shown[key.removesuffix("_ms") if key != "connected_ms" else "connected_since"] = (
                None if value is None else Instant(value)
            )
        else:
            shown[key] = value
    return shown
