"""A station that floods is slowed alone, and the reader of frames never waits for the database."""

# ruff: noqa: ASYNC110 (what is waited for happens in another thread, or at the other end)

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import threading
import time
from itertools import chain

import pytest
from tests.conftest import declare_tables

from commonwatt import stations
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.link import WAITING_MAX
from commonwatt.adapters.station.ocpp16.dialect import Ocpp16
from commonwatt.adapters.station.virtual.transport import memory_pair
from commonwatt.charging import Rules
from commonwatt.kernel import RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.main.assembly import station_ports

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
VALUES = {
    "connectorId": 1,
    "meterValue": [{"timestamp": "2026-05-01T12:00:00Z", "sampledValue": [{"value": "1234"}]}],
}
SLOWED_AT_MOST = 12
"""How many times as long the others may wait while one floods; alone the flood's queue would cost thousands."""


class Hall:
    """A hub with stations at the end of lines in memory, over a database file with a real writer."""

    def __init__(self, path) -> None:
        declare_tables()
        engine = open_engine(path)
        create_tables(engine)
        self.database = Database(engine, SystemClock(), RandomIds())
        ports = station_ports(Rules())
        self.hub = Hub(self.database, SystemClock(), RandomIds(), ports)
        self.dialect = Ocpp16(self.database, ports)
        self.lines: list[asyncio.Task[None]] = []
        self.sent = 0

    async def connect(self, identity):
        await self.database.write(stations.add_station, identity, with_password=False)
        ours, theirs = memory_pair()
        self.lines.append(asyncio.create_task(self.hub.attach(identity, ours, self.dialect)))
        while not self.hub.is_connected(identity):
            await asyncio.sleep(0.001)
        boot = {"chargePointVendor": "Test", "chargePointModel": "Test"}
        await self.ask(theirs, "BootNotification", boot)
        return theirs

    async def send(self, end, action, payload) -> str:
        self.sent += 1
        await end.send(json.dumps([2, str(self.sent), action, payload]))
        return str(self.sent)

    async def ask(self, end, action, payload):
        """Send a call and return its answer; what the hub asks meanwhile is left unanswered."""
        number = await self.send(end, action, payload)
        while True:
            frame = json.loads(await asyncio.wait_for(end.receive(), 20))
            if frame[0] in (3, 4) and frame[1] == number:
                return frame

    async def close(self) -> None:
        await self.hub.close()
        for line in self.lines:
            line.cancel()
        await asyncio.gather(*self.lines, return_exceptions=True)
        self.database.close()


@pytest.fixture
async def hall(tmp_path):
    hall = Hall(tmp_path / "hall.sqlite")
    await hall.hub.start()
    yield hall
    await hall.close()


@contextlib.contextmanager
def blocked(database):
    """Hold the writer up, as a slow disk would."""
    free, holding = threading.Event(), threading.Event()

    def hold(_work):
        holding.set()
        free.wait(20)

    held = asyncio.ensure_future(database.write(hold))
    try:
        yield holding
    finally:
        free.set()
        assert not held.cancelled()


async def test_heartbeats_are_answered_while_the_database_stands_still(hall):
    busy, other = await hall.connect("BUSY"), await hall.connect("OTHER")
    with blocked(hall.database) as holding:
        while not holding.is_set():
            await asyncio.sleep(0.001)
        numbers = [await hall.send(busy, "StatusNotification", STATUS) for _ in range(20)]
        for _ in range(3):
            assert (await hall.ask(other, "Heartbeat", {}))[0] == 3
        assert busy.other._inbox.empty(), "the reader waits for the database"
        assert busy._inbox.empty(), "something was acknowledged before it was stored"
    answered = [json.loads(await asyncio.wait_for(busy.receive(), 20))[1] for _ in numbers]
    assert answered == numbers


async def test_the_reader_stops_reading_the_station_that_floods_and_no_other(hall):
    flood, other = await hall.connect("FLOOD"), await hall.connect("OTHER")
    with blocked(hall.database) as holding:
        while not holding.is_set():
            await asyncio.sleep(0.001)
        numbers = [await hall.send(flood, "MeterValues", VALUES) for _ in range(5 * WAITING_MAX)]
        await asyncio.sleep(0.05)
        assert flood.other._inbox.qsize() >= 3 * WAITING_MAX, "a flood fills our memory instead of its own socket"
        assert (await hall.ask(other, "Heartbeat", {}))[0] == 3
    answered = [json.loads(await asyncio.wait_for(flood.receive(), 20))[1] for _ in numbers]
    assert answered == numbers


async def test_a_flood_of_meter_values_leaves_the_others_their_latency(hall):
    """Told as a ratio to the same calls without the flood, in the same run, by the median."""
    flood = await hall.connect("FLOOD")
    others = [await hall.connect(f"OTHER-{number}") for number in range(4)]

    async def latencies(end):
        waits = []
        for _ in range(30):
            begun = time.perf_counter()
            await hall.ask(end, "StatusNotification", STATUS)
            waits.append(time.perf_counter() - begun)
        return waits

    async def pour():
        while True:
            for _ in range(50):
                await hall.send(flood, "MeterValues", VALUES)
            await asyncio.sleep(0.001)
            while flood.other._inbox.qsize() > 10_000:
                await asyncio.sleep(0.01)

    async def measure():
        return statistics.median(chain(*await asyncio.gather(*(latencies(end) for end in others))))

    quiet = await measure()
    pouring = asyncio.create_task(pour())
    try:
        flooded = await measure()
    finally:
        pouring.cancel()
    assert flood._inbox.qsize() > 0, "the flood was never answered"
    assert flooded < SLOWED_AT_MOST * quiet, f"{flooded * 1000:.1f} ms instead of {quiet * 1000:.1f} ms"
