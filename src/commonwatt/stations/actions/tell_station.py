"""Leave notes of what changed at a station, for everybody whose page shows it."""

from __future__ import annotations

from typing import Any

from commonwatt.kit.database import Work


def tell_station(work: Work, identity: str, name: str, **data: Any) -> None:
    """Tell the station's own page, the drivers' pages of its connectors and the overview.

    Whoever stands before a connector hears it too, so `data` holds what everybody may know.
    """
    for topic in (f"station/{identity}", f"place/{identity}", "overview"):
        work.tell(topic, name, station=identity, **data)
