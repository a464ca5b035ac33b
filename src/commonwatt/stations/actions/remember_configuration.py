"""What a station said of its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commonwatt.kit.database import Work
from commonwatt.stations.hiding import is_secret

_UPSERT = (
    "INSERT INTO configuration (station, key, value, readonly, read_ms) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (station, key) DO UPDATE "
    "SET value = excluded.value, readonly = excluded.readonly, read_ms = excluded.read_ms"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One configuration key of a station (OCPP 1.6, 7.29 KeyValue)."""

    key: str
    value: str | None
    readonly: bool


def remember_configuration(work: Work, identity: str, settings: Sequence[Setting]) -> None:
    """Keep the settings, each in place of what was known of its key; of a password only that there is one."""
    rows = [
        (identity, item.key[:60], None if is_secret(item.key) else item.value, item.readonly, work.now.ms)
        for item in settings
    ]
    if rows:
        work.sql.exec_driver_sql(_UPSERT, rows)
        work.tell(f"station/{identity}", "configuration", station=identity)
