"""The real server as a process of its own: started, killed with SIGKILL, started again over the same data."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp
from sqlalchemy import Connection, event

from commonwatt import stations, tariffs
from commonwatt.adapters.payment.lnd.regtest import free_ports
from commonwatt.kernel import EUR, RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, open_engine

READY_S = 60
SETTINGS = {
    "COMMONWATT_STATIONS_AUTH": "open-for-trial",
    "COMMONWATT_CHARGING_SAMPLE_S": "1",
    "COMMONWATT_CHARGING_START_TIMEOUT_S": "60",
    "COMMONWATT_CHARGING_STOP_TIMEOUT_S": "10",
    "COMMONWATT_PAYMENTS_INVOICE_EXPIRY_S": "30",
    "COMMONWATT_LOG_LEVEL": "warning",
}
"""Short waits, so that what a kill interrupted ends soon."""


class Server:
    """`commonwatt serve` over one folder; ports stay the same over restarts, as a real installation's do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kills = 0
        self.ready = asyncio.Event()
        self._ports = tuple(free_ports(2))
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    @property
    def stations_url(self) -> str:
        return f"ws://127.0.0.1:{self._ports[1]}/ocpp"

    async def start(self) -> None:
        command = [sys.executable, "-m", "commonwatt.main", "serve", "--json", "--data", str(self.folder)]
        command += ["--http", f"127.0.0.1:{self._ports[0]}", "--stations", f"127.0.0.1:{self._ports[1]}"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=log, env=os.environ | SETTINGS
            )
        line = await asyncio.wait_for(self._process.stdout.readline(), READY_S)
        assert line, f"the server did not start: {(self.folder / 'server.log').read_text()[-3000:]}"
        facts = json.loads(line)
        self._ports = (facts["http_port"], facts["stations_port"])
        self.ready.set()

    async def kill(self) -> None:
        """End it as a power cut would: no warning, no last word."""
        self.ready.clear()
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()
        self.kills += 1

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), 30)

    def read(self, query, *args):
        """Ask the database file, read-only, beside the server or without it."""
        return _ask(self.folder / "commonwatt.sqlite", query, *args)

    def read_sandbox(self, query, *args):
        return _ask(self.folder / "sandbox.sqlite", query, *args)

    async def furnish(self, identities) -> None:
        """Admit stations and set a price, as an owner does."""
        database = Database(open_engine(self.folder / "commonwatt.sqlite"), SystemClock(), RandomIds())
        try:
            await database.write(_furnish, identities)
        finally:
            database.close()

    async def get(self, session: aiohttp.ClientSession, path: str, **query: str):
        """Ask the server; None when it is not there, or dies before it answers."""
        return await self._talk(session.get, path, params=query)

    async def post(self, session: aiohttp.ClientSession, path: str, body):
        return await self._talk(session.post, path, json=body)

    async def _talk(self, method, path, **more):
        try:
            async with method(f"{self.url}{path}", timeout=aiohttp.ClientTimeout(total=20), **more) as answer:
                return await answer.json()
        except (aiohttp.ClientError, ConnectionError, TimeoutError, ValueError):
            return None


def _ask(path, query, *args):
    engine = open_engine(path)
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA query_only=ON"))
    try:
        with engine.connect() as connection:
            return query(connection, *args)
    finally:
        engine.dispose()


def _furnish(work, identities) -> None:
    for identity in identities:
        stations.add_station(work, identity, with_password=False)
    draft = tariffs.Tariff(
        "", "", "Standard", EUR,
        (tariffs.Element((tariffs.Component(tariffs.Kind.ENERGY, 450_000, 200_000),)),), vat_included=True,
    )  # fmt: skip
    tariffs.assign_tariff(work, tariffs.create_tariff(work, draft).id)


def count(sql: Connection, query: str, *values) -> int:
    return int(sql.exec_driver_sql(query, values).scalar_one())
