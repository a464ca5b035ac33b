"""Every frame is kept, within the limits of `prune_frames`; what stations do slightly wrong is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from commonwatt.kit.database import Work
from commonwatt.stations.hiding import hide_secrets_in

_INSERT = "INSERT INTO frame (station, at_ms, direction, kind, action, message_id, text) VALUES (?, ?, ?, ?, ?, ?, ?)"
_FLAG = (
    "INSERT INTO quirk (station, slug, detail, count, first_ms, last_ms) SELECT ?, ?, ?, ?, ?, ? "
    "WHERE EXISTS (SELECT 1 FROM station WHERE identity = ?) ON CONFLICT (station, slug) DO UPDATE "
    "SET count = count + excluded.count, last_ms = excluded.last_ms, detail = excluded.detail"
)


class FrameRow(NamedTuple):
    """One frame as it is stored: `direction` in or out, `kind` call, result, error or broken."""

    station: str
    at_ms: int
    direction: str
    kind: str
    action: str
    message_id: str
    text: str


def record_frames(work: Work, rows: Sequence[FrameRow]) -> None:
    """Store frames in order, without passwords."""
    if rows:
        work.sql.exec_driver_sql(_INSERT, [(*row[:-1], hide_secrets_in(row.text)) for row in rows])


def tell_frames(work: Work, rows: Sequence[FrameRow]) -> None:
    """Let live pages know which stations spoke."""
    for identity in {row.station for row in rows}:
        work.tell(f"station/{identity}", "frames", station=identity)


def flag_quirk(work: Work, identity: str, slug: str, detail: str, count: int = 1) -> None:
    """Count something that a station does slightly wrong: how often, first and last time, the latest example."""
    now = work.now.ms
    work.sql.exec_driver_sql(_FLAG, (identity, slug[:60], detail[:250], count, now, now, identity))
