"""LNURL callback to invoice: CPU time of one call, and how long it takes with 50 wallets at once.

The real server over HTTP, without its limit of calls per address, with the sandbox as its rail. A station is
connected, so that every call opens a session, locks tariff and rate, and has an invoice signed and stored. First one
wallet calls again and again (CPU per call), then 50 do (CPU per call, and the 50th and 99th percentile of the wait).
They call at many connectors, for none has room for more than 64 offers that nobody pays. At last one wallet floods a
connector, so that each call withdraws the oldest offer there, its invoice with it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from bench.figures import Figure

from commonwatt.charging.rules import DEFAULT

WALLETS = 50
FLOOD = 50
OFFERS_MAX = DEFAULT.offers_max
SERVER = Path(__file__).parent / "lnurl_server.py"


class Server:
    """The server process."""

    def __init__(self, folder: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.facts = json.loads(self.process.stdout.readline())

    def cpu_s(self) -> float:
        """Return its CPU seconds until now."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["cpu_s"]

    def close(self) -> None:
        """End it and wait."""
        self.process.stdin.close()
        self.process.wait(timeout=30)


async def connect(session: aiohttp.ClientSession, url: str, connectors: int) -> aiohttp.ClientWebSocketResponse:
    """Be the station: online, its connectors free."""
    socket = await session.ws_connect(f"{url}/CP-1", protocols=("ocpp1.6",))
    boot = {"chargePointVendor": "Bench", "chargePointModel": "One"}
    free = [{"connectorId": 1 + one, "errorCode": "NoError", "status": "Available"} for one in range(connectors)]
    said_first = [("BootNotification", boot), *(("StatusNotification", status) for status in free)]
    for number, (action, said) in enumerate(said_first):
        await socket.send_str(json.dumps([2, str(number), action, said]))
        while json.loads((await socket.receive()).data)[0] != 3:
            pass
    return socket


async def answer_calls(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Say yes to whatever the server asks of the station."""
    async for message in socket:
        call = json.loads(message.data)
        if call[0] == 2:
            answer = {"configurationKey": []} if call[2] == "GetConfiguration" else {"status": "Accepted"}
            await socket.send_str(json.dumps([3, call[1], answer]))


async def call_back(session: aiohttp.ClientSession, urls: list[str], times: int, first: int = 0) -> list[float]:
    """Ask for invoices, one after the other, each at the next connector; return how long each took, in ms."""
    waits = []
    for turn in range(times):
        began = time.perf_counter()
        async with session.get(
            urls[(first + turn) % len(urls)], params={"amount": str(1_000_000 + 1000 * turn)}
        ) as answer:
            said = await answer.json()
        assert "pr" in said, said
        waits.append(1000 * (time.perf_counter() - began))
    return waits


async def figures(calls: int) -> list[Figure]:
    """Measure with one wallet, then with all."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                names = server.facts["connectors"]
                socket = await connect(session, server.facts["stations"], len(names))
                station = asyncio.create_task(answer_calls(socket))
                urls = [f"http://127.0.0.1:{server.facts['http']}/lnurl/pay/{name}/callback" for name in names]
                await call_back(session, urls, 20)
                before = server.cpu_s()
                alone = await call_back(session, urls, calls)
                between = server.cpu_s()
                each = max(1, calls // WALLETS)
                waits = await asyncio.gather(*(call_back(session, urls, each, wallet) for wallet in range(WALLETS)))
                after = server.cpu_s()
                await call_back(session, urls[:1], OFFERS_MAX)
                full = server.cpu_s()
                await call_back(session, urls[:1], FLOOD)
                flooded = server.cpu_s()
                station.cancel()
        finally:
            server.close()
    together = [wait for some in waits for wait in some]
    cuts = statistics.quantiles(together, n=100)
    return [
        Figure("LNURL callback to invoice, one wallet", "ms CPU per call", (1000 * (between - before) / calls,)),
        Figure("LNURL callback, one wallet, wait, median", "ms", (statistics.median(alone),)),
        Figure("LNURL callback to invoice, 50 wallets", "ms CPU per call", (1000 * (after - between) / len(together),)),
        Figure("LNURL callback, 50 wallets, wait, median", "ms", (cuts[49],)),
        Figure("LNURL callback, 50 wallets, wait, p99", "ms", (cuts[98],)),
        Figure("LNURL callback that withdraws an offer", "ms CPU per call", (1000 * (flooded - full) / FLOOD,)),
    ]
