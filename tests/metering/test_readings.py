"""Readings of a long charge are given in parts, and it is said how many there are."""

from commonwatt.metering import Reading, count_readings, readings_of, store_readings


async def test_readings_are_read_in_parts(database):
    rows = [Reading(7, "CP-1", 1, at, "Sample.Periodic", at, at, None, None, None, None) for at in range(5)]
    await database.write(store_readings, rows)
    assert await database.read(count_readings, 7) == 5
    assert [row.at_ms for row in await database.read(readings_of, 7, limit=2)] == [0, 1]
    assert [row.at_ms for row in await database.read(readings_of, 7, skip=4, limit=2)] == [4]
    assert await database.read(count_readings, 8) == 0
