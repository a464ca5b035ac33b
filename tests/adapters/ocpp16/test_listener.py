"""The real socket: handshakes, passwords, limits, pings, storms."""

import asyncio
import base64
import datetime as dt
import json
import ssl

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.conftest import declare_tables
from yarl import URL

from commonwatt import stations
from commonwatt.adapters.station import admission
from commonwatt.adapters.station.admission import Policy, Strangers
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.listener import start_listener, tls_context
from commonwatt.adapters.station.ocpp16 import Ocpp16
from commonwatt.kernel import RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, create_tables, open_engine

from .world import Charging

PROTOCOL = ("ocpp1.6",)
OPEN = Policy(require_password=False, strangers=Strangers.ADMIT)


class Server:
    def __init__(self, database, charging):
        self.database, self.charging = database, charging
        self.listeners, self.sessions = [], []

    async def listen(self, policy=OPEN, tls=None):
        ports = self.charging.ports()
        self.hub = Hub(self.database, self.database.clock, self.database.ids, ports)
        listener = await start_listener(
            "127.0.0.1", 0, database=self.database, clock=self.database.clock, hub=self.hub, policy=policy,
            dialects=[Ocpp16(self.database, ports)], tls=tls,
        )  # fmt: skip
        self.listeners.append(listener)
        self.url = f"http://127.0.0.1:{listener.port}/ocpp"
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self.sessions.append(self.session)

    async def connect(self, identity="CP-1", *, protocols=PROTOCOL, password=None, header=None):
        headers = {"Authorization": header} if header else {}
        if password is not None:
            given = password if isinstance(password, bytes) else password.encode()
            headers["Authorization"] = "Basic " + base64.b64encode(identity.encode() + b":" + given).decode()
        return await self.session.ws_connect(f"{self.url}/{identity}", protocols=protocols, headers=headers)

    async def refused(self, *arguments, **options):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await self.connect(*arguments, **options)
        return refusal.value.status


@pytest.fixture
async def server(tmp_path):
    declare_tables()
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    server = Server(Database(engine, SystemClock(), RandomIds()), Charging())
    yield server
    for session in server.sessions:
        await session.close()
    for listener in server.listeners:
        await listener.close()
    server.database.close()


async def ask(socket, action, payload):
    await socket.send_str(json.dumps([2, "1", action, payload]))
    return json.loads((await socket.receive(timeout=5)).data)


async def test_an_open_site_lets_a_stranger_in(server):
    await server.listen()
    socket = await server.connect()
    assert socket.protocol == "ocpp1.6"
    assert (await ask(socket, "Heartbeat", {}))[0] == 3
    assert (await server.database.read(stations.find_station, "CP-1")).state == stations.ADMITTED
    assert server.hub.is_connected("CP-1")


async def quirks(server, identity):
    await server.hub.frames.flush()
    return [quirk.slug for quirk in await server.database.read(stations.list_quirks, identity)]


