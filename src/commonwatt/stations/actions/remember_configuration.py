"""What a station said of its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commonwatt.kit.database import Work
from commonwatt.members import MASK
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
    """Keep the settings, each in place of what was known of its key; of a secret only that it is set."""
    rows = [(identity, item.key[:60], _kept(item), item.readonly, work.now.ms) for item in settings]
    if rows:
        work.sql.exec_driver_sql(_UPSERT, rows)
        work.tell(f"station/{identity}", "configuration", station=identity)


def _kept(item: Setting) -> str | None:
    return MASK if item.value and is_secret(item.key) else item.value
