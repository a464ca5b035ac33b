"""A charge point that follows a script: it delivers what was delivered then, and tells it over a real WebSocket.

It is the charger of the virtual station without its own sense of time: a window of the past is played by `play`, which
sends every frame in order and waits for each answer. What is not answered goes again over the next connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.charger import Charger
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.adapters.station.virtual.link import Answer, CallFailed, Declined, Link
from commonwatt.adapters.station.virtual.memory import Memory, Truth
from commonwatt.adapters.station.virtual.model import (
    Event,
    Passed,
    Permitted,
    PluggedIn,
    Status,
    StopAsked,
    Unplugged,
)
from commonwatt.adapters.station.virtual.transport import Dial, LinkLost
from commonwatt.kernel import Broken, Instant, Unavailable
from commonwatt.main.replay.plan import POWER_MIN_W, PlannedCharge
from commonwatt.main.replay.reading import POWER_MAX_W
from commonwatt.protocols.ocppj import ErrorCode

Payload = dict[str, Any]
_PATIENCE_S: Final = 30.0
_DIALS_MAX: Final = 100
_DIAL_PAUSE_S: Final = 0.1
_PERMIT_S: Final = 7 * 24 * 3600
_SPARE: Final = 1.000_000_1
"""The car may draw a hair more than the mean power, so that it is full at the recorded minute."""


class ServerLost(Unavailable):
    """The embedded server does not take a station's connection any more."""

    slug = "replay-server-lost"
    title = "The replay lost its server"


class FrameRefused(Broken):
    """The embedded server refuses what a replayed station says of itself, so its charges cannot be played."""

    slug = "replay-frame-refused"
    title = "The replay's server refused a station's frame"


def car_of(planned: PlannedCharge) -> Car:
    """Return a car that takes the recorded energy in the recorded time, at the mean power, and then nothing."""
    past = planned.past
    hours = past.charge_end.since(past.plugged_in) / 3_600_000
    power_w = max(past.energy_wh / hours * _SPARE, float(POWER_MIN_W))
    return Car(battery_wh=past.energy_wh, stored_wh=0.0, power_w_max=power_w, knee=1.0)


