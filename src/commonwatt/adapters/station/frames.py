"""What is kept of the talk with stations: collected in memory, stored together some times a second.

A frame that causes a transaction of its own is stored in it, by its dialect. The others wait here for a moment, so that
a heartbeat costs no commit. A crash loses at most that moment of the log, never anything that was acknowledged.

What waits is bounded in bytes, in all and per station: whoever reads a station that said too much waits for `room`, so
that a flood is slowed by its own socket and takes nobody's memory.
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
BYTES_MAX = 32 * 1024 * 1024
"""Bytes that may wait in memory, of all stations together."""
SHARE_MAX = 1024 * 1024
"""Bytes of one station that may wait."""
ROW_BYTES = 500
"""What a frame takes beside its text."""
BROKEN_KEPT = 2048
"""Characters that are kept of a frame that cannot be read."""

_log = structlog.get_logger("stations")


class FrameLog:
    """Keeps frames and counts quirks. `add` and `flag` never wait; `flush` stores what was collected."""

    def __init__(self, database: Database) -> None:
        """Store into this database."""
        self._database = database
        self._rows: list[FrameRow] = []
        self._bytes = 0
        self._shares: dict[str, int] = {}
        self._quirks: dict[tuple[str, str], tuple[str, int]] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.lost = 0

    def add(self, row: FrameRow) -> None:
        """Keep a frame; of one that is broken its beginning, without passwords whose name stands behind the cut."""
        if row.kind == "broken" and len(row.text) > BROKEN_KEPT:
            kept = stations.hide_secrets_in(row.text)[:BROKEN_KEPT]
            row = row._replace(text=f"{kept}\N{HORIZONTAL ELLIPSIS} ({len(row.text)} characters)")
        size = len(row.text) + ROW_BYTES
        self._rows.append(row)
        self._bytes += size
        self._shares[row.station] = self._shares.get(row.station, 0) + size
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._due)

    def crowded(self, identity: str) -> bool:
        """Whether no more of this station should be read before some was stored."""
        return self._shares.get(identity, 0) >= SHARE_MAX or self._bytes >= BYTES_MAX

    async def room(self, identity: str) -> None:
        """Return when there is room for more of this station; have stored what waits meanwhile."""
        while self.crowded(identity):
            if self._flushing is None or self._flushing.done():
                self._flushing = asyncio.create_task(self.flush(), name="store frames")
            await asyncio.wait({self._flushing})

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
        finally:
            self._make_room(rows)

    def _make_room(self, rows: Sequence[FrameRow]) -> None:
        shares = self._shares
        for row in rows:
            size = len(row.text) + ROW_BYTES
            self._bytes -= size
            shares[row.station] -= size
            if not shares[row.station]:
                del shares[row.station]

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
