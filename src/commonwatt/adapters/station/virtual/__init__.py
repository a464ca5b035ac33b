"""A virtual charge point for OCPP 1.6J: for demonstrations, tests, and for replaying charges of the past.

Reading order: `car` (battery and curve), `model` (one connector, pure), `charger` (the station without its network),
`station` (the same on a connection), `commands` (what the server may ask), `faults` (what it does wrong on request),
`fleet` (many of them, with drivers), `cli`. It shares only the framing of `protocols.ocppj` with our server, so that
both sides of a conversation seldom err alike.
"""

from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.faults import EXPLANATIONS, Fault, Faults
from commonwatt.adapters.station.virtual.fleet import Fleet, Habits, build_fleet
from commonwatt.adapters.station.virtual.memory import Truth
from commonwatt.adapters.station.virtual.model import Status
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.adapters.station.virtual.timeline import PacedTimeline, SharedTimeline, Timeline, WalkedTimeline
from commonwatt.adapters.station.virtual.transport import LinkLost, MemoryTransport, memory_pair

__all__ = [
    "EXPLANATIONS",
    "Car",
    "Fault",
    "Faults",
    "Fleet",
    "Habits",
    "LinkLost",
    "MemoryTransport",
    "PacedTimeline",
    "SharedTimeline",
    "Status",
    "Timeline",
    "Truth",
    "VirtualStation",
    "WalkedTimeline",
    "build_fleet",
    "memory_pair",
]
