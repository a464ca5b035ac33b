"""A charge point that exists only as a program: the charger on a timeline, at the end of a connection.

Three things go on at once: the connection is made again whenever it ends; while it lives, one worker boots, beats
and sends what is due, in order; and the pulse lets time pass, so that cars charge with or without a server.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.charger import Charger
from commonwatt.adapters.station.virtual.commands import handle_call
from commonwatt.adapters.station.virtual.conversation import Conversation
from commonwatt.adapters.station.virtual.faults import Fault, Faults
from commonwatt.adapters.station.virtual.link import Answer, CallFailed, Link
from commonwatt.adapters.station.virtual.memory import Truth, load_memory, save_memory
from commonwatt.adapters.station.virtual.model import (
    Began,
    CarPause,
    Connector,
    Effect,
    Ended,
    Event,
    Permitted,
    PluggedIn,
    StatusChanged,
    StopAsked,
    Suspension,
    Unplugged,
)
from commonwatt.adapters.station.virtual.timeline import PacedTimeline, Timeline
from commonwatt.adapters.station.virtual.transport import Dial, LinkLost, Unwelcome, dial_web_socket
from commonwatt.kernel import Clock, Instant

Payload = dict[str, Any]
_PULSE_S: Final = 5.0
"""The longest that time stands still for the cars, in the station's seconds."""
_BACK_OFF_S: Final = (0.2, 30.0)
"""First and longest pause before the next dial, in real seconds."""
_PASSWORD_REFUSED: Final = 401


