"""Doubles for what surrounds the dialect: charging's seven actions, and a socket in memory."""

from __future__ import annotations

import asyncio
import json

from commonwatt.adapters.station.ports import Ports
from commonwatt.charging.reports import Authorisation, StartAnswer


class Charging:
    """Writes down what it hears; answers as told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []
        self.samples: list[object] = []
        self.verdict = Authorisation.ACCEPTED
        self.transaction_id = 7
        self.error: Exception | None = None

    def ports(self) -> Ports:
        return Ports(
            authorise=lambda _work, station, tag: self._hear("authorise", (station, tag), self.verdict),
            start_transaction=lambda _work, report: self._hear(
                "start", report, StartAnswer(self.transaction_id, self.verdict)
            ),
            record_samples=self._record,
            stop_transaction=lambda _work, report: self._hear("stop", report, self.verdict if report.id_tag else None),
            note_status=lambda _work, report: self._hear("status", report, None),
            note_boot=lambda _work, station, _now: self._hear("boot", station, None),
            note_offline=lambda _work, station: self._hear("offline", station, None),
        )

    def _hear(self, name, what, answer):
        if self.error is not None:
            raise self.error
        self.heard.append((name, what))
        return answer

    def _record(self, _work, reports):
        self._hear("samples", reports, None)
        self.samples.extend(reports)
        return [None] * len(reports)

    def last(self, name):
        return next(what for heard, what in reversed(self.heard) if heard == name)

    def count(self, name):
        return sum(heard == name for heard, _ in self.heard)


class Pipe:
    """One end of a socket in memory; `say` and `hear` are the station's."""

    def __init__(self, *, alive: bool = True) -> None:
        self.alive = alive
        self.closed: tuple[int, str] | None = None
        self._in: asyncio.Queue[str | None] = asyncio.Queue()
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self.pings = 0

    async def send(self, text):
        self._out.put_nowait(text)

    async def receive(self):
        if self.closed is not None and self._in.empty():
            return None
        return await self._in.get()

    async def ping(self):
        self.pings += 1
        return self.alive

    async def close(self, code, reason):
        if self.closed is None:
            self.closed = (code, reason)
            self._in.put_nowait(None)

    def say(self, text):
        self._in.put_nowait(text if isinstance(text, str) else json.dumps(text))

    def hang_up(self):
        self._in.put_nowait(None)

    async def hear(self):
        async with asyncio.timeout(5):
            return json.loads(await self._out.get())

    def heard_nothing(self):
        return self._out.empty()

    async def ask(self, action, payload, message_id="m1"):
        self.say([2, message_id, action, payload])
        return await self.hear()

    def unread(self):
        return self._in.qsize()
