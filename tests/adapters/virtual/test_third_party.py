"""Over real WebSockets, with the PyPI package `ocpp` as the server: an outsider understands this station."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from aiohttp import encode_basic_auth, web
from click.testing import CliRunner
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.datatypes import IdTagInfo

from commonwatt.adapters.station.virtual import Car, Faults, VirtualStation
from commonwatt.adapters.station.virtual.cli import run_station
from commonwatt.adapters.station.virtual.transport import station_url
from commonwatt.kit.cli import Program

pytestmark = pytest.mark.sockets
CAR = Car(battery_wh=50_000, stored_wh=0, power_w_max=11_000, knee=1.0)


class Socket:
    """What the package wants of a connection."""

    def __init__(self, ws):
        self.ws = ws

    async def recv(self):
        return await self.ws.receive_str()

    async def send(self, text):
        await self.ws.send_str(text)


class Central(ChargePoint):
    """A central system of the package, as its documentation builds one."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.heard = []

    @on("BootNotification")
    def on_boot(self, **_payload):
        self.heard.append("BootNotification")
        return call_result.BootNotification(datetime.now(UTC).isoformat(), 300, "Accepted")

    @on("StatusNotification")
    def on_status(self, status, **_payload):
        self.heard.append(status)
        return call_result.StatusNotification()

    @on("StartTransaction")
    def on_start(self, **_payload):
        self.heard.append("StartTransaction")
        return call_result.StartTransaction(77, IdTagInfo(status="Accepted"))

    @on("MeterValues")
    def on_values(self, **_payload):
        self.heard.append("MeterValues")
        return call_result.MeterValues()

    @on("StopTransaction")
    def on_stop(self, meter_stop, reason, **_payload):
        self.heard.append(f"StopTransaction {meter_stop} {reason}")
        return call_result.StopTransaction()

    @on("Authorize")
    def on_authorize(self, **_payload):
        return call_result.Authorize(IdTagInfo(status="Accepted"))


@pytest.fixture
async def server():
    """The central system on a free port; yields (url, connected central systems, seen requests)."""
    centrals, requests = [], []

    async def handle(request):
        requests.append(request)
        if request.match_info["identity"] == "STRANGER":
            raise web.HTTPNotFound
        ws = web.WebSocketResponse(protocols=["ocpp1.6"])
        await ws.prepare(request)
        central = Central(request.match_info["identity"], Socket(ws))
        centrals.append(central)
        try:
            await central.start()
        except TypeError:
            await ws.close()
        return ws

    app = web.Application()
    app.router.add_get("/ocpp/{identity}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    yield f"ws://127.0.0.1:{port}/ocpp", centrals, requests
    await runner.cleanup()


async def test_a_remotely_started_charge(server):
    url, centrals, requests = server
    station = VirtualStation("CP 1/ü", url, password="sesame", speed=600)
    await station.start()
    await station.until(lambda station: station.online and station.owes == 0)
    central = centrals[0]
    assert requests[0].match_info["identity"] == "CP 1/ü"
    assert requests[0].headers["Authorization"] == encode_basic_auth("CP 1/ü", "sesame")
    assert requests[0].headers["Sec-WebSocket-Protocol"] == "ocpp1.6"
    await station.plug(1, CAR)
    assert (await central.call(call.RemoteStartTransaction("ONCE", 1))).status == "Accepted"
    await station.until(lambda _: central.heard.count("MeterValues") >= 2)
    assert (await central.call(call.RemoteStopTransaction(77))).status == "Accepted"
    await station.until(lambda station: station.truths[0].settled)
    assert f"StopTransaction {station.truths[0].energy_wh} Remote" in central.heard
    assert (await central.call(call.GetConfiguration())).configuration_key
    await station.stop()


async def test_the_server_going_away_and_coming_back(server):
    url, centrals, _ = server
    station = VirtualStation("CP-1", url, speed=600)
    await station.start()
    await station.until(lambda station: station.online)
    await station.plug(1, CAR)
    await station.scan(1, "TAG")
    await station.until(lambda station: station.truths[0].start_answered)
    await centrals[0]._connection.ws.close()
    await station.until(lambda station: not station.online)
    await station.unplug(1)
    await station.until(lambda station: station.truths[0].settled)
    assert len(centrals) == 2
    assert "BootNotification" not in centrals[1].heard
    await station.stop()


async def test_no_subprotocol_on_request(server):
    url, _, requests = server
    station = VirtualStation("CP-1", url, faults=Faults.of("no-subprotocol"))
    await station.start()
    await station.until(lambda station: station.online)
    assert "Sec-WebSocket-Protocol" not in requests[0].headers
    await station.stop()


async def test_a_refused_station_says_who_must_do_what(server):
    told = asyncio.Queue()
    station = VirtualStation("STRANGER", server[0], tell=told.put_nowait)
    await station.start()
    assert "ask its operator to add or admit it" in await asyncio.wait_for(told.get(), 5)
    await station.stop()


@pytest.mark.parametrize("url", ["ws://h/ocpp", "ws://h/ocpp/", "ws://h/ocpp/CP%201"])
def test_the_address_ends_in_the_identity_once(url):
    assert station_url(url, "CP 1") == "ws://h/ocpp/CP%201"


async def test_the_command_line_runs_one_charge_and_ends(server):
    url, centrals, _ = server
    words = ["--identity", "CP-9", "--url", url, "--plug-after", "1", "--scan", "TAG", "--unplug-after", "3600"]
    options = ["--once", "--speed", "36000", "--json", "--charged", "0"]
    program = Program(lambda _: None, None)
    result = await asyncio.to_thread(CliRunner().invoke, run_station, [*words, *options], obj=program)
    assert result.exit_code == 0, result.output
    ended = [line for line in map(json.loads, result.output.splitlines()) if "ended" in line]
    assert len(ended) == 1
    assert ended[0]["energy_wh"] >= 11_000
    assert f"StopTransaction {ended[0]['energy_wh']} EVDisconnected" in centrals[0].heard
