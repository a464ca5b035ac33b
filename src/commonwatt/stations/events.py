"""What happened to stations, for other features to react to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from commonwatt.kit.database import Event


@dataclass(frozen=True, slots=True)
class StationConnected(Event):
    """A station that is admitted opened its connection."""

    kind: ClassVar[str] = "stations.StationConnected"
    station: str


@dataclass(frozen=True, slots=True)
class StationDisconnected(Event):
    """A station's connection ended."""

    kind: ClassVar[str] = "stations.StationDisconnected"
    station: str


@dataclass(frozen=True, slots=True)
class StationBooted(Event):
    """A station introduced itself after a start (OCPP 1.6, 4.2)."""

    kind: ClassVar[str] = "stations.StationBooted"
    station: str
    vendor: str
    model: str
    firmware: str


@dataclass(frozen=True, slots=True)
class StationAdmitted(Event):
    """An operator let a station in."""

    kind: ClassVar[str] = "stations.StationAdmitted"
    station: str


@dataclass(frozen=True, slots=True)
class StationRemoved(Event):
    """An operator made a station unknown; nothing will be heard of it any more."""

    kind: ClassVar[str] = "stations.StationRemoved"
    station: str


@dataclass(frozen=True, slots=True)
class ConnectorChanged(Event):
    """A connector reports another status or error code than before."""

    kind: ClassVar[str] = "stations.ConnectorChanged"
    station: str
    connector: int
    status: str
    error_code: str
