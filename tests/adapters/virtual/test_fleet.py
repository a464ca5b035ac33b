"""A fleet: drivers who come by themselves or after a remote start, and always leave again."""

from __future__ import annotations

import asyncio

import pytest
from tests.adapters.virtual.conftest import LoopClock
from tests.adapters.virtual.csms import Csms

from commonwatt.adapters.station.virtual import Fleet, Habits, Status, VirtualStation


async def run(seed, seconds, tags=("TAG-1", "TAG-2"), stations=2):
    servers = [Csms() for _ in range(stations)]
    clock = LoopClock()
    fleet = Fleet(
        [VirtualStation(f"CP-{n}", dial=server.dial, connectors=2, clock=clock) for n, server in enumerate(servers)],
        seed=seed,
        tags=tags,
        habits=Habits(stay_s=(600, 3600)),
    )
    await fleet.start()
    await asyncio.sleep(seconds)
    await fleet.stop()
    return fleet, servers


def story(fleet):
    return [(truth.key, truth.id_tag, truth.started_ms, truth.energy_wh) for s in fleet.stations for truth in s.truths]


async def test_cars_come_and_go_and_the_same_seed_brings_the_same():
    fleet, servers = await run(1, 8 * 3600)
    assert len(story(fleet)) > 12
    for station in fleet.stations:
        ended = [truth for truth in station.truths if truth.stopped_ms is not None]
        assert len(ended) >= len(station.truths) - 2
        assert all(truth.settled for truth in ended[:-2])
    assert {sample["idTag"] for server in servers for sample in server.of("StartTransaction")} == {"TAG-1", "TAG-2"}
    assert story((await run(1, 8 * 3600))[0]) == story(fleet)
    assert story((await run(2, 8 * 3600))[0]) != story(fleet)


async def test_nobody_comes_without_a_tag_until_a_remote_start():
    csms = Csms()
    station = VirtualStation("CP-1", dial=csms.dial, clock=LoopClock())
    fleet = Fleet([station], seed=3)
    await fleet.start()
    try:
        await asyncio.sleep(6 * 3600)
        assert csms.statuses() == ["Available"]
        await csms.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "ONCE"})
        await station.until(lambda station: station.connector().transaction)
        await asyncio.sleep(600)
        await csms.call("RemoteStopTransaction", {"transactionId": 1})
        await asyncio.sleep(200)
        assert csms.statuses()[-5:] == ["Available", "Preparing", "Charging", "Finishing", "Available"]
        assert station.connector().status is Status.AVAILABLE
    finally:
        await fleet.stop()


@pytest.mark.parametrize("seed", range(5))
async def test_a_driver_whose_charge_never_starts_leaves(seed):
    csms = Csms()
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    station = VirtualStation("CP-1", dial=csms.dial, clock=LoopClock())
    fleet = Fleet([station], seed=seed, tags=["STRANGER"])
    await fleet.start()
    await asyncio.sleep(12 * 3600)
    await fleet.stop()
    assert csms.of("StartTransaction") == []
    assert csms.statuses().count("Preparing") > 3
    assert abs(csms.statuses().count("Preparing") + 1 - csms.statuses().count("Available")) <= 1
