"""A server for one virtual station at the other end of a connection in memory: strict about what it gets."""

from __future__ import annotations

import asyncio
import importlib.resources
import json

import jsonschema_rs

from commonwatt.adapters.station.virtual import LinkLost, memory_pair

SCHEMAS = importlib.resources.files("ocpp") / "v16" / "schemas"
_validators: dict[str, jsonschema_rs.Validator] = {}


def validate(name, payload):
    """Check a payload against the published schema of OCPP 1.6; formats are not judged here."""
    if name not in _validators:
        schema = json.loads((SCHEMAS / f"{name}.json").read_text())
        _validators[name] = jsonschema_rs.validator_for(schema, validate_formats=False)
    _validators[name].validate(payload)


class Csms:
    """Answers every call of a station from a table, keeps all it hears, and calls the station when told to."""

    def __init__(self):
        self.heard = []
        """(message id, action, payload) of every call that arrived."""
        self.answers = {
            "BootNotification": {"status": "Accepted", "currentTime": "2026-05-01T12:00:00Z", "interval": 3600},
            "Heartbeat": {"currentTime": "2026-05-01T12:00:00Z"},
            "Authorize": {"idTagInfo": {"status": "Accepted"}},
            "StatusNotification": {},
            "MeterValues": {},
            "StopTransaction": {},
        }
        self.errors = {}
        """action -> list of CALLERROR codes still to be given."""
        self.mute = set()
        """Actions that get no answer."""
        self.numbers = {}
        self.end = None
        self.dials = 0
        self.refuse = False
        self._asked = {}
        self._moved = asyncio.Event()
        self._tasks = []

    async def dial(self):
        """Connect a station."""
        self.dials += 1
        if self.refuse:
            raise LinkLost("the server is down")
        ours, theirs = memory_pair()
        self.end = ours
        self._tasks.append(asyncio.create_task(self._read(ours)))
        return theirs

    async def _read(self, end):
        while (text := await end.receive()) is not None:
            await self._take(end, json.loads(text))

    async def _take(self, end, frame):
        if frame[0] != 2:
            self._asked.pop(frame[1]).set_result(frame)
            return
        _, message_id, action, payload = frame
        assert type(message_id) is str
        assert len(message_id) <= 36
        assert message_id not in {heard[0] for heard in self.heard}
        validate(action, payload)
        self.heard.append((message_id, action, payload))
        if action in self.mute:
            answer = None
        elif self.errors.get(action):
            answer = [4, message_id, self.errors[action].pop(0), "as the test wants", {}]
        else:
            answer = [3, message_id, self._result(action, payload)]
        if answer is not None:
            await end.send(json.dumps(answer))
        self._moved.set()
        self._moved = asyncio.Event()

    def _result(self, action, payload):
        if action == "StartTransaction" and action not in self.answers:
            key = (payload["connectorId"], payload["timestamp"], payload["meterStart"])
            number = self.numbers.setdefault(key, len(self.numbers) + 1)
            return {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
        return self.answers[action]

    async def call(self, action, payload):
        """Call the station; return its payload, or (code, description) of its CALLERROR."""
        validate(action, payload)
        message_id = f"server-{len(self._asked)}-{action}-{len(self.heard)}"
        answer = self._asked[message_id] = asyncio.get_running_loop().create_future()
        await self.end.send(json.dumps([2, message_id, action, payload]))
        frame = await asyncio.wait_for(answer, 5)
        if frame[0] == 4:
            return frame[2], frame[3]
        validate(action + "Response", frame[2])
        return frame[2]

    def of(self, action):
        """Return the payloads of one action, in order."""
        return [payload for _, heard, payload in self.heard if heard == action]

    def statuses(self, connector=1):
        """Return the states that a connector went through."""
        return [one["status"] for one in self.of("StatusNotification") if one["connectorId"] == connector]

    async def until(self, true):
        """Wait until something is true of what was heard."""
        async with asyncio.timeout(5):
            while not true(self):
                await self._moved.wait()

    async def cut(self):
        """Close the connection from the server's side."""
        await self.end.close()