def script_of(planned: PlannedCharge, samples: int) -> list[tuple[Instant, Event]]:
    """Return what happens to one connector: plugged in, a first reading, `samples` more, the last one, unplugged."""
    past, first = planned.past, planned.first_reading
    rest_ms, steps = past.charge_end.since(first), samples + 1
    readings = [first, *(first.plus(ms=rest_ms * step // steps) for step in range(1, steps + 1))]
    plug: list[tuple[Instant, Event]] = [(past.plugged_in, PluggedIn(car_of(planned)))]
    return [*plug, *((at, Passed()) for at in readings), (past.plugged_out, Unplugged())]


class ReplayStation:
    """One station of the past."""

    def __init__(
        self, identity: str, connectors: int, dial: Dial, now: Instant, samples: int, memory: Memory | None
    ) -> None:
        """Build it, or take it up where its memory ends."""
        self.identity = identity
        self.known = memory is not None
        self.charger = Charger(identity, connectors, Faults(), now, memory, had_power=True)
        for number, connector in self.charger.connectors.items():
            self.charger.connectors[number] = replace(connector, power_w_max=float(POWER_MAX_W))
        self.charger.settings.change("MeterValueSampleInterval", "0")
        self.charger.online = True
        self.refusals: list[str] = []
        """What the server refused for good; none in a good run."""
        self._dial = dial
        self._samples = samples
        self._link: Link | None = None
        self._readers: set[asyncio.Task[None]] = set()
        self._dialling = asyncio.Lock()
        self._closing = False
        self._now = now
        self._permits: dict[str, asyncio.Event] = {}
        self._running: dict[int, list[tuple[Instant, Event]]] = {}

    async def connect(self, silent: frozenset[int] = frozenset()) -> None:
        """Connect, boot when it is new, and tell the state of every connector that is not `silent`.

        Raises ServerLost and FrameRefused.
        """
        await self._ensure()
        if not self.known:
            await self._introduce("BootNotification", self.charger.frames.boot())
            self.known = True
        for number, connector in self.charger.connectors.items():
            if number not in silent:
                await self._introduce(
                    "StatusNotification", self.charger.frames.status(number, connector.status, self._now)
                )

    async def close(self) -> None:
        """Hang up."""
        self._closing = True
        if self._link is not None:
            await self._link.close()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def expect(self, id_tag: str) -> asyncio.Event:
        """Return an event that is set once the server starts a charge with this tag."""
        return self._permits.setdefault(id_tag, asyncio.Event())

    def permit(self, connector: int, id_tag: str) -> None:
        """Let a tag charge at a connector, as a remote start does."""
        until = self._now.plus(seconds=_PERMIT_S)
        self.charger.happen(connector, Permitted(id_tag, until), self._now)
        self.expect(id_tag).set()

    def follow(self, planned: PlannedCharge, after: Instant | None = None) -> None:
        """Put a charge's script before the station; `after` leaves out what was played before."""
        script = script_of(planned, self._samples)
        self._running[planned.connector] = [step for step in script if after is None or step[0] > after]

    async def play(self, until: Instant) -> list[Truth]:
        """Let everything happen that is due by then, tell it, and return the charges that are over."""
        for at, connector, event in sorted(self._due(until), key=lambda step: (step[0], step[1])):
            self._now = max(self._now, at)
            self.charger.happen(connector, event, self._now)
            if isinstance(event, Passed) and self.charger.connectors[connector].transaction is not None:
                self.charger.sample(connector, self._now)
        self._now = max(self._now, until)
        await self.tell()
        over = [truth for truth in self.charger.truths.values() if truth.settled or truth.refused]
        for truth in over:
            del self.charger.truths[truth.key]
            self._permits.pop(truth.id_tag, None)
        return over

    async def tell(self) -> None:
        """Send what is owed, in order, until the server has answered all of it."""
        while (due := self.charger.queue.next_due(self._now)) is not None:
            try:
                answer = await self._call(due.action, self.charger.filled(due))
            except CallFailed as failed:
                self.refusals.append(f"{due.action}: {failed}")
                due.attempts = 1_000_000
                self.charger.refused(due, str(failed), self._now)
            else:
                self.charger.answered(due, answer, self._now)

    def set_clock(self, now: Instant) -> None:
        """Stand at an instant; earlier ones change nothing."""
        self._now = max(self._now, now)

    def _due(self, until: Instant) -> Iterator[tuple[Instant, int, Event]]:
        for connector, script in list(self._running.items()):
            while script and script[0][0] <= until:
                at, event = script.pop(0)
                yield at, connector, event
            if not script:
                del self._running[connector]

    async def _introduce(self, action: str, payload: Payload) -> None:
        """Send what a station says of itself at its start; what the server refuses here stops the replay."""
        try:
            await self._call(action, payload)
        except CallFailed as failed:
            msg = f"{self.identity} sent {action}, and the embedded server refused it: {failed}."
            raise FrameRefused(msg, station=self.identity, action=action) from failed

    async def _call(self, action: str, payload: Payload) -> Payload:
        """Call until there is an answer, over a new connection when the old one broke."""
        for _ in range(_DIALS_MAX):
            link = await self._ensure()
            try:
                return await link.call(action, payload)
            except LinkLost:
                await asyncio.sleep(_DIAL_PAUSE_S)
        raise ServerLost(f"{self.identity} got no answer to {action}.", station=self.identity)

    async def _ensure(self) -> Link:
        """Return a live connection, made anew when there is none."""
        async with self._dialling:
            for _ in range(_DIALS_MAX):
                if self._link is not None and not self._link.lost:
                    return self._link
                try:
                    transport = await self._dial()
                except LinkLost:
                    await asyncio.sleep(_DIAL_PAUSE_S)
                    continue
                self._link = Link(transport, self._handle, self._message_id, timeout_s=_PATIENCE_S)
                reader = asyncio.create_task(self._read(self._link))
                self._readers.add(reader)
                reader.add_done_callback(self._readers.discard)
        raise ServerLost(f"{self.identity} cannot connect to the embedded server.", station=self.identity)

    async def _read(self, link: Link) -> None:
        """Read until the connection ends; then connect again, since a driver can only pay where a station is there."""
        with contextlib.suppress(LinkLost):
            await link.read()
        await link.close()
        if not self._closing:
            with contextlib.suppress(ServerLost):
                await self._ensure()

    def _message_id(self) -> str:
        self.charger.memory.messages += 1
        return str(self.charger.memory.messages)

    def _handle(self, action: str, payload: Payload) -> Answer:
        """Answer the two calls that a replay needs."""
        match action:
            case "RemoteStartTransaction":
                return self._start(int(payload["connectorId"]), str(payload["idTag"]))
            case "RemoteStopTransaction":
                return self._stop(payload["transactionId"])
            case _:
                raise Declined(ErrorCode.NOT_SUPPORTED, "a replayed station knows only remote start and stop")

    def _start(self, connector: int, id_tag: str) -> Answer:
        status = self.charger.connectors[connector].status
        if status not in {Status.AVAILABLE, Status.PREPARING}:
            return Answer({"status": "Rejected"})
        self.permit(connector, id_tag)
        return Answer({"status": "Accepted"})

    def _stop(self, transaction_id: object) -> Answer:
        for number, connector in self.charger.connectors.items():
            transaction = connector.transaction
            if transaction is not None and transaction.transaction_id == transaction_id:
                self.charger.happen(number, StopAsked("Remote"), self._now)
                return Answer({"status": "Accepted"}, self.tell)
        return Answer({"status": "Rejected"})
