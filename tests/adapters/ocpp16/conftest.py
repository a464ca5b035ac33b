"""A hub with the 1.6 dialect over doubles, and a station at the other end of a pipe."""

from __future__ import annotations

import asyncio

import pytest

from commonwatt import stations
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.ocpp16 import Ocpp16

from .world import Charging, Pipe


class Site:
    """A hub, its dialect, and as many stations as a test attaches."""

    def __init__(self, database, clock, ids, charging):
        self.database, self.clock, self.charging = database, clock, charging
        self.hub = Hub(database, clock, ids, charging.ports())
        self.dialect = Ocpp16(database, charging.ports())
        self.tasks = []

    async def attach(self, identity="CP-1", pipe=None, *, known=True, **options):
        if known and await self.database.read(stations.find_station, identity) is None:
            await self.database.write(stations.add_station, identity, with_password=False)
        pipe = pipe or Pipe()
        self.tasks.append(asyncio.create_task(self.hub.attach(identity, pipe, self.dialect, **options)))
        for _ in range(3):
            await asyncio.sleep(0)
        return pipe

    async def give_up(self, which):
        """Cancel a connection, as a server that stops does."""
        task = self.tasks.pop(which)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def quirks(self, identity="CP-1"):
        await self.hub.frames.flush()
        return {quirk.slug: quirk for quirk in await self.database.read(stations.list_quirks, identity)}

    async def frames(self, **filters):
        await self.hub.frames.flush()
        return await self.database.read(stations.list_frames, masked=False, limit=500, **filters)


@pytest.fixture
def charging():
    return Charging()


@pytest.fixture
async def site(database, clock, ids, charging):
    site = Site(database, clock, ids, charging)
    await site.hub.start()
    yield site
    await site.hub.close()
    await asyncio.gather(*site.tasks)


@pytest.fixture
async def station(site):
    return await site.attach()
