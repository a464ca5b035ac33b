"""The API's description says what it answers: each answer has a schema, and real answers keep it."""

import jsonschema
import pytest
from tests.main.whole import build_whole

from commonwatt import books, charging
from commonwatt.charging.actions.offer_session import open_offer
from commonwatt.charging.rules import Rules
from commonwatt.charging.store import sessions, transactions
from commonwatt.kernel import BTC, Amount
from commonwatt.members import TERMINAL, Role, create_token, invite_member
from commonwatt.metering.store import reading
from commonwatt.payments.store import invoices
from commonwatt.stations.actions.note_status import ConnectorStatus, note_status
from commonwatt.stations.store import configuration, frame, quirk, station

STREAMS = {"/api/v1/events"}
MAY_BE_EMPTY = {"/api/v1/refunds"}
ANYTHING = {"type": "object", "additionalProperties": {}}
HASH = "ab" * 32


@pytest.fixture
async def whole(tmp_path, clock, ids):
    """A house in which each list has a row."""
    whole = await build_whole(tmp_path, clock, ids)
    whole.act(live)
    yield whole
    await whole.house.stop()


def live(work):
    """Let something happen everywhere."""
    now = work.now.ms
    work.sql.execute(station.update().values(connected_ms=now, protocol="ocpp1.6"))
    note_status(work, [ConnectorStatus("TOWN-HALL", 1, "Available", "NoError")])
    charge = open_offer(work, "town-hall-1", 5_000_000, None, Rules())
    work.sql.execute(sessions.update().values(paid_msat=5))
    tag = {"id_tag": charge.id_tag, "authorisation": "Accepted"}
    at = {"station": "TOWN-HALL", "connector": 1}
    add(work, transactions, id=7, meter_start_wh=10, started_ms=now, received_ms=now, **at, **tag)
    add(work, reading, transaction_id=7, at_ms=now, context="Sample.Periodic", energy_wh=0, power_w=0, **at)
    add(work, quirk, station="TOWN-HALL", slug="time-without-zone", detail="It said 12:00.", first_ms=now, last_ms=now)
    add(work, configuration, station="TOWN-HALL", key="HeartbeatInterval", value="60", readonly=False, read_ms=now)
    told = {"kind": "call", "action": "Heartbeat", "message_id": "1", "text": '[2,"1","Heartbeat",{}]'}
    add(work, frame, station="TOWN-HALL", at_ms=now, direction="in", **told)
    bare = {"preimage": bytes(32), "bolt11": "lnbcrt1", "description": "A charge", "hold": True, "state": "open"}
    whose = {"subject": charge.subject, "account": charge.account, "rail": "sandbox", "amount_msat": 5}
    add(work, invoices, payment_hash=HASH, made_ms=now, expires_ms=now, next_check_ms=now, **bare, **whose)
    charging.add_tag(work, "04A2", "Ada")
    create_token(work, TERMINAL, "Home", ["sessions:read"], 90 * 86_400)
    invite_member(work, TERMINAL, "Ben", Role.OPERATOR)
    entries = [books.Entry("rail:sandbox", Amount(BTC, 5)), books.Entry(charge.account, Amount(BTC, -5))]
    books.post(work, "one", entries, "A payment", charge.id)


def add(work, table, **row):
    """Store a row."""
    work.sql.execute(table.insert().values(**row))


def paths_of(whole):
    """Return what is described of the API, by path and method."""
    return whole.app.openapi_schema.to_schema()["paths"].items()


def test_each_answer_and_each_parameter_is_described(whole):
    for path, operations in paths_of(whole):
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description"), (method, path, parameter["name"])
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    assert content["schema"] or path in STREAMS, (method, path)
                    assert content["schema"] != ANYTHING, (method, path)


def test_answers_are_as_described(whole):
    components = whole.app.openapi_schema.to_schema()["components"]
    first = whole.client.get("/api/v1/sessions").json()["items"][0]["id"]
    tariff = whole.client.get("/api/v1/tariffs").json()["items"][0]["id"]
    names = {"identity": "TOWN-HALL", "session_id": first, "tariff_id": tariff, "number": "7"}
    for path, operations in paths_of(whole):
        if "get" not in operations or path in STREAMS:
            continue
        own = {"connectors": "town-hall-1", "payments": HASH, "accounts": "rail:sandbox"}.get(path.split("/")[3], "")
        query = {"station": "TOWN-HALL", "connector": 1} if path.endswith("in-force") else {}
        query |= {"energy_wh": 1000, "duration_s": 60} if path.endswith("preview") else {}
        answer = whole.client.get(path.format(**names, name=own), params=query)
        assert answer.status_code == 200, (path, answer.text)
        schema = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(answer.json(), {**schema, "components": components})
        assert answer.json().get("items") != [] or path in MAY_BE_EMPTY, path


WRITES = {
    "/api/v1/tokens": {"name": "Car", "scopes": ["sessions:read"]},
    "/api/v1/invitations": {"name": "Cleo", "role": "auditor"},
    "/api/v1/tariffs/preview": {"energy_wh": 1000, "duration_s": 60},
    "/api/v1/stations": {"identity": "SCHOOL"},
    "/api/v1/stations/SCHOOL/password": {},
}


@pytest.mark.parametrize("path", WRITES)
def test_what_writes_answer_is_as_described_and_so_is_a_repetition(whole, path):
    described = whole.app.openapi_schema.to_schema()
    by_token = {"Authorization": f"Bearer {whole.act(create_token, TERMINAL, 'All', ['*'], 3600).token}"}
    whole.client.cookies.clear()
    body = dict(WRITES[path])
    if path.endswith("preview"):
        body["tariff_id"] = whole.client.get("/api/v1/tariffs", headers=by_token).json()["items"][0]["id"]
    if path.endswith("password"):
        whole.client.post("/api/v1/stations", json=WRITES["/api/v1/stations"], headers=by_token)
    operation = described["paths"][path.replace("SCHOOL", "{identity}")]["post"]
    (schema,) = (
        one["content"]["application/json"]["schema"] for code, one in operation["responses"].items() if code < "3"
    )
    for _ in range(2):
        answer = whole.client.post(path, json=body, headers={"Idempotency-Key": "the-first-one", **by_token})
        assert answer.status_code in (200, 201), answer.text
        jsonschema.validate(answer.json(), {**schema, "components": described["components"]})
