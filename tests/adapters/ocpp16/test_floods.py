"""Who says too much is slowed alone: what waits for the log, what a stranger may say, what waits for an answer."""

import asyncio

import pytest

from commonwatt import stations
from commonwatt.adapters.station import allowance as allowance_module
from commonwatt.adapters.station import frames as frames_module
from commonwatt.adapters.station import link as link_module
from commonwatt.adapters.station.allowance import BURST_S, Allowance
from commonwatt.adapters.station.frames import FrameLog
from commonwatt.adapters.station.ocpp16.incoming import start_transaction as start_module
from commonwatt.kernel import Unavailable
from commonwatt.stations import FrameRow

BOOT = {"chargePointVendor": "A", "chargePointModel": "B"}
JUNK = "x" * 120_000


async def settle(turns=200):
    for _ in range(turns):
        await asyncio.sleep(0)


class Held:
    """A database whose writes wait until they are let go."""

    def __init__(self, error=None):
        self.error, self.rows, self.go = error, [], asyncio.Event()

    async def write(self, _action, rows, _flags):
        await self.go.wait()
        if self.error is not None:
            raise self.error
        self.rows += rows


def row(station, text, kind="call"):
    return FrameRow(station, 1, "in", kind, "Heartbeat", "1", text)


async def test_the_log_counts_what_waits_until_it_is_stored():
    log = FrameLog(held := Held())
    for _ in range(10):
        log.add(row("CP-1", JUNK))
    assert log.crowded("CP-1")
    assert not log.crowded("CP-2")
    room = asyncio.create_task(log.room("CP-1"))
    await settle()
    assert log.crowded("CP-1")  # it is being written, and still in memory
    assert not room.done()
    held.go.set()
    await room
    assert not log.crowded("CP-1")
    assert len(held.rows) == 10
    await log.close()


async def test_all_stations_together_have_a_bound_too(monkeypatch):
    monkeypatch.setattr(frames_module, "BYTES_MAX", 3 * 120_000)
    log = FrameLog(held := Held())
    for n in range(3):
        assert not log.crowded("CP-9")
        log.add(row(f"CP-{n}", JUNK))
    assert log.crowded("CP-9")
    held.go.set()
    await log.flush()
    assert not log.crowded("CP-9")
    await log.close()


async def test_what_cannot_be_stored_makes_room_as_well():
    log = FrameLog(held := Held(Unavailable("The disk is full.")))
    for _ in range(10):
        log.add(row("CP-1", JUNK))
    held.go.set()
    await log.room("CP-1")
    assert (log.lost, log.crowded("CP-1")) == (10, False)
    await log.close()


async def test_of_a_broken_frame_no_password_is_kept_whose_name_stands_behind_the_cut(site, station):
    said = '[2,"1","ChangeConfiguration",{"value":"hunter2-hunter2","pad":"' + "x" * 3000 + '","key":"AuthorizationKey"'
    station.say(said)
    await station.ask("Heartbeat", {})
    [broken] = [frame for frame in await site.frames() if frame.kind == "broken"]
    assert "hunter2" not in broken.text
    assert len(broken.text) < 2100


async def test_of_a_broken_frame_only_the_beginning_is_kept(site, station):
    station.say(JUNK)
    await station.ask("Heartbeat", {})
    [broken] = [frame for frame in await site.frames() if frame.kind == "broken"]
    assert broken.text == "x" * 2048 + "… (120000 characters)"


@pytest.mark.parametrize(
    "text", [JUNK, '[2,"1","DataTransfer",{"vendorId":"' + "v" * 100 + '","data":"' + JUNK + '"}]']
)
async def test_a_flood_that_needs_no_answer_of_the_database_waits_for_the_log(site, station, monkeypatch, text):
    monkeypatch.setattr(frames_module, "SHARE_MAX", 50_000)
    held = Held()
    monkeypatch.setattr(site.hub.frames, "_database", held)
    for _ in range(100):
        station.say(text)
    await settle()
    assert station.unread() >= 70
    other = await site.attach("CP-2")
    assert (await other.ask("Heartbeat", {}))[0] == 3
    station.alive = False
    assert await site.hub.link_of("CP-1").ping()  # a pong would stand behind what is not read yet
    held.go.set()
    await settle(2000)
    assert station.unread() == 0


async def test_calls_that_wait_are_counted_in_bytes(site, charging, monkeypatch):
    monkeypatch.setattr(start_module, "SLOW_START_S", 3600)
    pipe = await site.attach(waivers=frozenset({"slow-start"}))
    start = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-05-01T12:00:00Z", "x": JUNK}
    for n in range(20):
        pipe.say([2, str(n), "StartTransaction", start])
    await settle()
    assert charging.count("start") == 1
    assert 12 <= pipe.unread() <= 16
    assert 5 * 120_000 >= link_module.WAITING_BYTES_MAX > 4 * 120_000
    await site.give_up(0)


def test_an_allowance_is_a_burst_and_a_pace():
    stranger = Allowance()
    for _ in range(int(BURST_S)):
        assert stranger.wait_s(1000.0) <= 0
        stranger.spend(0, 1000.0)
    stranger.spend(2048, 1000.0)
    assert stranger.wait_s(1000.0) == 3
    assert stranger.wait_s(1003.0) == 0
    stranger.spend(0, 2000.0)
    assert stranger.wait_s(2000.0) == 1 - BURST_S


async def stranger(site, identity="NEW"):
    await site.database.write(stations.await_admission, identity)
    return await site.attach(identity, known=False, admitted=False)


async def test_a_stranger_may_introduce_itself_and_not_flood(site):
    pipe = await stranger(site)
    assert (await pipe.ask("BootNotification", BOOT))[2]["status"] == "Pending"
    for _ in range(50):
        pipe.say(JUNK)
    await settle()
    assert pipe.unread() >= 47
    kept = await site.frames(identity="NEW")
    assert sum(len(frame.text) for frame in kept) < 10_000
    assert site.hub.connected() == ["NEW"]


async def test_connecting_anew_brings_a_stranger_nothing(site):
    pipe = await stranger(site)
    pipe.say(JUNK)
    pipe.say(JUNK)
    await settle()
    await site.give_up(0)
    again = await site.attach("NEW", known=False, admitted=False)
    for _ in range(5):
        again.say(JUNK)
    await settle()
    assert again.unread() == 4


async def test_a_slowed_stranger_that_reconnects_is_let_in_at_once_and_goes_on_slowed(site):
    pipe = await stranger(site)
    for _ in range(5):
        pipe.say(JUNK)
    await settle()
    again = await site.attach("NEW", known=False, admitted=False)
    await settle()
    assert pipe.closed is not None
    assert again.closed is None
    assert site.hub.connected() == ["NEW"]
    for _ in range(5):
        again.say(JUNK)
    await settle()
    assert again.unread() == 4
    assert "cloned-identity" not in await site.quirks("NEW")


async def test_an_admission_ends_the_waiting(site, monkeypatch):
    monkeypatch.setattr(allowance_module, "BURST_S", 5.0)
    pipe = await stranger(site)
    for n in range(8):
        pipe.say([2, str(n), "Heartbeat", {}])
    await settle()
    assert pipe.unread() > 0
    await site.database.write(stations.admit_station, "NEW")
    answered = [await pipe.hear() for _ in range(9)]
    assert sorted(frame[0] for frame in answered) == [2, *[3] * 8]
