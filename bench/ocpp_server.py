"""The server under test, in a process of its own: says its port, then its CPU seconds whenever asked."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import sys
import tempfile
import time
from pathlib import Path

import psutil
import uvloop
from aiohttp import WSMsgType, web

from commonwatt.adapters.station.admission import Policy, Strangers
from commonwatt.adapters.station.dialect import Caller
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.listener import Listener, start_listener
from commonwatt.adapters.station.ocpp16 import Ocpp16
from commonwatt.adapters.station.ocpp16.check import checked
from commonwatt.adapters.station.ports import Ports
from commonwatt.charging.reports import Authorisation, StartAnswer
from commonwatt.kernel import RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.protocols.ocppj import FRAME_MAX, compose_result, parse
from ocpp_house import PricedHouse
from ocpp_peer import answer_as_peer

STORES = ("books", "charging", "members", "metering", "payments", "stations", "tariffs")


def silent_ports() -> Ports:
    """Charging that prices nothing: what remains is validating and storing the frame."""
    return Ports(
        authorise=lambda _work, _station, _tag: Authorisation.ACCEPTED,
        start_transaction=lambda _work, _report: StartAnswer(1, Authorisation.ACCEPTED),
        record_samples=lambda _work, reports: [None] * len(reports),
        stop_transaction=lambda _work, _report: None,
        note_status=lambda _work, _report: None,
        note_boot=lambda _work, _station, _now: None,
        note_offline=lambda _work, _station: None,
    )


async def serve_stations(folder: Path) -> tuple[Listener, Database]:
    for feature in STORES:
        try:
            importlib.import_module(f"commonwatt.{feature}.store")
        except ModuleNotFoundError:
            continue
    engine = open_engine(folder / "bench.sqlite")
    create_tables(engine)
    clock, ids = SystemClock(), RandomIds()
    database = Database(engine, clock, ids)
    ports = silent_ports()
    hub = Hub(database, clock, ids, ports)
    listener = await start_listener(
        "127.0.0.1",
        0,
        database=database,
        clock=clock,
        hub=hub,
        policy=Policy(require_password=False, strangers=Strangers.ADMIT),
        dialects=[Ocpp16(database, ports)],
    )
    return listener, database


async def serve_sockets(what: str) -> int:
    """Serve bare sockets: an echo, one that validates before it answers, or the peer."""
    caller = Caller("bench", clock=SystemClock(), flag=lambda *_: None)
    validating = what == "validating-echo"

    async def enter(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("ocpp1.6",), compress=False, max_msg_size=FRAME_MAX, autoping=False)
        await socket.prepare(request)
        if what == "peer":
            await answer_as_peer(socket, request.match_info["identity"])
            return socket
        while (message := await socket.receive()).type is WSMsgType.TEXT:
            text = message.data
            if validating:
                call = parse(text)
                checked(caller, call.action, call.payload)
                text = compose_result(call.id, {})
            await socket.send_str(text)
        return socket

    application = web.Application()
    application.router.add_get("/ocpp/{identity}", enter)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner.addresses[0][1]


def used(*, memory: bool) -> dict[str, float]:
    """Return the CPU seconds until now, and the memory where it is asked for: that costs time of its own."""
    cpu_s = time.process_time()
    if not memory:
        return {"cpu_s": cpu_s}
    gc.collect()
    return {"cpu_s": cpu_s, "pss": psutil.Process().memory_full_info().pss}


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["priced", "stored", "echo", "validating-echo", "peer"])
    parser.add_argument("--profile", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = listener = database = None
        if arguments.what == "priced":
            house = PricedHouse(Path(folder))
            port = await house.open()
        elif arguments.what == "stored":
            listener, database = await serve_stations(Path(folder))
            port = listener.port
        else:
            port = await serve_sockets(arguments.what)
        print(json.dumps({"port": port}), flush=True)
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        profiler = None
        if arguments.profile:
            import cProfile  # noqa: PLC0415 (only when asked)

            profiler = cProfile.Profile(time.thread_time)
        while line := await reader.readline():
            word, _, rest = line.decode().strip().partition(" ")
            if word == "pay" and house is not None:
                await house.pay(rest)
                print("{}", flush=True)
                continue
            if profiler:
                profiler.enable()
            print(json.dumps(used(memory=word == "memory")), flush=True)
        if profiler:
            profiler.disable()
            profiler.dump_stats(arguments.profile)
        if house is not None:
            await house.close()
        if listener is not None and database is not None:
            await listener.close()
            database.close()


if __name__ == "__main__":
    uvloop.run(main())
