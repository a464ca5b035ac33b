"""Who is connected: replacing, clones, the waiting room, comings and goings."""

import asyncio

import pytest

from commonwatt import stations
from commonwatt.adapters.station.ocpp16.incoming import start_transaction as start_module
from commonwatt.kernel import Failed

from .world import Pipe


async def state(site, identity="CP-1"):
    return await site.database.read(stations.find_station, identity)


async def settle(turns=20):
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_a_station_comes_and_goes(site, charging):
    assert not site.hub.is_connected("CP-1")
    pipe = await site.attach()
    assert site.hub.is_connected("CP-1")
    assert (await state(site)).connected
    pipe.hang_up()
    await asyncio.gather(*site.tasks)
    assert not site.hub.is_connected("CP-1")
    assert not (await state(site)).connected
    assert charging.last("offline") == "CP-1"


async def test_a_newer_connection_replaces_a_first_that_is_dead(site, charging):
    first = await site.attach(pipe=Pipe(alive=False))
    second = await site.attach()
    await settle()
    assert first.closed is not None
    assert second.closed is None
    assert (await second.ask("Heartbeat", {}))[0] == 3
    assert site.hub.is_connected("CP-1")
    assert charging.count("offline") == 0
    assert "cloned-identity" not in await site.quirks()


async def test_two_live_connections_are_a_cloned_identity(site):
    first = await site.attach()
    second = await site.attach()
    await settle()
    assert second.closed == (1008, "this identity is connected already")
    assert (await first.ask("Heartbeat", {}))[0] == 3
    assert (await site.quirks())["cloned-identity"].count == 1


async def test_what_an_earlier_process_left_is_gone_at_the_start(site, charging):
    await site.database.write(stations.add_station, "OLD", with_password=False)
    await site.database.write(stations.note_connected, "OLD", "", "ocpp1.6")
    await site.hub.close()
    await site.hub.start()
    assert not (await state(site, "OLD")).connected
    assert charging.heard == []  # offers stand: it comes back within seconds


async def test_the_waiting_room(site, charging):
    await site.database.write(stations.await_admission, "NEW")
    pipe = await site.attach("NEW", known=False, admitted=False)
    boot = {"chargePointVendor": "A", "chargePointModel": "B"}
    assert (await pipe.ask("BootNotification", boot))[2]["status"] == "Pending"
    waiting = await state(site, "NEW")
    assert (waiting.vendor, waiting.model, waiting.seen_ms, waiting.boot_ms) == ("A", "B", site.clock.now().ms, None)
    assert (await pipe.ask("Heartbeat", {}))[0] == 3
    start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-05-01T12:00:00Z"}
    assert (await pipe.ask("StartTransaction", start))[2] == "SecurityError"
    assert (await pipe.ask("DataTransfer", {"vendorId": "x"}))[2] == "SecurityError"
    assert charging.heard == []
    assert not site.hub.is_connected("NEW")
    refused = await site.hub.remote_start("NEW", 1, "tag")
    assert isinstance(refused, Failed)
    await site.database.write(stations.admit_station, "NEW")
    _, message_id, action, payload = await pipe.hear()
    assert (action, payload) == ("TriggerMessage", {"requestedMessage": "BootNotification"})
    pipe.say([3, message_id, {"status": "Accepted"}])
    assert (await pipe.ask("BootNotification", boot))[2]["status"] == "Accepted"
    assert site.hub.is_connected("NEW")


async def test_who_waited_without_a_password_connects_again_with_it(site):
    await site.database.write(stations.await_admission, "NEW")
    pipe = await site.attach("NEW", known=False, admitted=False, trusted=False)
    await site.database.write(stations.admit_station, "NEW")
    await settle()
    assert pipe.closed is not None


@pytest.mark.parametrize("decision", ["reject_station", "remove_station"])
async def test_a_rejected_station_is_cut_off(site, station, decision):
    await site.database.write(getattr(stations, decision), "CP-1")
    await settle()
    assert station.closed == (1008, "not admitted")


async def test_a_round_finds_the_dead_and_stores_what_was_measured(site, clock):
    dead = await site.attach("DEAD", Pipe(alive=False))
    live = await site.attach("LIVE")
    clock.step(seconds=90)
    await site.hub.measure()
    assert dead.closed == (1001, "no answer to a ping")
    assert live.closed is None
    view = await state(site, "LIVE")
    assert (view.seen_ms, view.ping_ms) == (clock.now().ms, 0)


async def test_a_decision_of_another_process_is_found_within_a_round(site):
    await site.database.write(stations.await_admission, "NEW")
    pipe = await site.attach("NEW", known=False, admitted=False)
    hear, site.database.on_notes[:] = site.database.on_notes[:], []
    await site.database.write(stations.reject_station, "NEW")
    site.database.on_notes[:] = hear
    assert pipe.closed is None
    await site.hub.measure()
    assert pipe.closed == (1008, "not admitted")


async def test_the_drift_of_a_clock_is_measured(site, station, clock):
    ahead = {"connectorId": 1, "status": "Available", "errorCode": "NoError", "timestamp": "2026-05-01T12:05:00Z"}
    late = ahead | {"timestamp": "2026-05-01T11:00:00Z"}
    for payload in (late, ahead, late):
        await station.ask("StatusNotification", payload)
    assert site.hub.link_of("CP-1").caller.drift_ms == 300_000
    assert set(await site.quirks()) == {"clock-ahead"}


async def test_a_clock_that_was_set_right_is_no_longer_off(site, station, clock):
    told = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
    await station.ask("StatusNotification", told | {"timestamp": clock.now().plus(seconds=3600).iso()})
    caller = site.hub.link_of("CP-1").caller
    clock.step(seconds=599)
    await station.ask("StatusNotification", told | {"timestamp": clock.now().iso()})
    assert caller.drift_ms == 3_600_000
    clock.step(seconds=1)
    await station.ask("StatusNotification", told | {"timestamp": clock.now().plus(seconds=-2).iso()})
    assert caller.drift_ms == -2_000
    await station.ask("StatusNotification", told | {"timestamp": clock.now().iso()})
    assert caller.drift_ms == 0


async def test_a_station_that_returns_while_its_last_words_are_handled_is_let_in(site, monkeypatch):
    monkeypatch.setattr(start_module, "SLOW_START_S", 3600)
    start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-05-01T12:00:00Z"}
    first = await site.attach(waivers=frozenset({"slow-start"}))
    first.say([2, "s", "StartTransaction", start])
    await settle()
    first.hang_up()
    await settle()
    second = await site.attach()
    assert second.closed is None
    assert site.hub.is_connected("CP-1")
    assert (await second.ask("Heartbeat", {}))[0] == 3
    await site.give_up(0)
    await settle()
    assert site.hub.is_connected("CP-1")
    assert (await state(site)).connected


async def test_disconnecting_nobody_is_nothing(site):
    await site.hub.disconnect("NOBODY", "why not")
    assert site.hub.connected() == []
