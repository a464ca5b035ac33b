"""What a refused, a waiting and a mistyped virtual station says, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web

from commonwatt.adapters.station.virtual import VirtualStation
from commonwatt.adapters.station.virtual.cli import _not_understood, _typed_to

RUN = [sys.executable, "-m", "commonwatt.main", "station", "run", "--identity", "CP-1"]


@pytest.fixture
async def refusing(unused_tcp_port):
    """A server that refuses every station with a reason."""

    async def refuse(_request):
        return web.Response(status=401, text="The password of this station is missing or wrong.\nMore.")

    application = web.Application()
    application.router.add_get("/ocpp/{identity}", refuse)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    yield f"ws://127.0.0.1:{unused_tcp_port}/ocpp"
    await runner.cleanup()


@pytest.mark.sockets
async def test_a_refusal_is_told_in_the_servers_words(refusing):
    told = []
    station = VirtualStation("CP-1", refusing, password="wrong-wrong-wrong", tell=told.append)
    await station.start()
    await station.until(lambda station: station.unwelcome)
    await asyncio.sleep(0)
    await station.stop()
    assert 'The server says: "The password of this station is missing or wrong."' in told[0]
    assert "(401); ask its operator for the right one. The server says" in told[0]
    assert "Dials again" in told[0]
    assert "More" not in told[0]


@pytest.mark.sockets
async def test_a_refused_password_ends_the_command(refusing):
    process = await asyncio.create_subprocess_exec(
        *RUN, "--url", refusing, "--password", "wrong", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"It does not dial again." in out
    assert b"Dials again" not in out


@pytest.mark.sockets
async def test_a_network_that_is_down_is_told_in_words(unused_tcp_port):
    told = []
    station = VirtualStation("CP-1", f"ws://127.0.0.1:{unused_tcp_port}/ocpp", tell=told.append)
    await station.start()
    await station.until(lambda _: bool(told) or station.online)
    await station.stop()
    assert f"no connection to ws://127.0.0.1:{unused_tcp_port}/ocpp/CP-1: connection refused. Dials again" in told[0]


@pytest.mark.sockets
async def test_once_ends_when_the_station_is_refused(refusing):
    process = await asyncio.create_subprocess_exec(
        *RUN, "--url", refusing, "--once", "--json", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert "401" in json.loads(out.splitlines()[0])["told"]


async def test_a_waiting_station_says_how_it_gets_in(csms, station_of):
    told = []
    csms.answers["BootNotification"] = {"status": "Pending", "interval": 5, "currentTime": "2026-05-01T12:00:00Z"}
    station = station_of(tell=told.append)
    await station.start()
    await asyncio.sleep(2)
    assert any("admit it: commonwatt station admit CP-1" in line for line in told)


async def test_a_connector_that_is_not_there_is_named(csms, station_of):
    assert "has 1 to 2" in _not_understood(station_of(connectors=2), ["plug", "9"])
    assert "has only 1" in _not_understood(station_of(), ["plug", "9"])
    assert _not_understood(station_of(), ["dance"]).startswith("unknown: dance")


def test_words_come_by_a_pipe_too():
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe, os.fdopen(writing, "w"):
        assert _typed_to(pipe)
    with Path(os.devnull).open() as nothing:
        assert not _typed_to(nothing)
