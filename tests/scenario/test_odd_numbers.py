"""Numbers that no meter shows, over a real socket into the whole house: told about, survived, and no end is lost."""

import asyncio
import json

import aiohttp
import pytest
from sim.world import SITE

from commonwatt import charging, tariffs
from commonwatt.adapters.station.admission import Policy, Strangers
from commonwatt.adapters.station.listener import start_listener
from commonwatt.adapters.station.ocpp16 import Ocpp16
from commonwatt.charging import Rules, store
from commonwatt.kernel import EUR, Done, RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import create_tables, open_engine
from commonwatt.main.assembly import assemble, station_ports
from commonwatt.main.migrations import all_tables
from commonwatt.stations import AnswerInvalid
from commonwatt.tariffs import Component, Element, Kind

WRITTEN = [
    *(str(number) for number in (10**30, -(10**30), 2**63, 2**64, -(2**63) - 1, 10**15 + 1)),
    *("1e400", "-1e400", "1e30", "1.5e300", "9" * 4000, "9" * 5000, "0." + "1" * 5000),
    *("NaN", "Infinity", "-Infinity"),
    *(json.dumps(text) for text in ("1e400", "NaN", "sNaN", "-Infinity", "1e999999999", "1e-999999999", "9" * 5000)),
]
"""Pieces of frames, as encoders and broken registers write them."""


class Line:
    """A station's end of the socket; `ask` sends text as it stands."""

    def __init__(self, house, socket):
        self.house, self.socket = house, socket
        self._number = 0

    async def ask(self, action, payload, piece=""):
        """Send a payload in which "@" stands for a raw piece of JSON; return the answer's parts."""
        self._number += 1
        await self.say([2, f"m{self._number}", action, payload], piece)
        answer = await self.hear()
        assert answer[1] == f"m{self._number}", piece[:40]
        return answer

    async def say(self, frame, piece=""):
        await self.socket.send_str(json.dumps(frame).replace('"@"', piece))

    async def hear(self):
        async with asyncio.timeout(10):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    def at(self):
        return self.house.clock.now().iso()

    async def start(self):
        answer = await self.ask("StartTransaction", self.beginning())
        return answer[2]["transactionId"]

    def beginning(self, **fields):
        return {"connectorId": 1, "idTag": "OWNER", "meterStart": 100, "timestamp": self.at()} | fields

    def values(self, value="500", **fields):
        return {"connectorId": 1, "meterValue": [{"timestamp": self.at(), "sampledValue": [{"value": value}]}]} | fields

    def end(self, number, value="500", **fields):
        data = self.values(value)["meterValue"]
        return {"transactionId": number, "meterStop": 600, "timestamp": self.at(), "transactionData": data} | fields

    async def transaction(self, number):
        return await self.house.database.read(store.transaction_by_id, number)

    async def charge(self, number):
        return await self.house.database.read(store.charge_by_transaction, number)


@pytest.fixture
async def line(tmp_path):
    all_tables()
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    rules = Rules()
    house = assemble(site=SITE, engine=engine, clock=SystemClock(), ids=RandomIds(), rails={}, rules=rules)
    await house.database.write(charging.add_tag, "OWNER", "The owner")
    by_energy = tariffs.Tariff("", "", "Plain", EUR, (Element((Component(Kind.ENERGY, 400_000, 0),)),))
    made = await house.database.write(tariffs.create_tariff, by_energy)
    await house.database.write(tariffs.assign_tariff, made.id)
    listener = await start_listener(
        "127.0.0.1", 0, database=house.database, clock=house.clock, hub=house.hub,
        policy=Policy(require_password=False, strangers=Strangers.ADMIT),
        dialects=[Ocpp16(house.database, station_ports(rules))],
    )  # fmt: skip
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"http://127.0.0.1:{listener.port}/ocpp/CP-1", protocols=("ocpp1.6",))
        yield Line(house, socket)
        await socket.close()
    await listener.close()
    house.database.close()


@pytest.mark.parametrize("field", ["transactionId", "meterStop", "value"])
async def test_a_stop_is_taken_whatever_its_numbers_are(line, field):
    for piece in WRITTEN:
        number = await line.start()
        answer = await line.ask("StopTransaction", line.end(number, **{field: "@"}), piece)
        assert answer[0] == 3, (piece[:40], answer)
        assert (await line.transaction(number)).stopped_ms is not None, piece[:40]
        charge = await line.charge(number)
        assert charge.session.over, piece[:40]
        if field != "value":  # a register of 0 says that it began anew, and the end that it jumped
            assert charge.session.energy_wh == (500 if field == "transactionId" else 400), piece[:40]


@pytest.mark.parametrize("field", ["connectorId", "transactionId", "value"])
async def test_meter_values_do_not_fail_for_their_numbers(line, field):
    number = await line.start()
    for piece in WRITTEN:
        answer = await line.ask("MeterValues", line.values(**{"transactionId": number, field: "@"}), piece)
        assert answer[0] == 3, (piece[:40], answer)
    if field != "value":
        assert (await line.charge(number)).session.energy_wh == 400


@pytest.mark.parametrize(
    ("action", "field"),
    [("StartTransaction", "connectorId"), ("StartTransaction", "meterStart"), ("StatusNotification", "connectorId")],
)
async def test_what_cannot_be_is_refused_for_good_and_the_line_goes_on(line, action, field):
    status = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
    for piece in WRITTEN:
        payload = (status if action == "StatusNotification" else line.beginning()) | {field: "@"}
        answer = await line.ask(action, payload, piece)
        if field == "meterStart" and piece.startswith("0."):
            assert answer[0] == 3  # a fraction of a Wh is rounded
        else:
            assert answer[2] in {"PropertyConstraintViolation", "TypeConstraintViolation"}, (piece[:40], answer)
    assert (await line.ask("Heartbeat", {}))[0] == 3


@pytest.mark.parametrize(
    ("action", "asked", "answer"),
    [
        ("GetLocalListVersion", {}, {"listVersion": "@"}),
        ("GetConfiguration", {}, {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "@"}]}),
        ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}, {"status": "@"}),
        (
            "GetCompositeSchedule",
            {"connectorId": 1, "duration": 60},
            {"status": "Accepted", "connectorId": "@", "chargingSchedule": {"duration": "@", "chargingRateUnit": "A",
             "chargingSchedulePeriod": [{"startPeriod": "@", "limit": "@"}]}},
        ),
    ],
)  # fmt: skip
async def test_an_answer_with_odd_numbers_is_an_answer(line, action, asked, answer):
    await line.ask("Heartbeat", {})
    for piece in WRITTEN:
        waiting = asyncio.create_task(line.house.hub.send("CP-1", action, asked))
        await line.say([3, (await line.hear())[1], answer], piece)
        outcome = await waiting
        assert isinstance(outcome, Done | AnswerInvalid), (piece[:40], outcome)
        json.dumps(outcome.value if isinstance(outcome, Done) else outcome.payload, allow_nan=False)
