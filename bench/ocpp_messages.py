"""Messages per CPU-second of the server: 40 stations, each with one call outstanding, from a second process.

    python bench/ocpp_messages.py [--seconds 4] [--stations 40] [--only stored/MeterValues] [--profile FILE]

Time is the server process's own user plus system time, over all its threads, during the measured seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import uvloop

HERE = Path(__file__).parent
WARM_S = 1.0


def sampled(value: str, measurand: str, unit: str) -> dict[str, str]:
    return {
        "value": value, "context": "Sample.Periodic", "format": "Raw", "measurand": measurand, "location": "Outlet",
        "unit": unit,
    }  # fmt: skip


def meter_values(turn: int, transaction_id: int) -> dict[str, object]:
    """The frame of 663 bytes with four samples that the targets speak of."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values = [
        sampled(f"{1_000_000 + turn / 100:.1f}", "Energy.Active.Import.Register", "Wh"),
        sampled("7360.0", "Power.Active.Import", "W"),
        sampled("32.0", "Current.Import", "A"),
        sampled("230.0", "Voltage", "V"),
    ]
    return {
        "connectorId": 1,
        "transactionId": transaction_id,
        "meterValue": [{"timestamp": at, "sampledValue": values}],
    }


def payload(action: str, turn: int, transaction_id: int) -> dict[str, object]:
    if action == "MeterValues":
        return meter_values(turn, transaction_id)
    if action == "StatusNotification":
        return {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    if action == "StatusChanges":
        return {"connectorId": 1, "errorCode": "NoError", "status": ["Available", "Preparing"][turn % 2]}
    return {}


class Server:
    """The server process, asked for its CPU seconds through its pipes."""

    def __init__(self, what: str, profile: str | None) -> None:
        command = [sys.executable, str(HERE / "ocpp_server.py"), what]
        command += ["--profile", profile] if profile else []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def ask(self, words: str = "") -> dict[str, float]:
        """Return its CPU seconds and memory until now, or have a connector's session paid for."""
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End it and wait."""
        self.process.stdin.close()
        self.process.wait(timeout=30)


async def hear(socket: aiohttp.ClientWebSocketResponse, tags: list[str]) -> str:
    """Return the next answer; say yes to whatever the server asks meanwhile, and keep the id tag of a remote start."""
    while True:
        text = (await socket.receive()).data
        if text[1] != "2":
            assert text[1] != "4", text
            return text
        _, message_id, action, asked = json.loads(text)
        if action == "RemoteStartTransaction":
            tags.append(asked["idTag"])
        answer = {"configurationKey": []} if action == "GetConfiguration" else {"status": "Accepted"}
        await socket.send_str(json.dumps([3, message_id, answer]))


async def begin(socket: aiohttp.ClientWebSocketResponse, server: Server, name: str) -> int:
    """Have a session paid for, and start it as a station does; return the transaction's number."""
    tags: list[str] = []
    boot = {"chargePointVendor": "Bench", "chargePointModel": "One"}
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}
    for action, said in (("BootNotification", boot), ("StatusNotification", status)):
        await socket.send_str(json.dumps([2, action, action, said]))
        await hear(socket, tags)
    await asyncio.get_running_loop().run_in_executor(None, server.ask, f"pay {name.lower()}-1")
    while not tags:
        await socket.send_str('[2,"wait","Heartbeat",{}]')
        await hear(socket, tags)
        await asyncio.sleep(0.05)
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    start = {"connectorId": 1, "idTag": tags[0], "meterStart": 1_000_000, "timestamp": at}
    await socket.send_str(json.dumps([2, "start", "StartTransaction", start]))
    return json.loads(await hear(socket, tags))[2]["transactionId"]


async def charge(socket: aiohttp.ClientWebSocketResponse, action: str, transaction_id: int, state: dict) -> None:
    """Repeat a call, closed loop, until told to stop."""
    name = "StatusNotification" if action == "StatusChanges" else action
    tags: list[str] = []
    for turn in itertools.count():
        if state["stop"]:
            return
        call = json.dumps([2, f"0198f0a0-{turn:012d}", name, payload(action, turn, transaction_id)])
        await socket.send_str(call)
        if state["echo"]:
            await socket.receive()
        else:
            await hear(socket, tags)
        state["done"] += 1


async def measure(what: str, action: str, stations: int, seconds: float, profile: str | None) -> dict[str, float]:
    server = Server(what, profile)
    state = {"stop": False, "done": 0, "echo": "echo" in what}
    try:
        async with aiohttp.ClientSession() as session:
            sockets = [
                await session.ws_connect(f"ws://127.0.0.1:{server.port}/ocpp/CP-{n}", protocols=("ocpp1.6",))
                for n in range(stations)
            ]
            numbers = [1] * stations
            if what == "priced":
                numbers = [await begin(socket, server, f"CP-{n}") for n, socket in enumerate(sockets)]
            tasks = [
                asyncio.create_task(charge(socket, action, number, state))
                for socket, number in zip(sockets, numbers, strict=True)
            ]
            await asyncio.sleep(WARM_S)
            before, done, start = server.ask(), state["done"], time.monotonic()
            await asyncio.sleep(seconds)
            after, count, wall = server.ask(), state["done"] - done, time.monotonic() - start
            state["stop"] = True
            await asyncio.gather(*tasks)
            for socket in sockets:
                await socket.close()
    finally:
        server.close()
    cpu = after["cpu_s"] - before["cpu_s"]
    return {"per_cpu_s": count / cpu, "per_s": count / wall, "cpu_share": cpu / wall}


async def measure_idle(stations: int) -> float:
    """Return KiB of memory for each connection that sent one heartbeat and is idle."""
    server = Server("stored", None)
    sockets = []
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            sizes = []
            for first, last in ((0, 200), (200, 200 + stations)):
                for n in range(first, last):
                    socket = await session.ws_connect(
                        f"ws://127.0.0.1:{server.port}/ocpp/CP-{n}", protocols=("ocpp1.6",)
                    )
                    await socket.send_str('[2,"1","Heartbeat",{}]')
                    await socket.receive()
                    sockets.append(socket)
                await asyncio.sleep(2)
                sizes.append(server.ask("memory")["pss"])
            assert not any(socket.closed for socket in sockets)
    finally:
        server.close()
    return (sizes[1] - sizes[0]) / stations / 1024


CASES = [
    ("echo", "MeterValues"),
    ("validating-echo", "MeterValues"),
    ("peer", "MeterValues"),
    ("peer", "Heartbeat"),
    ("peer", "StatusNotification"),
    ("stored", "Heartbeat"),
    ("stored", "StatusNotification"),
    ("stored", "StatusChanges"),
    ("stored", "MeterValues"),
    ("priced", "MeterValues"),
]


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--stations", type=int, default=40)
    parser.add_argument("--only", default="")
    parser.add_argument("--profile")
    arguments = parser.parse_args()
    assert len(json.dumps([2, "0198f0a0-000000000000", "MeterValues", meter_values(1, 1)])) in range(600, 720)
    for what, action in CASES:
        if arguments.only in f"{what}/{action}":
            result = await measure(what, action, arguments.stations, arguments.seconds, arguments.profile)
            figures = " ".join(f"{key}={value:,.2f}" for key, value in result.items())
            print(f"{what}/{action}: {figures}", flush=True)
    if arguments.only in "idle":
        print(f"idle: {await measure_idle(1000):.1f} KiB per connection", flush=True)


if __name__ == "__main__":
    uvloop.run(main())
