"""One world: a house on virtual time, virtual stations at the end of lines in memory, and drivers with play money.

Time is the event loop's own (`async_solipsism`): it stands still while anything can run and jumps when nothing can. A
day of charging takes a second, and a seed repeats it to the letter.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import async_solipsism
from sim.audit import unfinished
from sim.line import BadLine, Weather
from sim.power import Fuse, FusedFaults, Power, PowerCut, watch_tasks, wire

from commonwatt import charging, stations, tariffs
from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.adapters.payment.sandbox.rail import SandboxRail
from commonwatt.adapters.rates.fixed import Fixed
from commonwatt.adapters.station.ocpp16.dialect import Ocpp16
from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.adapters.station.virtual.timeline import SharedTimeline
from commonwatt.adapters.station.virtual.transport import LinkLost, MemoryTransport, memory_pair
from commonwatt.charging import Charge, Rules
from commonwatt.kernel import EUR, Clock, Done, Failed, Instant, Outcome, SeededIds, Unknown
from commonwatt.kit.database import Database, Work, create_tables, open_engine
from commonwatt.kit.database.writer import NotSaved
from commonwatt.kit.web.site import Site
from commonwatt.main.assembly import House, assemble, station_ports
from commonwatt.payments.ports import InvoiceTerms, PaymentReport
from commonwatt.tariffs.ports import Quote

T = TypeVar("T")
ORIGIN = Instant.parse("2026-05-01T12:00:00Z")
SITE = Site(name="Simulated world", base_url="http://localhost:8080", timezone="Europe/Prague", sandbox=True)
PURSE_MSAT = 100_000_000_000


class LoopClock:
    """The loop's virtual seconds as instants."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the world begin at noon."""
        self._loop = loop
        self._start = loop.time()
        self.skipped_ms = 0
        """Time in which the house did nothing: its process was paused."""

    def now(self) -> Instant:
        """Return the virtual present."""
        return ORIGIN.plus(ms=round((self._loop.time() - self._start) * 1000) + self.skipped_ms)


class HouseClock:
    """The house's own clock, which somebody may set wrong."""

    def __init__(self, true: Clock) -> None:
        """Begin in step with the world."""
        self._true = true
        self.off_ms = 0

    def now(self) -> Instant:
        """Return what the house believes."""
        return self._true.now().plus(ms=self.off_ms)