@pytest.mark.parametrize("identity", ["OLD", "STRANGER"])
async def test_who_names_no_version_is_turned_away_but_known_until_that_is_waived(server, identity):
    await server.listen(Policy(require_password=False))
    await server.database.write(stations.add_station, "OLD", with_password=False)
    assert await server.refused(identity, protocols=()) == 400
    assert await quirks(server, identity) == ["version-missing"], "its operator sees why it does not come"
    await server.database.write(stations.set_waivers, identity, ["no-subprotocol"])
    socket = await server.connect(identity, protocols=())
    boot = await ask(socket, "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    assert boot[2]["status"] == ("Accepted" if identity == "OLD" else "Pending")
    assert sorted(await quirks(server, identity)) == ["no-subprotocol", "version-missing"]


async def test_who_may_not_come_in_leaves_no_trace_by_naming_no_version(server):
    await server.listen(Policy())
    await server.database.write(stations.add_station, "CP-1")
    assert await server.refused("CP-1", protocols=()) == 401
    assert await server.refused("CP-1", protocols=(), password="wrong") == 401
    assert await quirks(server, "CP-1") == []


async def test_who_names_only_versions_that_are_not_spoken_is_refused(server):
    await server.listen()
    assert await server.refused(protocols=("ws-chat",)) == 400
    assert await server.refused(protocols=("ocpp2.0.1",)) == 400


async def test_one_of_several_subprotocols_is_chosen(server):
    await server.listen()
    socket = await server.connect(protocols=("ocpp2.0.1", "ocpp1.6"))
    assert socket.protocol == "ocpp1.6"


async def test_a_password_opens_only_its_own_station(server):
    await server.listen(Policy())
    secret = await server.database.write(stations.add_station, "CP-1")
    await server.database.write(stations.add_station, "CP-2")
    assert await server.refused("CP-1") == 401
    assert await server.refused("CP-1", password="wrong") == 401
    assert await server.refused("CP-2", password=secret) == 401
    socket = await server.connect("CP-1", password=secret)
    assert (await ask(socket, "Heartbeat", {}))[0] == 3
    await socket.close()
    again = await server.connect("CP-1", password=secret.encode().hex())
    assert (await ask(again, "Heartbeat", {}))[0] == 3


@pytest.mark.parametrize("header", ["Bearer x", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode()])
async def test_a_header_that_is_no_basic_authentication(server, header):
    await server.listen(Policy())
    assert await server.refused(header=header) == 400


async def test_guessing_is_slowed(server, monkeypatch):
    monkeypatch.setattr(admission, "FAILURES_MAX", 2)
    await server.listen(Policy())
    secret = await server.database.write(stations.add_station, "CP-1")
    assert [await server.refused(password=guess) for guess in ("a", "b", "c")] == [401, 401, 429]
    assert await server.refused(password=secret) == 429


async def test_a_stranger_waits_and_its_password_is_adopted(server):
    await server.listen(Policy())
    socket = await server.connect("NEW", password="from-the-charger")
    boot = {"chargePointVendor": "A", "chargePointModel": "B"}
    assert (await ask(socket, "BootNotification", boot))[2]["status"] == "Pending"
    assert await server.refused("NEW", password="somebody-else") == 401
    await server.database.write(stations.admit_station, "NEW")
    trigger = json.loads((await socket.receive(timeout=5)).data)
    assert trigger[2] == "TriggerMessage"
    await socket.send_str(json.dumps([3, trigger[1], {"status": "Accepted"}]))
    assert (await ask(socket, "BootNotification", boot))[2]["status"] == "Accepted"
    await socket.close()
    again = await server.connect("NEW", password="from-the-charger")
    assert (await ask(again, "BootNotification", boot))[2]["status"] == "Accepted"


async def test_a_site_may_reject_strangers(server):
    await server.listen(Policy(strangers=Strangers.REJECT))
    assert await server.refused("NEW", password="x") == 404
    assert await server.database.read(stations.find_station, "NEW") is None


async def test_a_rejected_station_stays_out(server):
    await server.listen()
    socket = await server.connect()
    await server.database.write(stations.reject_station, "CP-1")
    assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
    assert await server.refused() == 403


async def test_a_required_password_must_have_been_set(server):
    await server.listen(Policy())
    await server.database.write(stations.add_station, "CP-1", with_password=False)
    assert await server.refused(password="x") == 401


@pytest.mark.parametrize("path", ["%2F", "..%2f..", "a%00b", "x" * 49, "%F0%9F%94%8C"])
async def test_what_cannot_be_an_identity_is_not_found(server, path):
    await server.listen()
    answer = await server.session.get(f"{server.url}/{path}")
    assert answer.status == 404


async def test_a_plain_request_is_told_what_lives_here(server):
    await server.listen()
    assert (await server.session.get(f"{server.url}/CP-1", headers={"Sec-WebSocket-Protocol": "ocpp1.6"})).status == 426


HANDSHAKE = (
    "GET /ocpp/CP-1 HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n{connection}Sec-WebSocket-Protocol: ocpp1.6\r\n"
    "Sec-WebSocket-Version: 13\r\n{key}\r\n"
)
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


async def shake(server, connection, key):
    """Shake hands byte by byte; return the status line and the streams."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.listeners[-1].port)
    writer.write(HANDSHAKE.format(connection=connection, key=key).encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    return answer.split(b"\r\n")[0], reader, writer


@pytest.mark.parametrize("connection", ["", "Connection: keep-alive\r\n"])
async def test_a_handshake_without_connection_upgrade_is_let_in_and_flagged(server, connection):
    await server.listen()
    status, reader, writer = await shake(server, connection, KEY)
    assert b" 101 " in status
    call = b'[2,"1","Heartbeat",{}]'
    writer.write(bytes([0x81, 0x80 | len(call), 0, 0, 0, 0]) + call)  # masked by zeros (RFC 6455, section 5.3)
    head = await asyncio.wait_for(reader.readexactly(2), 5)
    assert (await reader.readexactly(head[1])).startswith(b'[3,"1",')
    await server.hub.frames.flush()
    assert [quirk.slug for quirk in await server.database.read(stations.list_quirks, "CP-1")] == ["no-upgrade"]
    writer.close()


async def test_without_a_key_it_is_no_handshake(server):
    await server.listen()
    status, _, writer = await shake(server, "", "")
    assert b" 426 " in status
    writer.close()


async def test_a_frame_over_the_limit_closes_the_connection(server):
    await server.listen()
    socket = await server.connect()
    await socket.send_str("x" * (128 * 1024 + 1))
    closing = await socket.receive(timeout=5)
    assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 1009)
    again = await server.connect()
    assert (await ask(again, "Heartbeat", {}))[0] == 3


@pytest.mark.parametrize(
    ("written", "identity"), [("CP%201", "CP 1"), ("CP%20", None), ("%20CP", None), ("CP%091", None), ("CP%2F1", None)]
)
async def test_a_space_inside_an_identity_is_one_at_an_end_is_none(server, written, identity):
    await server.listen()
    address = URL(f"{server.url}/{written}", encoded=True)
    if identity is None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await server.session.ws_connect(address, protocols=PROTOCOL)
        assert refusal.value.status == 404
    else:
        socket = await server.session.ws_connect(address, protocols=PROTOCOL)
        assert server.hub.connected() == [identity]
        await socket.close()


async def test_binary_frames_are_kept_as_broken(server):
    await server.listen()
    socket = await server.connect()
    await socket.send_bytes(b"\x00\x01")
    assert (await ask(socket, "Heartbeat", {}))[0] == 3


async def test_a_live_station_is_pinged_and_a_second_is_refused(server):
    await server.listen()
    first = await server.connect()
    reading = asyncio.create_task(first.receive())  # answers pings
    assert await server.hub.link_of("CP-1").ping()
    assert await server.refused() == 409
    await server.hub.frames.flush()
    quirks = await server.database.read(stations.list_quirks, "CP-1")
    assert [quirk.slug for quirk in quirks] == ["cloned-identity"]
    reading.cancel()


async def test_a_storm_of_reconnects_loses_nobody(server):
    await server.listen()
    names = [f"CP-{n}" for n in range(150)]
    sockets = []  # a socket that nobody holds is closed

    async def come(name):
        socket = await server.connect(name)
        sockets.append(socket)
        answer = await ask(socket, "BootNotification", {"chargePointVendor": "A", "chargePointModel": "B"})
        start = {"connectorId": 1, "idTag": name, "meterStart": 0, "timestamp": "2026-05-01T12:00:00Z"}
        return answer[2]["status"], (await ask(socket, "StartTransaction", start))[0]

    answers = await asyncio.gather(*(come(name) for name in names))
    assert answers == [("Accepted", 3)] * len(names)
    assert sorted(report.station for kind, report in server.charging.heard if kind == "start") == sorted(names)
    assert (await server.database.read(stations.count_stations))["connected"] == len(names)


async def test_stopping_ends_every_connection(server):
    await server.listen()
    sockets = [await server.connect(f"CP-{n}") for n in range(3)]
    closing = [asyncio.create_task(socket.receive()) for socket in sockets]
    await server.listeners.pop().close()
    assert [(await message).type for message in closing] == [aiohttp.WSMsgType.CLOSE] * 3
    assert (await server.database.read(stations.count_stations))["connected"] == 0


async def test_stations_connect_by_tls(server, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(private)
    await server.listen(tls=tls_context(tmp_path / "cert.pem", tmp_path / "key.pem"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    url = server.url.replace("http://127.0.0.1", "https://localhost") + "/CP-1"
    socket = await server.session.ws_connect(url, protocols=PROTOCOL, ssl=trusting)
    assert (await ask(socket, "Heartbeat", {}))[0] == 3
    with pytest.raises(aiohttp.ClientConnectorError):
        await server.session.ws_connect(url, protocols=PROTOCOL, ssl=ssl.create_default_context())
