"""Whoever talks slowly, much, or not at all, takes nobody else's place; whoever listens for long is left in peace."""

import asyncio
import contextlib

import pytest

from commonwatt.kit import crowd as limits
from commonwatt.kit.crowd import Crowd
from commonwatt.kit.web import listen, serve

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


class App:
    """Answers at once; `/slow` when it is told to, `/body` when it has read all."""

    def __init__(self):
        self.go = asyncio.Event()
        self.asked = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        self.asked += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"transfer-encoding", b"chunked")]})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        if scope["path"] == "/slow":
            await self.go.wait()
        while scope["path"] == "/body" and (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.body", "body": b"last"})


@contextlib.asynccontextmanager
async def port(crowd=None):
    app = App()
    sock = listen("127.0.0.1", 0)
    server = await serve(app, sock, crowd=crowd)
    opened = []

    async def call(data=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        opened.append(writer)
        writer.write(data)
        return reader, writer

    try:
        async with asyncio.timeout(30):
            yield app, call
    finally:
        app.go.set()
        for writer in opened:
            writer.close()
        await server.stop()


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(limits, "HEAD_S", 0.2)


async def ended(reader):
    """Return what came until the end; a reset is an end too."""
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


async def answer(reader):
    return await reader.readuntil(b"0\r\n\r\n")


@pytest.mark.parametrize("said", [b"", b"G", HEAD, HEAD + b"X-Long: 1\r\nX-Lon", b"\r\n\r\n", b"GET / HTTP/1.1"])
async def test_a_head_that_does_not_end_is_cut_off(hasty, said):
    async with port() as (app, call):
        reader, _ = await call(said)
        assert await ended(reader) == b""
        assert app.asked == 0


async def test_drop_by_drop_is_no_way_around(hasty):
    async with port() as (app, call):
        reader, writer = await call(HEAD)
        end = asyncio.create_task(ended(reader))
        while not end.done():
            writer.write(b"X: y\r\n")
            await asyncio.sleep(0.02)
        assert app.asked == 0


@pytest.mark.parametrize("second", [b"GE", HEAD, b"\r\n", HEAD + b"X: y\r\n"])
async def test_the_second_head_has_the_same_time(hasty, second):
    """A first request in good order must not buy a connection that lasts."""
    async with port() as (app, call):
        reader, writer = await call(HEAD + b"\r\n")
        assert b"last" in await answer(reader)
        writer.write(second)
        assert await ended(reader) == b""
        assert app.asked == 1


async def test_a_second_head_in_the_packet_of_the_first_has_the_same_time(hasty):
    async with port() as (app, call):
        reader, _ = await call(HEAD + b"\r\n" + HEAD)
        assert (await ended(reader)).count(b"last") == 1
        assert app.asked == 1


async def test_live_streams_slow_bodies_and_idle_browsers_live_on(hasty):
    async with port() as (app, call):
        stream, _ = await call(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        upload, sending = await call(b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n1")
        idle, again = await call(HEAD + b"\r\n")
        await answer(idle)
        await stream.readuntil(b"first")
        await upload.readuntil(b"first")
        doomed, _ = await call(b"G")
        assert await ended(doomed) == b""
        again.write(HEAD + b"\r\n")
        assert b"last" in await answer(idle)
        sending.write(b"2")
        assert b"last" in await answer(upload)
        app.go.set()
        assert b"last" in await answer(stream)


@pytest.mark.parametrize("whole", [True, False])
async def test_a_head_that_is_too_large_is_refused(whole):
    async with port() as (app, call):
        lines = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(70))
        reader, _ = await call(HEAD + lines + (b"\r\n" if whole else b""))
        assert (await ended(reader)).startswith(b"HTTP/1.1 431 ")
        assert app.asked == 0


async def test_one_header_without_an_end_is_refused():
    async with port() as (app, call):
        reader, _ = await call(HEAD + b"X: " + b"y" * 70_000)
        assert (await ended(reader)).startswith(b"HTTP/1.1 431 ")
        assert app.asked == 0


async def test_a_head_of_usual_size_and_a_large_body_pass():
    async with port() as (_, call):
        cookie = b"Cookie: " + b"c" * 20_000 + b"\r\n"
        body = b"Content-Length: 200000\r\n\r\n" + b"b" * 200_000
        reader, _ = await call(b"POST /body HTTP/1.1\r\nHost: localhost\r\n" + cookie + body)
        assert b"last" in await answer(reader)


async def test_what_is_no_http_is_answered_once():
    async with port() as (_, call):
        reader, _ = await call(b"\x16\x03\x01 what is this\r\n\r\n")
        assert (await ended(reader)).startswith(b"HTTP/1.1 400 ")


async def test_a_full_port_says_so_and_has_room_again_when_somebody_leaves():
    crowd = Crowd(2)
    async with port(crowd) as (app, call):
        held = [await call(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(2)]
        for reader, _ in held:
            await reader.readuntil(b"first")
        refused, _ = await call(HEAD + b"\r\n")
        assert (await ended(refused)).startswith(b"HTTP/1.1 503 ")
        assert crowd.count == 2
        held[0][1].close()
        while crowd.count == 2:  # noqa: ASYNC110 (the kernel tells of the end when it likes)
            await asyncio.sleep(0.01)
        reader, _ = await call(HEAD + b"\r\n")
        assert b"last" in await answer(reader)
        assert app.asked == 3
    assert crowd.count == 0
