"""Who connects to the stations' port has some seconds and some room to say who he is; a station then stays for good."""

import asyncio
import contextlib

import pytest
from tests.conftest import declare_tables

from commonwatt.adapters.station.admission import Policy, Strangers
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.listener import start_listener
from commonwatt.adapters.station.ocpp16 import Ocpp16
from commonwatt.kernel import RandomIds
from commonwatt.kit import crowd as limits
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.crowd import Crowd
from commonwatt.kit.database import Database, create_tables, open_engine

from .world import Charging

UPGRADE = (
    b"GET /ocpp/%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: ocpp1.6\r\n"
)
PING, PONG = b"\x89\x80\x00\x00\x00\x00", b"\x8a\x00"


@pytest.fixture
def crowd():
    return Crowd(3)


@pytest.fixture
async def call(tmp_path, crowd):
    declare_tables()
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    database = Database(engine, SystemClock(), RandomIds())
    ports = Charging().ports()
    listener = await start_listener(
        "127.0.0.1", 0, database=database, clock=database.clock, hub=Hub(database, database.clock, database.ids, ports),
        policy=Policy(require_password=False, strangers=Strangers.ADMIT), dialects=[Ocpp16(database, ports)],
        crowd=crowd,
    )  # fmt: skip
    opened = []

    async def call(data=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        opened.append(writer)
        writer.write(data)
        return reader, writer

    async with asyncio.timeout(30):
        yield call
        for writer in opened:
            writer.close()
        await listener.close()
        assert crowd.count == 0
    database.close()


async def ended(reader):
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


async def until(crowd, count):
    while crowd.count != count:  # noqa: ASYNC110 (the kernel tells of an end when it likes)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("said", [b"", b"GET /oc", UPGRADE % b"CP-1", b"\r\n", b"GET /ocpp/CP-1 HTTP/1.1\n\n"])
async def test_a_handshake_that_does_not_end_is_cut_off(call, crowd, monkeypatch, said):
    monkeypatch.setattr(limits, "HEAD_S", 0.2)
    reader, _ = await call(said)
    assert await ended(reader) == b""
    await until(crowd, 0)


async def test_a_station_stays_and_its_handshake_may_come_in_pieces(call, crowd, monkeypatch):
    monkeypatch.setattr(limits, "HEAD_S", 0.3)
    reader, writer = await call()
    for byte in UPGRADE % b"CP-1" + b"\r\n":
        writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    doomed, _ = await call(b"GET")
    assert await ended(doomed) == b""
    writer.write(PING)
    assert await reader.readexactly(2) == PONG
    assert crowd.count == 1


async def test_frames_in_the_packet_of_the_handshake_are_not_lost(call):
    reader, _ = await call(UPGRADE % b"CP-1" + b"\r\n" + PING)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert await reader.readexactly(2) == PONG


@pytest.mark.parametrize("end", [b"", b"\r\n"])
async def test_a_head_that_is_too_large_is_refused(call, crowd, end):
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(70))
    reader, _ = await call(UPGRADE % b"CP-1" + lines + end)
    assert (await ended(reader)).startswith(b"HTTP/1.1 431 ")
    await until(crowd, 0)


@pytest.mark.parametrize("path", [b"/ocpp/CP-1", b"/elsewhere", b"/ocpp/%s" % (b"x" * 500)])
async def test_a_refusal_ends_the_connection(call, crowd, path):
    """A second, slow request behind a first one in good order would have no deadline."""
    reader, _ = await call(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
    assert (await ended(reader)).startswith(b"HTTP/1.1 4")
    await until(crowd, 0)


async def test_what_is_no_http_is_refused(call, crowd):
    reader, _ = await call(b"\x16\x03\x01 what is this\r\n\r\n")
    assert (await ended(reader)).split(b"\r\n")[0].endswith(b" 400 Bad Request")
    await until(crowd, 0)


async def test_a_full_port_says_so_and_takes_the_next_when_one_leaves(call, crowd):
    stations = []
    for name in (b"CP-1", b"CP-2", b"CP-3"):
        stations.append(await call(UPGRADE % name + b"\r\n"))
        await stations[-1][0].readuntil(b"\r\n\r\n")
    reader, _ = await call(UPGRADE % b"CP-4" + b"\r\n")
    refused = await ended(reader)
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"Try again in a few seconds." in refused
    stations[0][1].close()
    await until(crowd, 2)
    reader, _ = await call(UPGRADE % b"CP-4" + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