class VirtualStation:
    """An OCPP 1.6J charge point with connectors, cars, faults and a memory of what really happened."""

    def __init__(
        self,
        identity: str,
        url: str = "",
        *,
        connectors: int = 1,
        password: str | None = None,
        clock: Clock | None = None,
        speed: float = 1.0,
        timeline: Timeline | None = None,
        faults: Faults | None = None,
        dial: Dial | None = None,
        state_file: Path | None = None,
        tell: Callable[[str], None] | None = None,
        patience_s: float = 30.0,
    ) -> None:
        """Build the station; it does nothing until it is started.

        `url` is the endpoint without the identity; `dial` replaces the network. Time is `timeline`, or `clock` at
        `speed`. With a `state_file` it forgets nothing over a restart. `tell` hears in words what happens;
        `patience_s` is how long it waits for an answer, in real seconds.
        """
        self.identity = identity
        self.faults = faults or Faults()
        self.unwelcome = False
        """Whether the server refused its last handshake."""
        self.locked_out = False
        """Whether it refused the password."""
        self.persistent = True
        """Whether it goes on dialling with a password that was refused, as a charger does."""
        self.on_remote_start: Callable[[int, str], None] = lambda _connector, _id_tag: None
        """Hears of an accepted remote start: a driver may now plug in."""
        self.on_effect: Callable[[Effect], None] = lambda _effect: None
        """Hears of everything that the connectors do."""
        self._timeline = timeline or PacedTimeline(clock, speed)
        self._dial = dial or dial_web_socket(url, identity, password, self.faults)
        self._state_file = state_file
        self._tell = tell or (lambda _text: None)
        self._patience_s = patience_s
        memory = load_memory(state_file) if state_file else None
        self.charger = Charger(identity, connectors, self.faults, self.now(), memory)
        self.charger.changed = self._hear
        self._link: Link | None = None
        self._talk = Conversation(self.charger, self._timeline, self._say, self._changed)
        self._wanted_online = asyncio.Event()
        self._wanted_online.set()
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # What one can see of it

    def now(self) -> Instant:
        """Return the station's present."""
        return self._timeline.now()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of the station's time."""
        await self._timeline.sleep(seconds)

    @property
    def online(self) -> bool:
        """Whether it is connected and the server has accepted its boot."""
        return self._link is not None and self._talk.booted

    @property
    def truths(self) -> list[Truth]:
        """Return what every charge really was, oldest first."""
        return list(self.charger.truths.values())

    @property
    def owes(self) -> int:
        """Return how many messages still wait for the server's answer."""
        return len(self.charger.queue)

    def connector(self, number: int = 1) -> Connector:
        """Return a connector as it is."""
        return self.charger.connectors[number]

    def free_connector(self) -> int | None:
        """Return the first connector that could start a charge, one with a car before an empty one."""
        fits = [one for one in self.charger.connectors.values() if one.operative and one.transaction is None]
        return min(fits, key=lambda one: (one.car is None, one.number)).number if fits else None

    async def until(self, true: Callable[[VirtualStation], bool], *, timeout_s: float = 10.0) -> None:
        """Wait until something is true of the station; raises TimeoutError after so many real seconds."""
        async with asyncio.timeout(timeout_s):
            while not true(self):
                for task in self._tasks:
                    if task.done() and not task.cancelled():
                        task.result()
                await self._moved.wait()

    # What one can do to it

    async def start(self) -> None:
        """Switch it on: it connects and boots by itself; wait with `until(lambda station: station.online)`."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._stay_connected()), asyncio.create_task(self._pulse())]
            for task in self._tasks:
                task.add_done_callback(lambda _task: self._changed())

    async def stop(self) -> None:
        """Switch the program off, as if frozen: nothing more is sent, what it owes stays in its memory."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._link is not None:
            await self._link.close()
            self._link = None
        self.charger.online = False
        self.charger.tick(self.now())
        self._save()

    async def plug(self, connector: int = 1, car: Car | None = None) -> None:
        """Plug a car in."""
        if Fault.NEVER_PLUGS_IN in self.faults:
            self._say("nobody plugs in", connector)
            return
        self.happen(connector, PluggedIn(car or Car()))

    async def unplug(self, connector: int = 1) -> None:
        """Pull the cable out of the car; a charge ends by it."""
        self.happen(connector, Unplugged())

    async def scan(self, connector: int, id_tag: str) -> str:
        """Show an RFID tag: it ends its own charge, or starts one if it is accepted; return what came of it."""
        transaction = self.connector(connector).transaction
        if transaction is not None and transaction.id_tag == id_tag:
            self.happen(connector, StopAsked("Local", id_tag))
            return "Stopped"
        status = await self._authorise(id_tag)
        self._say(f"tag {id_tag} is {status}", connector)
        if status == "Accepted":
            self._permit(connector, id_tag)
        return status

    async def pause(self, connector: int = 1, *, by_station: bool = False, on: bool = True) -> None:
        """Let the car (SuspendedEV) or the station (SuspendedEVSE) hold the energy back, or end that."""
        self.happen(connector, Suspension(on) if by_station else CarPause(on))

    async def stop_charge(self, connector: int = 1, reason: str = "Local") -> None:
        """End a charge at the station; the cable stays."""
        self.happen(connector, StopAsked(reason))

    async def go_offline(self) -> None:
        """Cut the connection and stay without one until `go_online`."""
        self._wanted_online.clear()
        await self.drop_link()

    async def go_online(self) -> None:
        """Connect again."""
        self._wanted_online.set()

    async def drop_link(self) -> None:
        """Cut the connection; it dials again at once."""
        if self._link is not None:
            self._say("drops the connection")
            await self._link.close()

    async def reboot(self, reason: str = "PowerLoss") -> None:
        """End all charges and start anew; what it owes it delivers after the boot."""
        for number in self.charger.connectors:
            self.happen(number, StopAsked(reason))
        self._talk.booted = False
        await self.drop_link()

    # What the server's calls lead to

    async def start_remotely(self, connector: int, id_tag: str) -> None:
        """Follow an accepted remote start: ask about the tag first if so configured, then wait for a car."""
        if self.charger.settings.is_on("AuthorizeRemoteTxRequests"):
            status = await self._authorise(id_tag)
            if status != "Accepted":
                self._say(f"remote start with {id_tag} is {status}", connector)
                return
        self._say(f"remote start with {id_tag}", connector)
        self._permit(connector, id_tag)
        self.on_remote_start(connector, id_tag)

    def tell_status(self, numbers: list[int]) -> None:
        """Owe the server the present state of connectors."""
        self._talk.tell_status(numbers)

    async def boot_again(self) -> None:
        """Send another BootNotification on the same connection, or the one that waits for its time."""
        if not self._talk.booted:
            self._talk.boot_now()
            return
        await self.call("BootNotification", self.charger.frames.boot())

    async def call(self, action: str, payload: Payload) -> Payload:
        """Send any call and return the server's payload; raises CallFailed or LinkLost."""
        if self._link is None:
            raise LinkLost(f"{self.identity} is not connected")
        return await self._link.call(action, payload)

    def happen(self, connector: int, event: Event) -> None:
        """Let something happen to a connector now."""
        self.charger.happen(connector, event, self.now())
        self.wake()

    def wake(self) -> None:
        """Make the worker look at the queue again."""
        self._talk.woken.set()
        self._changed()

    def _permit(self, connector: int, id_tag: str) -> None:
        timeout_s = self.charger.settings.seconds("ConnectionTimeOut")
        self.happen(connector, Permitted(id_tag, self.now().plus(seconds=timeout_s)))

    async def _authorise(self, id_tag: str) -> str:
        allowed = self.charger.memory.allowed
        try:
            answer = await self.call("Authorize", {"idTag": id_tag})
        except LinkLost:
            settings = self.charger.settings
            known = settings.is_on("LocalAuthorizeOffline") and allowed.get(id_tag) == "Accepted"
            unknown = settings.is_on("AllowOfflineTxForUnknownId") and id_tag not in allowed
            return "Accepted" if known or unknown else "Invalid"
        except CallFailed:
            return "Invalid"
        status = str(answer.get("idTagInfo", {}).get("status", "Invalid"))
        if self.charger.settings.is_on("AuthorizationCacheEnabled"):
            allowed[id_tag] = status
        return status

    # How it stays alive

    async def _stay_connected(self) -> None:
        pause_s = _BACK_OFF_S[0]
        while True:
            await self._wanted_online.wait()
            try:
                transport = await self._dial()
            except LinkLost as lost:
                self.unwelcome = isinstance(lost, Unwelcome)
                self.locked_out = isinstance(lost, Unwelcome) and lost.status == _PASSWORD_REFUSED
                self._changed()
                seen = str(lost) if str(lost).endswith((".", '."')) else f"{lost}."
                if self.locked_out and not self.persistent:
                    self._say(f"{seen} It does not dial again.")
                    return
                self._say(f"{seen} Dials again in {pause_s:g} s.")
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _BACK_OFF_S[1])
                continue
            self.unwelcome = False
            self._link = Link(transport, self._handle, self._message_id, timeout_s=self._patience_s)
            try:
                booted = await self._live(self._link)
            finally:
                await self._link.close()
                self._link = None
                self.charger.online = False
                self.charger.queue.forget_status()
                self._changed()
            pause_s = _BACK_OFF_S[0] if booted else min(2 * pause_s, _BACK_OFF_S[1])
            await asyncio.sleep(pause_s)

    async def _live(self, link: Link) -> bool:
        """Use a connection until it ends; return whether it got as far as an accepted boot."""
        reader, worker = asyncio.create_task(link.read()), asyncio.create_task(self._talk.hold(link))
        try:
            done, _ = await asyncio.wait({reader, worker}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                with contextlib.suppress(LinkLost):
                    task.result()
        finally:
            for task in (reader, worker):
                task.cancel()
            await asyncio.gather(reader, worker, return_exceptions=True)
        self._say("the connection ended")
        return self._talk.booted

    async def _pulse(self) -> None:
        """Let time pass: cars charge, samples fall due, permissions run out, faults strike."""
        while True:
            for fault in self.charger.tick(self.now()):
                if fault is Fault.DROP_LINK:
                    await self.drop_link()
                elif fault is Fault.REBOOT:
                    await self.reboot()
            self.wake()
            coming = self.charger.next_event()
            span_s = _PULSE_S if coming is None else min(_PULSE_S, coming.since(self.now()) / 1000)
            await self._timeline.sleep(max(0.001, span_s))

    def _handle(self, action: str, payload: Payload) -> Answer:
        return handle_call(self, action, payload)

    def _message_id(self) -> str:
        self.charger.memory.messages += 1
        return f"{self.identity[:20]}-{self.charger.memory.messages}"

    def _hear(self, effect: Effect) -> None:
        match effect:
            case StatusChanged(connector=number, status=status):
                self._say(status.value, number)
            case Began(connector=number, transaction=transaction):
                self._say(f"charge begins for {transaction.id_tag}", number)
                self._begin_offline()
            case Ended(connector=number, energy_wh=energy_wh, reason=reason):
                self._say(f"charge ends ({reason}) after {energy_wh} Wh", number)
        self.on_effect(effect)

    def _begin_offline(self) -> None:
        """Be offline at the start of a charge, where a fault says so."""
        offline_s = self.faults.amount(Fault.OFFLINE_START) or self.faults.amount(Fault.UNKNOWN_ID)
        if offline_s is not None and self._tasks:
            self._wanted_online.clear()
            self._tasks.append(asyncio.create_task(self._return_after(offline_s)))

    async def _return_after(self, seconds: int) -> None:
        await self.drop_link()
        await self._timeline.sleep(seconds)
        await self.go_online()

    def _changed(self) -> None:
        """Keep what has to be kept, and let those who wait look again."""
        self._save()
        self._moved.set()
        self._moved = asyncio.Event()

    def _say(self, text: str, connector: int | None = None) -> None:
        self._tell(f"{self.identity}: {text}" if connector is None else f"{self.identity}/{connector}: {text}")

    def _save(self) -> None:
        if self._state_file is not None:
            save_memory(self._state_file, self.charger.remember())
