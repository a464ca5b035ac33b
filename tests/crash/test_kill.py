"""`kill -9` at any moment costs nobody anything: a hundred times, under load, with everybody looking."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack

import aiohttp
import pytest
from sim.audit import audit, unfinished
from tests.crash.load import Acknowledged, Driver, flowed_wh
from tests.crash.server import Server, count

from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.books import check_books

KILLS = 50
BILLED = "SELECT count(*) FROM session WHERE status = 'ended' AND billed_msat > 0"
SETTLE_S = 150
STATIONS = ("CP-1", "CP-2", "CP-3")


async def open_place(folder) -> tuple[Server, list[VirtualStation]]:
    """Start a server with three stations of two connectors, whose memory is on disk as well."""
    server = Server(folder)
    await server.start()
    await server.furnish(STATIONS)
    stations = [
        VirtualStation(name, server.stations_url, connectors=2, state_file=folder / f"{name}.json", patience_s=5)
        for name in STATIONS
    ]
    for station in stations:
        await station.start()
        await station.until(lambda one: one.online and not one.owes, timeout_s=120)
    return server, stations


def after_a_kill(sql, heard, stations) -> list[str]:
    """What must be true of the file at the moment of death."""
    check_books(sql)
    return heard.missing(sql, stations)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_under_load_nobody_loses_anything(tmp_path, seed):
    server, stations = await open_place(tmp_path)
    heard, rest, chance = Acknowledged(), asyncio.Event(), random.Random(seed)
    async with AsyncExitStack() as homes:
        drivers = [
            Driver(server, station, number, heard, f"{seed}/{station.identity}/{number}")
            for station in stations
            for number in (1, 2)
        ]
        sessions = [await homes.enter_async_context(at_home(number)) for number in range(len(drivers))]
        people = [
            asyncio.create_task(driver.live(session, rest)) for driver, session in zip(drivers, sessions, strict=True)
        ]
        for _ in range(KILLS):
            await asyncio.sleep(chance.choice([0.02, 0.1, 0.3, 0.6, 1.0, 1.6]))
            await server.kill()
            assert server.read(after_a_kill, heard, stations) == []
            await server.start()
        await until_enough_happened(server, drivers, heard)
        rest.set()
        await asyncio.wait_for(asyncio.gather(*people), SETTLE_S)
    await settle(server, stations)
    truths = {station.identity: station.truths for station in stations}
    for station in stations:
        await station.stop()
    await server.stop()
    wrong = server.read(lambda sql: server.read_sandbox(lambda node: audit(sql, node, truths)))
    assert wrong == []
    assert server.read(under_billed, truths) == []
    assert server.kills == KILLS
    assert sum(driver.visits for driver in drivers) > KILLS // 2
    assert len(heard.claims) > 5
    assert server.read(count, BILLED) > 10


def at_home(number) -> aiohttp.ClientSession:
    """Open the line of one driver: each has an address, as the server gives each address a share of offers."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(f"127.0.0.{2 + number}", 0)))


async def until_enough_happened(server, drivers, heard):
    """Let a slow machine catch up: the kills must have met real work, however long that takes in between."""
    for _ in range(SETTLE_S * 2):
        visits = sum(driver.visits for driver in drivers)
        if visits > KILLS // 2 and len(heard.claims) > 5 and server.read(count, BILLED) > 10:
            return
        await asyncio.sleep(0.5)


async def settle(server, stations):
    """Wait until every session, payment and job has its end, and the stations owe nothing."""
    for _ in range(SETTLE_S * 2):
        left = [f"{one.identity} owes {one.owes}" for one in stations if one.owes] + server.read(unfinished)
        if not left:
            return
        await asyncio.sleep(0.5)
    pytest.fail(f"after {SETTLE_S} s of peace: {left}")


def under_billed(sql, truths) -> list[str]:
    """Charges whose end was reported in time and that are not billed in full."""
    lost = []
    rows = sql.exec_driver_sql(
        "SELECT s.transaction_id, s.energy_wh, s.reason FROM session s JOIN station_transaction t"
        " ON t.id = s.transaction_id WHERE s.status = 'ended' AND t.stop_received_ms <= s.ended_ms"
    )
    sold = {row.transaction_id: row for row in rows}
    for station, charges in truths.items():
        for truth in charges:
            row = sold.get(truth.transaction_id)
            if row is not None and row.energy_wh < truth.energy_wh - 1:
                lost.append(f"{station} {truth.key}: {truth.energy_wh} Wh flowed, {row.energy_wh} billed: {row.reason}")
    return lost


async def scan(server, session):
    """Ask for an invoice until there is one."""
    for _ in range(100):
        answer = await server.get(session, "/lnurl/pay/cp-1-1/callback", amount="1000000")
        if answer and "pr" in answer:
            return answer
        await asyncio.sleep(0.2)
    pytest.fail(f"no invoice: {answer}")


@pytest.mark.slow
async def test_what_was_acknowledged_is_in_the_file_right_after_the_kill(tmp_path):
    """Each kind of acknowledgement, and the kill in the moment it arrives."""
    server, stations = await open_place(tmp_path)
    station = stations[0]
    heard = Acknowledged()
    async with aiohttp.ClientSession() as session:
        driver = Driver(server, station, 1, heard, "acknowledged")
        answer = await scan(server, session)
        await server.kill()
        bolt11 = answer["pr"]
        assert server.read(count, "SELECT count(*) FROM payments_invoices WHERE bolt11 = ?", bolt11) == 1
        assert server.read(count, "SELECT count(*) FROM session WHERE status = 'offered'") == 1
        await server.start()

        await station.until(lambda one: one.online, timeout_s=120)
        answer = await scan(server, session)  # the first offer was withdrawn while the line was down
        assert await driver._pay(session, answer["pr"])
        await station.plug(1)
        await station.until(lambda one: bool(one.truths) and one.truths[0].start_answered, timeout_s=120)
        await server.kill()
        truth = station.truths[0]
        assert server.read(count, "SELECT count(*) FROM station_transaction WHERE id = ?", truth.transaction_id) == 1
        await server.start()

        await station.until(lambda one: one.online and flowed_wh(one, 1) > 5, timeout_s=120)
        await station.unplug(1)
        await station.until(lambda one: one.truths[0].stop_answered, timeout_s=120)
        await server.kill()
        ended = "SELECT count(*) FROM session WHERE status = 'ended' AND transaction_id = ? AND energy_wh = ?"
        assert server.read(count, ended, truth.transaction_id, truth.energy_wh) == 1
        await server.start()

        secret = answer["successAction"]["url"].rpartition("/")[2]
        for _ in range(5):
            if not heard.claims:
                await driver._take_change(session, secret)
        assert heard.claims, await server.get(session, f"/lnurl/withdraw/{secret}")
        await server.kill()
        assert server.read(heard.missing, stations) == []
        await server.start()
    await settle(server, stations)
    for one in stations:
        await one.stop()
    await server.stop()
    assert server.read(count, "SELECT count(*) FROM payments_payouts WHERE state = 'done'") == 1
