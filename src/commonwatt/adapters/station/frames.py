"""What is kept of the talk with stations: collected in memory, stored together some times a second.

A frame that causes a transaction of its own is stored in it, by its dialect. The others wait here for a moment, so that
a heartbeat costs no commit. A crash loses at most that moment of the log, never anything that was acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import structlog

from commonwatt import stations
from commonwatt.kernel import Unavailable
from commonwatt.kit.database import Database, Work
from commonwatt.kit.metrics import counter
from commonwatt.stations import FrameRow

FRAMES = counter(
    "station_frames",
    "Frames that went through the log, by direction and kind; those stored with their own effect are not among them.",
    ["direction", "kind"],
)

PERIOD_S = 0.25
WAITING_MAX = 50_000
"""Frames that may wait in memory; beyond that, while the database is down, new ones are only counted."""

_log = structlog.get_logger("stations")


class FrameLog:
    """Keeps frames and counts quirks. `add` and `flag` never wait; `flush` stores what was collected."""

    def __init__(self, database: Database) -> None:
        """Store into this database."""
        self._database = database
        self._rows: list[FrameRow] = []
        self._quirks: dict[tuple[str, str], tuple[str, int]] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.lost = 0

    def add(self, row: FrameRow) -> None:
        """Keep a frame."""
        if len(self._rows) >= WAITING_MAX:
            self.lost += 1
            return
        self._rows.append(row)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._due)

    def flag(self, identity: str, slug: str, detail: str) -> None:
        """Count a quirk of a station; the latest detail is kept."""
        _, count = self._quirks.get((identity, slug), ("", 0))
        self._quirks[identity, slug] = (detail, count + 1)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._due)

    async def flush(self) -> None:
        """Store what waits; what cannot be stored is reported and dropped, the talk goes on."""
        rows, self._rows = self._rows, []
        quirks, self._quirks = self._quirks, {}
        if not rows and not quirks:
            return
        for (direction, kind), number in Counter((row.direction, row.kind) for row in rows).items():
            FRAMES.labels(direction, kind).inc(number)
        flags = [(identity, slug, detail, count) for (identity, slug), (detail, count) in quirks.items()]
        try:
            await self._database.write(_store, rows, flags)
        except Unavailable as error:
            self.lost += len(rows)
            _log.warning("frames not kept", frames=len(rows), error=error.detail)

    async def close(self) -> None:
        """Store the rest."""
        if self._timer is not None:
            self._timer.cancel()
        if self._flushing is not None:
            await self._flushing
        await self.flush()

    def _due(self) -> None:
        if self._flushing is not None and not self._flushing.done():
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._due)
            return
        self._timer = None
        self._flushing = asyncio.create_task(self.flush(), name="store frames")


def _store(work: Work, rows: Sequence[FrameRow], flags: Sequence[tuple[str, str, str, int]]) -> None:
    stations.record_frames(work, rows)
    stations.tell_frames(work, rows)
    for identity, slug, detail, count in flags:
        stations.flag_quirk(work, identity, slug, detail, count)
