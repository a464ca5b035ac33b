"""Who waits for an instant of our clock hears that the clock was set back."""

import asyncio

from commonwatt.kernel import RandomIds
from commonwatt.kit.clock import SteppedClock
from commonwatt.kit.database import Database, Jobs, create_tables, open_engine

HOUR_MS = 3_600_000


async def test_who_else_waits_for_our_clock_hears_that_it_was_set_back(tmp_path):
    """In the write that brings jobs forward; and at the start, as it may have been set back while we were away."""
    clock = SteppedClock()
    heard = []
    database = Database(open_engine(tmp_path / "db.sqlite"), clock, RandomIds())
    create_tables(database.engine)
    jobs = Jobs(database, {}, [], on_set_back=[lambda work: heard.append(work.now.ms)])
    await jobs.start()
    try:
        begun = clock.now().ms
        assert heard == [begun]
        for step in (HOUR_MS, -1, HOUR_MS):
            clock.step(ms=step)
            jobs._wake.set()
            async with asyncio.timeout(10):
                while jobs._latest != clock.now():  # noqa: ASYNC110 (what it has seen, it says nowhere)
                    await asyncio.sleep(0.005)
        assert heard == [begun, begun + HOUR_MS - 1]
    finally:
        await jobs.stop()
        database.close()
