"""All connected stations: identity to link. It is the `StationLine` of the features."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from commonwatt import stations
from commonwatt.adapters.station.allowance import BURST_S, Allowance
from commonwatt.adapters.station.dialect import Caller, Dialect
from commonwatt.adapters.station.frames import FrameLog
from commonwatt.adapters.station.link import CALL_TIMEOUT_S, Link
from commonwatt.adapters.station.ports import Ports
from commonwatt.adapters.station.transport import Transport
from commonwatt.kernel import Clock, Done, Failed, Ids, Outcome, Unavailable, Unknown
from commonwatt.kit.database import Database, Note, Work
from commonwatt.kit.metrics import gauge
from commonwatt.stations import AnswerInvalid, Presence

PING_S = 30.0
AT_ONCE = 200
"""Pings in flight at most."""
STRANGERS_KEPT = 1000
"""Identities in the waiting room whose allowances are remembered before the unused ones are forgotten."""
CLONED = "cloned-identity"
_GOING_AWAY, _POLICY = 1001, 1008

CONNECTED = gauge("stations_connected", "Stations with an open connection, waiting ones included.")

_log = structlog.get_logger("stations")


class Hub:
    """Knows who is connected, asks them on behalf of the features, and measures them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        ports: Ports,
        *,
        ping_s: float = PING_S,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> None:
        """Take the database and what charging wants to hear; ping so often, and wait so long for answers."""
        self.database = database
        self.clock = clock
        self.ids = ids
        self.ports = ports
        self.frames = FrameLog(database)
        self._ping_s = ping_s
        self._timeout_s = timeout_s
        self._links: dict[str, Link] = {}
        self._allowances: dict[str, Allowance] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Mark as gone what an earlier process left as connected, and begin to measure.

        Offers stand: the stations come back within seconds, and one that does not gives its payment back.
        """
        await self.database.write(stations.forget_connections)
        self.database.on_notes.append(self._hear)
        self._spawn(self._rounds())

    async def close(self) -> None:
        """Close all connections and store what was measured."""
        if self._hear in self.database.on_notes:
            self.database.on_notes.remove(self._hear)
        links = list(self._links.values())
        await asyncio.gather(*(link.close(_GOING_AWAY, "the server stops") for link in links))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.frames.close()

    async def take_identity(self, identity: str) -> bool:
        """Return whether a new connection may have this identity.

        A first connection that does not answer a ping at once is dropped for the newer one. One that does stays, the
        newer is refused, and the station is flagged: two live ones mean that the identity, or its password, was copied.
        A stranger's that is slowed is not read, so nobody can tell whether it lives; it yields, and as its allowance is
        the identity's, the newer one has gained nothing.
        """
        first = self._links.get(identity)
        if first is None or first.closed:
            return True
        if not first.slowed_stranger and await first.ping() and not first.closed:
            self.frames.flag(identity, CLONED, "A second connection came while the first was alive, and was refused.")
            _log.warning("cloned identity", station=identity)
            return False
        if self._links.get(identity) is first:
            del self._links[identity]
            self._spawn(first.close(_GOING_AWAY, "replaced by a newer connection"))
        return True

    async def attach(
        self,
        identity: str,
        transport: Transport,
        dialect: Dialect,
        *,
        admitted: bool = True,
        trusted: bool = True,
        waivers: frozenset[str] = frozenset(),
        address: str = "",
    ) -> None:
        """Run a connection from its first frame to its end, known to the features in between."""
        caller = Caller(
            identity,
            clock=self.clock,
            flag=self.frames.flag,
            admitted=admitted,
            trusted=trusted,
            waivers=waivers,
            address=address,
        )
        allowance = None if admitted else self._allowance_of(identity)
        link = Link(caller, transport, dialect, self.frames, self.ids, timeout_s=self._timeout_s, allowance=allowance)
        taken = await self.take_identity(identity)
        first = self._links.get(identity)  # one that is closed may still be answering what it had read
        if not taken or (first is not None and not first.closed):
            await link.close(_POLICY, "this identity is connected already")
            return
        self._links[identity] = link
        CONNECTED.set(len(self._links))
        try:
            if link.caller.admitted:
                await self.database.write(stations.note_connected, identity, address, dialect.subprotocol)
            await link.run()
        finally:
            await self._leave(link)

    def is_connected(self, identity: str) -> bool:
        """Whether an admitted station has a live connection."""
        link = self._links.get(identity)
        return link is not None and not link.closed and link.caller.admitted

    async def remote_start(self, identity: str, connector: int, id_tag: str) -> Outcome[bool]:
        """Ask to start charging with an id tag."""
        return await self._ask(identity, lambda dialect: dialect.remote_start(connector, id_tag))

    async def remote_stop(self, identity: str, transaction_id: int) -> Outcome[bool]:
        """Ask to end a transaction."""
        return await self._ask(identity, lambda dialect: dialect.remote_stop(transaction_id))

    async def set_rhythm(self, identity: str, seconds: int) -> Outcome[bool]:
        """Ask for a reading every so many seconds."""
        return await self._ask(identity, lambda dialect: dialect.set_rhythm(seconds))

    async def ask_reading(self, identity: str, connector: int) -> Outcome[bool]:
        """Ask for a reading now."""
        return await self._ask(identity, lambda dialect: dialect.ask_reading(connector))

    async def send(
        self, identity: str, action: str, payload: dict[str, Any], *, patience_s: float | None = None
    ) -> Outcome[dict[str, Any]]:
        """Send a raw call and return the station's payload."""
        link = self._links.get(identity)
        return _offline() if link is None or link.closed else await link.call(action, payload, patience_s=patience_s)

    async def disconnect(self, identity: str, reason: str) -> None:
        """Close the station's connection, when there is one."""
        link = self._links.get(identity)
        if link is not None:
            await link.close(_GOING_AWAY, reason)

    def connected(self) -> list[str]:
        """Return the identities of all live connections, waiting ones included."""
        return [identity for identity, link in self._links.items() if not link.closed]

    def link_of(self, identity: str) -> Link | None:
        """Return the link of a connected station, for pages that show it and tests that look into it."""
        return self._links.get(identity)

    async def _ask(self, identity: str, wish: Callable[[Dialect], tuple[str, dict[str, Any]]]) -> Outcome[bool]:
        """Ask what a station's own dialect makes of a wish, and tell whether the station agreed."""
        link = self._links.get(identity)
        if link is None or link.closed or not link.caller.admitted:
            return _offline()
        outcome = await link.call(*wish(link.dialect))
        if isinstance(outcome, AnswerInvalid):
            return Unknown(outcome.reason)
        return Done(link.dialect.accepted(outcome.value)) if isinstance(outcome, Done) else outcome

    def _allowance_of(self, identity: str) -> Allowance:
        """Return what a stranger has left, from its earlier connections too; those long silent are forgotten."""
        if len(self._allowances) >= STRANGERS_KEPT:
            now_s = asyncio.get_running_loop().time()
            self._allowances = {name: one for name, one in self._allowances.items() if one.wait_s(now_s) > -BURST_S}
        return self._allowances.setdefault(identity, Allowance())

    async def _leave(self, link: Link) -> None:
        identity = link.caller.identity
        if self._links.get(identity) is not link:
            return
        del self._links[identity]
        CONNECTED.set(len(self._links))
        if not link.caller.admitted:
            return
        try:
            await self.database.write(self._gone, identity)
        except Unavailable:
            _log.info("disconnection not stored", station=identity)

    def _gone(self, work: Work, identity: str) -> None:
        stations.note_disconnected(work, identity)
        self.ports.note_offline(work, identity)

    def _hear(self, notes: list[Note]) -> None:
        for note in notes:
            if note.name == "admission" and (link := self._links.get(note.data["station"])) is not None:
                self._spawn(self._readmit(link))

    async def _readmit(self, link: Link) -> None:
        """Follow an operator's decision about a station that is connected."""
        identity = link.caller.identity
        view = await self.database.read(stations.find_station, identity)
        if view is None or view.state == stations.REJECTED:
            await link.close(_POLICY, "not admitted")
            return
        link.caller.waivers = frozenset(view.waivers)
        if view.state == stations.ADMITTED and not link.caller.admitted:
            if not link.caller.trusted:
                await link.close(_GOING_AWAY, "admitted; connect again with the password")
                return
            link.caller.admitted = True
            await self.database.write(stations.note_connected, identity, link.caller.address, link.dialect.subprotocol)
            await link.call(*link.dialect.announce_again())

    async def measure(self) -> None:
        """Ping every link, drop the dead, store what was seen: one round of what repeats by itself."""
        links = list(self._links.values())
        for start in range(0, len(links), AT_ONCE):
            await asyncio.gather(*(self._check(link) for link in links[start : start + AT_ONCE]))
        seen = [
            Presence(link.caller.identity, link.caller.seen_ms, link.caller.drift_ms, link.ping_ms)
            for link in links
            if link.caller.admitted
        ]
        try:
            if seen:
                await self.database.write(stations.note_heartbeat, seen)
        except Unavailable as error:
            _log.warning("presence not stored", error=error.detail)

    async def _rounds(self) -> None:
        while True:
            await asyncio.sleep(self._ping_s)
            await self.measure()

    async def _check(self, link: Link) -> None:
        if not link.caller.admitted:
            await self._readmit(link)  # an operator may have decided in another process
        if not link.closed and not await link.ping():
            _log.info("station silent", station=link.caller.identity)
            await link.close(_GOING_AWAY, "no answer to a ping")

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _offline() -> Failed:
    return Failed("The station has no connection; the command was not sent.", "offline")
