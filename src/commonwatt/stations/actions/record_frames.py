"""Every frame is kept, within limits; what stations do slightly wrong is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from commonwatt.kit.database import Work
from commonwatt.stations.hiding import hide_secrets_in

KEPT_MS = 30 * 24 * 3600 * 1000
"""Frames are kept for thirty days."""
KEPT_ROWS = 5_000_000
"""And no more than so many, some two gigabytes."""
PRUNE_STEP = 20_000

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


def prune_frames(work: Work, kept_ms: int = KEPT_MS, kept_rows: int = KEPT_ROWS) -> int:
    """Remove frames that are too old or too many, a limited number at a time; return how many went."""
    newest = work.sql.exec_driver_sql("SELECT max(id) FROM frame").scalar()
    if newest is None:
        return 0
    return work.sql.exec_driver_sql(
        "DELETE FROM frame WHERE id IN (SELECT id FROM frame ORDER BY id LIMIT ?) AND (at_ms < ? OR id <= ?)",
        (PRUNE_STEP, work.now.ms - kept_ms, newest - kept_rows),
    ).rowcount
