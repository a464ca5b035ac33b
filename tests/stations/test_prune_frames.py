"""Frames go by age and by size; nobody's flood costs another station its frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt import stations
from commonwatt.stations import FramePruner, FrameRow
from commonwatt.stations.actions import prune_frames
from commonwatt.stations.actions.prune_frames import ROW_BYTES, STRANGER_BYTES, even_part, too_much

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
async def fill(database, clock):
    """Store frames of a station: so many, of so many bytes each with their row, of this age."""

    async def store(identity, frames, size=1000, age_ms=0):
        text = "x" * (size - ROW_BYTES)
        row = FrameRow(identity, clock.now().ms - age_ms, "in", "call", "Heartbeat", "1", text)
        await database.write(stations.record_frames, [row] * frames)

    for identity in ("CP-1", "CP-2"):
        await database.write(stations.add_station, identity, with_password=False)
    return store


async def kept(database, identity):
    rows = await database.read(stations.list_frames, identity=identity, limit=10_000, masked=False)
    return [row.id for row in rows]


async def test_everything_that_is_too_old_goes_in_one_round(database, fill, monkeypatch):
    monkeypatch.setattr(prune_frames, "PRUNE_STEP", 10)
    await fill("CP-1", 95, age_ms=DAY_MS + 1)
    await fill("CP-1", 3)
    before = database.calls
    await FramePruner(database, DAY_MS, 10**9).step()
    assert len(await kept(database, "CP-1")) == 3
    assert database.calls - before >= 10  # in steps, so that other writes come in between


async def test_the_room_is_counted_in_bytes_and_the_oldest_go(database, fill, monkeypatch):
    monkeypatch.setattr(prune_frames, "PRUNE_STEP", 10)
    pruner = FramePruner(database, DAY_MS, 100_000)
    await fill("CP-1", 99, 1000)
    await pruner.step()
    assert len(await kept(database, "CP-1")) == 99
    await fill("CP-1", 1, 50_000)
    await pruner.step()
    left = await kept(database, "CP-1")
    assert left == list(range(100, 49, -1))
    await pruner.step()
    assert await kept(database, "CP-1") == left


async def test_a_flood_costs_nobody_else_a_frame(database, fill):
    pruner = FramePruner(database, DAY_MS, 100_000)
    await fill("CP-2", 30)
    await fill("CP-1", 500)
    await pruner.step()
    assert (len(await kept(database, "CP-1")), len(await kept(database, "CP-2"))) == (70, 30)
    await fill("CP-2", 70)
    await pruner.step()
    assert (len(await kept(database, "CP-1")), len(await kept(database, "CP-2"))) == (50, 50)


async def test_a_stranger_keeps_little(database, fill):
    await database.write(stations.await_admission, "NEW")
    await fill("NEW", 30, 100_000)
    await FramePruner(database, DAY_MS, 10**9).step()
    assert len(await kept(database, "NEW")) == STRANGER_BYTES // 100_000


async def test_a_removed_station_leaves_its_room_to_the_others(database, fill):
    pruner = FramePruner(database, DAY_MS, 100_000)
    await fill("CP-1", 60)
    await pruner.step()
    await database.write(stations.remove_station, "CP-1")
    await fill("CP-1", 1)  # the last words of its connection
    await fill("CP-2", 100)
    await pruner.step()
    assert (len(await kept(database, "CP-1")), len(await kept(database, "CP-2"))) == (0, 100)


async def test_a_restart_counts_anew(database, fill):
    await fill("CP-1", 200)
    await FramePruner(database, DAY_MS, 10**9).step()
    await FramePruner(database, DAY_MS, 100_000).step()
    assert len(await kept(database, "CP-1")) == 100


@given(st.lists(st.integers(0, 1000), max_size=20), st.integers(0, 5000))
def test_an_even_part_uses_the_room_and_no_more(sizes, room):
    part = even_part(sizes, room)
    used = sum(min(size, part) for size in sizes)
    assert used <= room
    if sum(sizes) <= room:
        assert used == sum(sizes)
    else:
        assert used > room - len(sizes)


def test_nothing_is_too_much_of_nothing():
    assert too_much({}, {}, 100) == {}
