"""`commonwatt station`: the commands of the feature, and the virtual charge point beside them."""

from __future__ import annotations

from commonwatt.kit.cli import Lazy, LazyGroup
from commonwatt.stations.cli import station as feature

station = LazyGroup(
    "station",
    commands=feature.commands,
    help=feature.help,
    lazy=(Lazy("run", "commonwatt.adapters.station.virtual.cli:run_station", "Run a virtual charge point."),),
)