def run(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a story on virtual time and return what it returns."""
    loop = async_solipsism.EventLoop()
    watch_tasks(loop)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(story())
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.set_event_loop(None)


class Rates(Fixed):
    """A rate source that may be out of reach."""

    def __init__(self, clock: Clock) -> None:
        """Begin in reach."""
        super().__init__(clock, {"EUR": "60000.00"})
        self.down = False

    async def fetch(self, currency: str) -> Outcome[Quote]:
        """Tell the price, or nothing."""
        return Unknown("no answer") if self.down else await super().fetch(currency)


@dataclass(frozen=True, slots=True)
class Paid:
    """A driver's side of a session: the charge, and the payment as the driver's wallet sees it."""

    charge: Charge
    bolt11: str
    wallet: asyncio.Task[Outcome[PaymentReport]]


class World:
    """Everything of one run; `async with World(seed) as world`."""

    def __init__(
        self, seed: int = 0, *, rules: Rules | None = None, path: Path | None = None, hold: bool = True
    ) -> None:
        """Choose the seed; nothing exists before the world is entered."""
        self.seed = seed
        self.random = random.Random(seed)
        self._line_chance = random.Random(f"{seed}/line")
        self.rules = rules or Rules()
        self.ids = SeededIds(seed)
        self.stations: dict[str, VirtualStation] = {}
        self.drivers: list[str] = []
        self._path = path
        self._hold = hold
        self._lines: set[asyncio.Task[Any]] = set()
        self.partition: set[str] = set()
        """Stations that cannot reach the house for now."""
        self.weather = Weather()
        self.fuse = Fuse(self.cut_power)
        self.power = Power()
        self.cuts = 0
        self._restart: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the world: tariff, rate, rails, house."""
        self.clock = LoopClock(asyncio.get_running_loop())
        self.house_clock = HouseClock(self.clock)
        self.network = SandboxNetwork(None, self.clock, SeededIds(self.seed + 1), inline=True)
        await self.network.add_node("owner", PURSE_MSAT)
        self.rail = SandboxRail(self.network, "owner", faults=FusedFaults(self.fuse))
        if not self._hold:
            self.rail.capabilities = replace(SandboxRail.capabilities, hold=False, accepted_event=False)
        self.rates = Rates(self.clock)
        self.engine = open_engine(self._path)
        create_tables(self.engine)
        await self.power.task(self._open_house())
        await self.house.database.write(furnish)
        await asyncio.sleep(1)
        return self

    async def __aexit__(self, *_error: object) -> None:
        """End everything."""
        self.fuse.left = None
        if self._restart is not None:
            self._restart.cancel()
        for station in self.stations.values():
            await station.stop()
        if self.power.on:
            await self.house.stop()
        self.network.close()

    @property
    def database(self) -> Database:
        """The house's database."""
        return self.house.database

    async def _open_house(self) -> None:
        self.house: House = assemble(
            site=SITE,
            engine=self.engine,
            clock=self.house_clock,
            ids=self.ids,
            rails={"sandbox": self.rail},
            rules=self.rules,
            fetch=self._fetch,
            rate_sources=(self.rates,),
            rate_policy=tariffs.RatePolicy(minimum=1),
            inline=True,
        )
        wire(self.house.database, self.fuse)
        self.dialect = Ocpp16(self.house.database, station_ports(self.rules))
        await self.house.hub.start()
        await self.house.start()

    def cut_power(self, away_s: float = 5.0) -> None:
        """Kill the house at once, as `kill -9` does; it is started again over the same database a little later."""
        self.cuts += 1
        self.power.cut(self.house.database if hasattr(self, "house") else None)
        if self._restart is None or self._restart.done() or self._restart is asyncio.current_task():
            again = self._start_again(away_s)
            self._restart = asyncio.get_running_loop().create_task(again, context=contextvars.Context())

    async def _start_again(self, away_s: float) -> None:
        while not self.power.on:
            await asyncio.sleep(away_s)
            power = self.power = Power()
            try:
                await power.task(self._open_house())
            except (PowerCut, asyncio.CancelledError):
                if power.on:
                    raise

    async def add_station(
        self,
        identity: str,
        *,
        connectors: int = 1,
        faults: Faults | None = None,
        dial: bool = True,
        patiently: bool = True,
    ) -> VirtualStation:
        """Put a station on the wall, admitted, and wait until it is online and its connectors are known."""
        await self.database.write(stations.add_station, identity)
        station = VirtualStation(
            identity,
            connectors=connectors,
            timeline=SharedTimeline(self.clock),
            faults=faults or Faults(),
            dial=lambda: self._dial(identity),
        )
        self.stations[identity] = station
        if dial:
            await station.start()
            if patiently:
                await self.until(lambda: station.online and not station.owes)
            else:
                await asyncio.sleep(2)
        return station

    async def add_driver(self, name: str = "driver") -> str:
        """Give a driver a wallet with money in it."""
        if name not in self.drivers:
            await self.network.add_node(name, PURSE_MSAT)
            self.drivers.append(name)
        return name

    async def pay(
        self, connector: str, amount_msat: int, *, driver: str = "driver", address: str | None = None
    ) -> Paid:
        """Scan a code and pay: the driver's wallet gets the invoice and pays it while the story goes on."""
        await self.add_driver(driver)
        charge, invoice = await charging.offer_session(
            self.database,
            self.house.hub,
            self.rail,
            connector=connector,
            amount_msat=amount_msat,
            address=address,
            rules=self.rules,
        )
        return Paid(charge, invoice.bolt11, self.send(driver, invoice.bolt11, amount_msat))

    async def ask(self, call: Callable[..., Coroutine[Any, Any, T]], *args: Any, **named: Any) -> T:
        """Ask the house for something, as a browser or a wallet does; raises NotSaved when it is dead, or dies."""
        power = self.power
        try:
            if power.on:
                return await power.task(call(*args, **named))
        except PowerCut:
            pass
        except asyncio.CancelledError:
            if power.on:
                raise
        raise NotSaved("the house is dark")

    async def scan(self, connector: str, amount_msat: int, *, address: str | None = None) -> tuple[Charge, str]:
        """Scan a code and return the session that it opened, with the invoice that starts it."""
        charge, invoice = await self.ask(
            charging.offer_session,
            self.database,
            self.house.hub,
            self.rail,
            connector=connector,
            amount_msat=amount_msat,
            address=address,
            rules=self.rules,
        )
        return charge, invoice.bolt11

    def send(self, driver: str, bolt11: str, amount_msat: int) -> asyncio.Task[Outcome[PaymentReport]]:
        """Let a driver's wallet pay an invoice in the background."""
        return asyncio.create_task(
            self.network.pay(driver, bolt11, amount_msat=amount_msat, fee_limit_msat=amount_msat, timeout_s=600)
        )

    async def claim(self, charge: Charge, *, driver: str = "driver", amount_msat: int | None = None) -> Charge:
        """Take the change with the session's secret, as a wallet does by LNURL-withdraw."""
        offer = await self.database.read(charging.offer_change, charge.secret)
        bolt11 = await self.invoice(driver, amount_msat or offer.max_msat)
        return await self.database.write(
            charging.claim_change, charge.secret, offer.k1, bolt11, ("sandbox",), self.rules
        )

    async def invoice(self, driver: str, amount_msat: int) -> str:
        """Let a driver's wallet make an invoice."""
        terms = InvoiceTerms(self.ids.secret(32), amount_msat, "change", None, 3600, hold=False)
        issued = await self.network.issue(driver, terms)
        assert isinstance(issued, Done)
        return issued.value.bolt11

    async def _fetch(self, address: str, amount_msat: int) -> Outcome[str]:
        """Stand for the wallet service behind `name@wallet`: it gives invoices of the driver of that name."""
        name = address.partition("@")[0]
        return Done(await self.invoice(name, amount_msat)) if name in self.drivers else Failed("no such name")

    async def heal(self, *, within_s: float = 4 * 3600) -> None:
        """End all trouble, let every car leave, and let time pass until every session and payment has its end."""
        self.fuse.left = None
        self.house_clock.off_ms = 0
        if self._restart is not None:
            await self._restart
        self.partition.clear()
        self.weather.clear()
        self.rail.faults.clear()
        self.rates.down = False
        for station in self.stations.values():
            await station.go_online()
            for number in station.charger.connectors:
                if station.connector(number).car is not None:
                    await station.unplug(number)
        deadline = self.clock.now().plus(ms=round(within_s * 1000))
        while left := await self._unfinished():
            assert self.clock.now() < deadline, f"seed {self.seed}: after {within_s} s of peace: {'; '.join(left)}"
            await asyncio.sleep(1)

    async def _unfinished(self) -> list[str]:
        owed = [f"{name} owes {station.owes} messages" for name, station in self.stations.items() if station.owes]
        return owed + await self.database.read(unfinished)

    async def charge(self, session_id: str) -> Charge:
        """Return a charge as it stands."""
        charge = await self.database.read(charging.charge_by_id, session_id)
        assert charge is not None
        return charge

    async def until(self, true: Callable[[], bool | Awaitable[bool]], *, within_s: float = 600) -> None:
        """Let time pass until something is true; fail after so many virtual seconds."""
        deadline = self.clock.now().plus(ms=round(within_s * 1000))
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            assert self.clock.now() < deadline, f"seed {self.seed}: it did not become true within {within_s} s"
            await asyncio.sleep(0.5)

    async def until_status(self, session_id: str, *statuses: str, within_s: float = 600) -> Charge:
        """Let time pass until a session has one of these states."""

        async def reached() -> bool:
            return (await self.charge(session_id)).session.status.value in statuses

        await self.until(reached, within_s=within_s)
        return await self.charge(session_id)

    async def _dial(self, identity: str) -> BadLine:
        """Connect a station to the house by a line in memory."""
        if identity in self.partition or not self.power.on:
            raise LinkLost("the network is down")
        ours, theirs = memory_pair()
        task = self.power.task(self._answer_line(identity, ours), name=f"line of {identity}")
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)
        return BadLine(theirs, self.weather, self._line_chance)

    async def _answer_line(self, identity: str, ours: MemoryTransport) -> None:
        try:
            await self.house.hub.attach(identity, ours, self.dialect)
        finally:
            await ours.close()


def furnish(work: Work) -> None:
    """Give an empty house a tariff, 0.45 EUR per kWh and 0.10 EUR per minute parked after a quarter of an hour."""
    components = (tariffs.Component(tariffs.Kind.ENERGY, 450_000, 200_000),)
    idle = tariffs.Element(
        (tariffs.Component(tariffs.Kind.PARKING_TIME, 6_000_000, 200_000, 60),),
        tariffs.Restrictions(min_parked_s=900),
    )
    draft = tariffs.Tariff("", "", "Standard", EUR, (tariffs.Element(components), idle), vat_included=True)
    tariff = tariffs.create_tariff(work, draft)
    tariffs.assign_tariff(work, tariff.id)
