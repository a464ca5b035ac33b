"""Heartbeat (OCPP 1.6, 4.6): a station says that it is there and asks the time."""

from __future__ import annotations

from typing import Any

from commonwatt.adapters.station.dialect import Caller


def heartbeat(caller: Caller, _request: dict[str, Any]) -> dict[str, Any]:
    """Tell the time."""
    return {"currentTime": caller.clock.now().iso()}
