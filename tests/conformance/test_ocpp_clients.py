"""Outsiders as charge points: PyPI `ocpp`, npm `ocpp-rpc`, and the checks of npm `ocpp-ws-cli`, on a real socket."""

import asyncio
import json
import os
import subprocess

import aiohttp
import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, AuthorizationStatus, ChargePointStatus, RegistrationStatus, RemoteStartStopStatus
from tests.conftest import declare_tables
from tests.peers import npm

from commonwatt import stations
from commonwatt.adapters.station.admission import Policy, Strangers
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.listener import start_listener
from commonwatt.adapters.station.ocpp16 import Ocpp16
from commonwatt.adapters.station.ports import Ports
from commonwatt.charging.reports import Authorisation, StartAnswer
from commonwatt.kernel import Done, RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, create_tables, open_engine

AT = "2026-05-01T12:00:00Z"


def willing_ports():
    """Charging that says yes to everything."""
    return Ports(
        authorise=lambda _work, _station, _tag: Authorisation.ACCEPTED,
        start_transaction=lambda _work, _report: StartAnswer(42, Authorisation.ACCEPTED),
        record_samples=lambda _work, reports: [None] * len(reports),
        stop_transaction=lambda _work, _report: Authorisation.ACCEPTED,
        note_status=lambda _work, _report: None,
        note_boot=lambda _work, _station, _now: None,
        note_offline=lambda _work, _station: None,
    )


@pytest.fixture
async def server(tmp_path):
    declare_tables()
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    clock, ids = SystemClock(), RandomIds()
    database = Database(engine, clock, ids)
    hub = Hub(database, clock, ids, willing_ports())
    listener = await start_listener(
        "127.0.0.1", 0, database=database, clock=clock, hub=hub,
        policy=Policy(require_password=False, strangers=Strangers.ADMIT), dialects=[Ocpp16(database, willing_ports())],
    )  # fmt: skip
    yield listener, hub, database
    await listener.close()
    database.close()


class Wire:
    """aiohttp's client socket, as the library wants it."""

    def __init__(self, socket):
        self.socket = socket

    async def recv(self):
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError
        return message.data

    async def send(self, text):
        await self.socket.send_str(text)


class Charger(ChargePoint):
    @on(Action.remote_start_transaction)
    def on_remote_start(self, **_more):
        return call_result.RemoteStartTransaction(RemoteStartStopStatus.accepted)

    @on(Action.get_configuration)
    def on_get_configuration(self, **_more):
        keys = [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]
        return call_result.GetConfiguration(configuration_key=keys)


async def test_the_python_library_charges(server):
    listener, hub, database = server
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{listener.port}/ocpp/PY-1"
        charger = Charger("PY-1", Wire(await session.ws_connect(url, protocols=("ocpp1.6",))))
        reading = asyncio.create_task(charger.start())
        boot = await charger.call(call.BootNotification("One", "Acme", firmware_version="1"))
        assert boot.status == RegistrationStatus.accepted
        await charger.call(call.StatusNotification(1, "NoError", ChargePointStatus.preparing, timestamp=AT))
        assert await hub.remote_start("PY-1", 1, "once") == Done(True)
        started = await charger.call(call.StartTransaction(1, "once", 0, AT))
        assert (started.transaction_id, started.id_tag_info["status"]) == (42, AuthorizationStatus.accepted)
        value = {"timestamp": AT, "sampledValue": [{"value": "21.4", "unit": "kWh"}]}
        await charger.call(call.MeterValues(1, [value], 42))
        stopped = await charger.call(call.StopTransaction(21400, AT, 42, id_tag="once"))
        assert stopped.id_tag_info["status"] == AuthorizationStatus.accepted
        assert (await hub.send("PY-1", "GetConfiguration", {})).value["configurationKey"][0]["value"] == "300"
        assert (await database.read(stations.list_configuration, "PY-1"))[0].key == "HeartbeatInterval"
        reading.cancel()


async def node(script, *arguments, cwd=None):
    environment = os.environ | {"PATH": npm.path(), "NODE_PATH": str(npm.modules())}
    process = await asyncio.create_subprocess_exec(
        str(npm.node()), *script, *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=environment, cwd=cwd,
    )  # fmt: skip
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    return process.returncode, output.decode(errors="replace")


STRICT = """
const { RPCClient } = require('ocpp-rpc');
(async () => {
  const endpoint = process.argv[1];
  const client = new RPCClient({ endpoint, identity: 'JS-1', protocols: ['ocpp1.6'], strictMode: true });
  client.handle('Reset', () => ({ status: 'Accepted' }));
  await client.connect();
  const told = {};
  told.boot = await client.call('BootNotification', { chargePointVendor: 'A', chargePointModel: 'B' });
  told.beat = await client.call('Heartbeat', {});
  await client.call('StatusNotification', { connectorId: 1, status: 'Preparing', errorCode: 'NoError' });
  const timestamp = new Date().toISOString();
  told.start = await client.call('StartTransaction', { connectorId: 1, idTag: 'T', meterStart: 0, timestamp });
  const sampledValue = [{ value: '1500', unit: 'Wh' }];
  await client.call('MeterValues', { connectorId: 1, transactionId: 42, meterValue: [{ timestamp, sampledValue }] });
  told.stop = await client.call('StopTransaction', { transactionId: 42, meterStop: 1500, timestamp });
  told.wrong = await client.call('SignCertificate', { csr: 'x' }).catch((error) => error.rpcErrorCode);
  console.log(JSON.stringify(told));
  await client.close();
})().catch((error) => { console.error(error); process.exit(1); });
"""


@pytest.mark.npm
async def test_the_strict_node_client_charges(server):
    npm.partner("ocpp-rpc")
    listener, _, _ = server
    code, output = await node(["-e", STRICT], f"ws://127.0.0.1:{listener.port}/ocpp")
    assert code == 0, output
    told = json.loads(output.splitlines()[-1])
    assert told["boot"]["status"] == "Accepted"
    assert told["start"] == {"transactionId": 42, "idTagInfo": {"status": "Accepted"}}
    assert told["stop"] == {"idTagInfo": {"status": "Accepted"}}
    assert told["wrong"] == "NotSupported"


@pytest.mark.npm
@pytest.mark.slow
async def test_all_checks_of_the_compliance_suite_pass(server, tmp_path):
    listener, _, _ = server
    endpoint = f"ws://127.0.0.1:{listener.port}/ocpp"
    code, output = await node(
        [str(npm.program("ocpp"))], "test", "-e", endpoint, "-i", "CP1", "-p", "ocpp1.6", "--suite", "all",
        "--report", "json", "--report-dir", str(tmp_path), cwd=tmp_path,
    )  # fmt: skip
    assert code == 0, output[-3000:]
    (report,) = tmp_path.glob("ocpp-test-report-*.json")
    counted = json.loads(report.read_text())["metrics"]
    assert (counted["totalTestsRun"], counted["testsPassed"], counted["testsFailed"]) == (21, 21, 0)
