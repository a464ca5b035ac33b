"""What the station says over a connection: the boot, then heartbeats and whatever is due, in order."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Callable
from typing import Final

from commonwatt.adapters.station.virtual.charger import Charger
from commonwatt.adapters.station.virtual.link import CallFailed, CallUnanswered, Link
from commonwatt.adapters.station.virtual.model import Status
from commonwatt.adapters.station.virtual.queue import Due
from commonwatt.adapters.station.virtual.timeline import Timeline
from commonwatt.kernel import Instant

_BOOT_RETRY_S: Final = 10
"""Pause after a boot that was not accepted, when the server names none."""


class Conversation:
    """The station's side of all its connections, one after the other."""

    def __init__(
        self, charger: Charger, timeline: Timeline, tell: Callable[[str], None], moved: Callable[[], None]
    ) -> None:
        """Take whose messages they are, the time, who hears in words, and who hears that something moved."""
        self._charger = charger
        self._timeline = timeline
        self._tell = tell
        self._moved = moved
        self.booted = False
        """Whether the server has accepted a boot since the station was last switched on."""
        self.woken = asyncio.Event()
        """Set to make the worker look at the queue again."""
        self._asked_to_boot = asyncio.Event()

    async def hold(self, link: Link) -> None:
        """Talk for as long as the connection lives; raises LinkLost in the end."""
        charger = self._charger
        while not self.booted:
            await self._boot(link)
        charger.online = True
        self.tell_status([0, *charger.connectors])
        beat = self._next_beat()
        while True:
            self.woken.clear()
            now = self._timeline.now()
            due = charger.queue.next_due(now)
            if due is not None:
                await self._deliver(link, due)
            elif beat <= now:
                with contextlib.suppress(CallFailed):
                    await link.call("Heartbeat", {})
                beat = self._next_beat()
            else:
                await self._rest(min(charger.queue.next_at() or beat, beat))

    def tell_status(self, numbers: list[int]) -> None:
        """Owe the server the present state of connectors; 0 is the whole station."""
        for number in numbers:
            status = self._charger.connectors[number].status if number else Status.AVAILABLE
            payload = self._charger.frames.status(number, status, self._timeline.now())
            self._charger.queue.append(Due(action="StatusNotification", payload=payload))
        self.woken.set()

    def _next_beat(self) -> Instant:
        seconds = self._charger.settings.seconds("HeartbeatInterval")
        return self._timeline.now().plus(seconds=max(1, seconds))

    def boot_now(self) -> None:
        """Boot at once instead of when the server's interval is over: it has asked for it (OCPP 1.6, 4.2)."""
        self._asked_to_boot.set()

    async def _boot(self, link: Link) -> None:
        self._asked_to_boot.clear()
        try:
            answer = await link.call("BootNotification", self._charger.frames.boot())
        except CallFailed as failed:
            answer = {"status": f"refused: {failed}"}
        interval = answer.get("interval")
        interval_s = interval if isinstance(interval, int) and interval > 0 else 0
        status = answer.get("status")
        waits = f"; admit it: commonwatt station admit {shlex.quote(self._charger.identity)}"
        self._tell(f"boot is {status}{waits if status == 'Pending' else ''}")
        if answer.get("status") == "Accepted":
            if interval_s:
                self._charger.settings.change("HeartbeatInterval", str(interval_s))
            self.booted = True
            self._moved()
        else:
            await self._nap(self._asked_to_boot, interval_s or _BOOT_RETRY_S)

    async def _deliver(self, link: Link, due: Due) -> None:
        """Send one message and take the answer; without one it stays and goes again with a new id."""
        charger = self._charger
        try:
            charger.answered(due, await link.call(due.action, charger.filled(due)), self._timeline.now())
        except CallFailed as failed:
            self._tell(f"{due.action} is refused: {failed}")
            charger.refused(due, str(failed), self._timeline.now())
        except (KeyError, TypeError, ValueError) as wrong:
            self._tell(f"the answer to {due.action} makes no sense: {wrong!r}")
            charger.refused(due, f"senseless answer: {wrong!r}", self._timeline.now())
        except CallUnanswered as silence:
            self._tell(str(silence))
            due.attempts += 1
            if due.attempts % max(1, charger.settings.seconds("TransactionMessageAttempts")) == 0:
                raise
        self._moved()

    async def _rest(self, until: Instant) -> None:
        """Wait until something happens or the station's time has come."""
        await self._nap(self.woken, max(0.001, until.since(self._timeline.now()) / 1000))

    async def _nap(self, alarm: asyncio.Event, span_s: float) -> None:
        """Wait so many seconds of the station's time, or until the alarm."""
        naps = {asyncio.create_task(alarm.wait()), asyncio.ensure_future(self._timeline.sleep(span_s))}
        try:
            await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for nap in naps:
                nap.cancel()
