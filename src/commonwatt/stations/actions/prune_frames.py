"""Frames go when they are too old, or when they take too much room; no station's flood pushes out another's.

The room that frames take is counted once and then by what was added and removed, for counting a gigabyte takes seconds;
whoever runs the first step waits until the stations are back. A step removes a limited number, so that other writes
come in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from commonwatt.kit.database import Database, Work
from commonwatt.stations.actions.admit_stations import ADMITTED
from commonwatt.stations.store import station

PRUNE_STEP = 5_000
"""Frames that one step removes at most."""
STRANGER_BYTES = 1024 * 1024
"""What is kept of a station that is not admitted."""
ROW_BYTES = 150
"""What a frame takes beside its text, with its index."""

_SIZE = f"length(CAST(text AS BLOB)) + {ROW_BYTES}"
_SIZES = f"SELECT station, sum({_SIZE}), max(id) FROM frame NOT INDEXED WHERE id > ? GROUP BY station"  # noqa: S608 (constants)
_EXPIRED = (
    f"DELETE FROM frame WHERE id IN (SELECT id FROM frame ORDER BY id LIMIT ?) AND at_ms < ? RETURNING station, {_SIZE}"  # noqa: S608 (constants)
)
_OLDEST = f"SELECT id, {_SIZE} FROM frame WHERE station = ? ORDER BY id LIMIT ?"  # noqa: S608 (constants)


class FramePruner:
    """Keeps frames within an age in ms and a number of bytes; `step` is run from time to time."""

    def __init__(self, database: Database, kept_ms: int, kept_bytes: int) -> None:
        """Take the limits."""
        self._database = database
        self._kept_ms = kept_ms
        self._kept_bytes = kept_bytes
        self._sizes: dict[str, int] = {}
        self._counted_id = 0

    async def step(self) -> None:
        """Remove everything that is beyond the limits now."""
        sizes, self._counted_id = await self._database.read(sizes_since, self._counted_id)
        for identity, size in sizes.items():
            self._sizes[identity] = self._sizes.get(identity, 0) + size
        while True:
            removed = await self._database.write(remove_expired, self._kept_ms)
            for identity, size in removed:
                self._sizes[identity] = self._sizes.get(identity, 0) - size
            if len(removed) < PRUNE_STEP:
                break
            await asyncio.sleep(0)
        states = await self._database.read(states_of_stations)
        for identity in self._sizes.keys() - states.keys():  # it was removed; its last frames may have come after
            await self._shorten(identity, self._sizes[identity])
            self._sizes[identity] = 0
        for identity, excess in too_much(self._sizes, states, self._kept_bytes).items():
            await self._shorten(identity, excess)
        self._sizes = {identity: size for identity, size in self._sizes.items() if size > 0}

    async def _shorten(self, identity: str, excess: int) -> None:
        while excess > 0:
            rows, freed = await self._database.write(remove_oldest, identity, excess)
            excess -= freed
            self._sizes[identity] -= freed
            if rows < PRUNE_STEP:
                break
            await asyncio.sleep(0)
        if excess > 0:
            self._sizes[identity] = 0  # it was removed, with its frames, and added anew


def sizes_since(sql: Connection, after_id: int) -> tuple[dict[str, int], int]:
    """Return the bytes of each station's frames after an id, and the newest id."""
    rows = sql.exec_driver_sql(_SIZES, (after_id,)).all()
    return {row[0]: row[1] for row in rows}, max((row[2] for row in rows), default=after_id)


def states_of_stations(sql: Connection) -> dict[str, str]:
    """Return identity and state of all stations."""
    return {row.identity: row.state for row in sql.execute(select(station.c.identity, station.c.state))}


def too_much(sizes: Mapping[str, int], states: Mapping[str, str], kept_bytes: int) -> dict[str, int]:
    """Return by how many bytes stations are beyond their share.

    A stranger has its small share. The others share what is left as evenly as their needs allow: who needs less than
    an even part keeps everything.
    """
    known = {name for name, state in states.items() if state == ADMITTED}
    wanted = {name: size if name in known else min(size, STRANGER_BYTES) for name, size in sizes.items()}
    level = even_part(wanted.values(), kept_bytes)
    excess = {name: size - min(wanted[name], level) for name, size in sizes.items()}
    return {name: size for name, size in excess.items() if size > 0}


def even_part(sizes: Iterable[int], room: int) -> int:
    """Return the most that each may have, so that all of them fit into the room."""
    ordered = sorted(sizes)
    for place, size in enumerate(ordered):
        part = room // (len(ordered) - place)
        if size > part:
            return part
        room -= size
    return ordered[-1] if ordered else room


def remove_expired(work: Work, kept_ms: int) -> list[tuple[str, int]]:
    """Remove the oldest frames that are too old; return station and bytes of each."""
    rows = work.sql.exec_driver_sql(_EXPIRED, (PRUNE_STEP, work.now.ms - kept_ms)).all()
    return [(row[0], row[1]) for row in rows]


def remove_oldest(work: Work, identity: str, excess: int) -> tuple[int, int]:
    """Remove a station's oldest frames until so many bytes are free; return how many frames and bytes went."""
    rows, freed, last = 0, 0, 0
    for frame_id, size in work.sql.exec_driver_sql(_OLDEST, (identity, PRUNE_STEP)).all():
        rows, freed, last = rows + 1, freed + size, frame_id
        if freed >= excess:
            break
    work.sql.exec_driver_sql("DELETE FROM frame WHERE station = ? AND id <= ?", (identity, last))
    return rows, freed
