"""Where a replay takes place: a whole house on a clock that walks through the past, and play money for its drivers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from zoneinfo import ZoneInfo

from commonwatt import charging, stations, tariffs
from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.adapters.payment.sandbox.rail import SandboxRail
from commonwatt.adapters.station.admission import Policy, Strangers
from commonwatt.adapters.station.listener import Listener, start_listener
from commonwatt.adapters.station.ocpp16.dialect import Ocpp16
from commonwatt.charging import Rules, Terms
from commonwatt.charging import errors as charging_errors
from commonwatt.kernel import EUR, Broken, Done, Failed, Instant, RandomIds, Rounding, Unknown
from commonwatt.kit.database import Note, Work, create_tables, open_engine
from commonwatt.kit.web.site import Site
from commonwatt.main.assembly import House, assemble, station_ports
from commonwatt.main.replay.plan import WINDOW_MAX_S, PlannedCharge
from commonwatt.payments.ports import InvoiceTerms
from commonwatt.tariffs import Tariff

DRIVER: Final = "drivers"
OWNER: Final = "owner"
PURSE_MSAT: Final = 10**18
MICRO_EUR_PER_BTC: Final = 61_234_560_000
"""The replay's fixed rate; an uneven one, so that roundings show."""
SAT_MSAT: Final = 1000
CLAIM_S: Final = 90 * 24 * 3600
"""The wallet's invoices for change outlive the clock's longest leap."""
SPARE_MICRO_EUR: Final = 5_000_000
"""Every driver pays for five euro more than will be needed, and gets them back."""
RULES: Final = Rules(
    terms=Terms(start_s=3 * WINDOW_MAX_S, stop_s=3 * WINDOW_MAX_S, vanish_s=3 * WINDOW_MAX_S),
    payment_min_msat=SAT_MSAT,
    payment_max_msat=10**15,
    silence_s=30 * 24 * 3600,
    reboot_s=3 * WINDOW_MAX_S,
)
"""The past is played window by window, so that hours may pass between a payment and the plug."""


Stand = Callable[[charging.Charge], bool]


class PaymentLost(Broken):
    """A payment of the sandbox did not go the way that it must."""

    slug = "replay-payment-lost"
    title = "A payment of the replay went wrong"


class PastClock:
    """The house's clock: it stands at an instant of the past until the replay moves it."""

    def __init__(self, start: Instant) -> None:
        """Stand at the beginning."""
        self._now = start

    def now(self) -> Instant:
        """Return where it stands."""
        return self._now

    def move(self, to: Instant) -> None:
        """Move on; never back."""
        self._now = max(self._now, to)


@dataclass(frozen=True, slots=True)
class Offered:
    """A session that was offered, its invoice and what was asked for it."""

    session_id: str
    secret: str
    bolt11: str
    amount_msat: int


class Place:
    """The house of a replay. `async with` opens it; what is in the folder goes on."""

    def __init__(self, folder: Path, start: Instant, zone: str) -> None:
        """Choose the folder, the first instant and the owner's time zone."""
        self.folder = folder
        self.clock = PastClock(start)
        self.ids = RandomIds()
        self._zone = zone
        self._payments: set[asyncio.Task[object]] = set()
        self._stirred: dict[str, asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        """Open databases, house, listener."""
        self.network = SandboxNetwork(self.folder / "sandbox.db", self.clock, self.ids)
        await self.network.add_node(OWNER, 0)
        await self.network.add_node(DRIVER, PURSE_MSAT)
        self.rail = SandboxRail(self.network, OWNER)
        engine = open_engine(self.folder / "house.db")
        create_tables(engine)
        self.house: House = assemble(
            site=Site("Replay", "http://localhost:8080", timezone=self._zone, sandbox=True),
            engine=engine,
            clock=self.clock,
            ids=self.ids,
            rails={"sandbox": self.rail},
            rules=RULES,
            hold_max_s=3 * WINDOW_MAX_S,
        )
        database = self.house.database
        self.tariff = await database.write(furnish, self._zone)
        self.rate = await database.write(quote)
        database.on_notes.append(self._hear)
        await self.house.start()
        self.listener: Listener = await start_listener(
            "127.0.0.1",
            0,
            database=database,
            clock=self.clock,
            hub=self.house.hub,
            policy=Policy(require_password=False, strangers=Strangers.REJECT),
            dialects=[Ocpp16(database, station_ports(RULES))],
        )
        self.url = f"ws://127.0.0.1:{self.listener.port}/ocpp"
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close in the opposite order."""
        await self.listener.close()
        for task in self._payments:
            task.cancel()
        await asyncio.gather(*self._payments, return_exceptions=True)
        await self.house.stop()
        self.network.close()

    async def admit(self, identity: str) -> None:
        """Add a station, unless it was added before."""
        await self.house.database.write(admit, identity)

    async def walk(self, to: Instant) -> None:
        """Move the clock, and learn what a bitcoin costs there."""
        self.clock.move(to)
        self.rate = await self.house.database.write(quote)

    def nudge(self) -> None:
        """Let half a second pass, so that what waits for a later try gets it."""
        self.clock.move(self.clock.now().plus(ms=500))

    def price(self, planned: PlannedCharge) -> int:
        """Return what a driver pays in advance, in msat: what the past charge will cost and a good deal more."""
        past = planned.past
        tally = tariffs.open_tally(self.tariff, past.plugged_in)
        tally = tariffs.advance(self.tariff, tally, past.charge_end, past.energy_wh, None, True)
        late = past.plugged_out.plus(seconds=WINDOW_MAX_S)
        tally = tariffs.advance(self.tariff, tally, late, past.energy_wh, 0, False)
        units = tariffs.cost(self.tariff, tally) * 5 // 4 + SPARE_MICRO_EUR
        msat = tariffs.fiat_to_msat(units, self.rate, Rounding.UP).quotient
        return charging.whole_sats_up(msat)

    async def offer(self, planned: PlannedCharge) -> Offered:
        """Scan the code of a connector: open a session and get its invoice."""
        connector = await self.house.database.read(stations.connector_at, planned.identity, planned.connector)
        if connector is None:
            raise PaymentLost(f"The house does not know connector {planned.connector} of {planned.identity}.")
        amount_msat = self.price(planned)
        charge, invoice = await charging.offer_session(
            self.house.database,
            self.house.hub,
            self.rail,
            connector=connector.name,
            amount_msat=amount_msat,
            rules=RULES,
        )
        return Offered(charge.id, charge.secret, invoice.bolt11, amount_msat)

    def pay(self, bolt11: str, amount_msat: int) -> None:
        """Pay an invoice from the drivers' purse; the money stays locked until the first energy flows."""
        task: asyncio.Task[object] = asyncio.create_task(
            self.network.pay(DRIVER, bolt11, amount_msat=amount_msat, fee_limit_msat=0, timeout_s=1)
        )
        self._payments.add(task)
        task.add_done_callback(self._payments.discard)

    async def charge(self, session_id: str) -> charging.Charge:
        """Return a session as it stands."""
        charge = await self.house.database.read(charging.charge_by_id, session_id)
        if charge is None:
            raise PaymentLost(f"The session {session_id} is not in the house's database.", session=session_id)
        return charge

    async def until(self, session_id: str, true: Stand, *, timeout_s: float = 60.0) -> charging.Charge:
        """Wait until something is true of a session; raises PaymentLost after so many real seconds."""
        stirred = self._stirred.setdefault(session_id, asyncio.Event())
        deadline = asyncio.get_running_loop().time() + timeout_s
        try:
            while True:
                stirred.clear()
                charge = await self.charge(session_id)
                if true(charge):
                    return charge
                if asyncio.get_running_loop().time() > deadline:
                    raise PaymentLost(
                        f"The session {session_id} is {charge.session.status} and does not go on.", session=session_id
                    )
                try:
                    async with asyncio.timeout(0.5):
                        await stirred.wait()
                except TimeoutError:
                    self.nudge()
        finally:
            self._stirred.pop(session_id, None)

    async def claim(self, secret: str) -> None:
        """Take the change with the session's secret, as a wallet does by LNURL-withdraw; nothing left is fine."""
        database = self.house.database
        try:
            offer = await database.read(charging.offer_change, secret)
        except charging_errors.NoChange:
            return
        terms = InvoiceTerms(self.ids.secret(32), offer.max_msat, "change", None, CLAIM_S, hold=False)
        match await self.network.issue(DRIVER, terms):
            case Done(issued):
                await database.write(charging.claim_change, secret, offer.k1, issued.bolt11, (self.rail.name,), RULES)
            case Failed(reason, _) | Unknown(reason):
                raise PaymentLost(f"The drivers' wallet made no invoice: {reason}")

    def _hear(self, notes: list[Note]) -> None:
        for note in notes:
            kind, _, session_id = note.topic.partition("/")
            if kind == "session" and session_id in self._stirred:
                self._stirred[session_id].set()


def furnish(work: Work, zone: str) -> Tariff:
    """Give an empty house its tariff: 0.45 EUR per kWh, 1.20 EUR per hour parked after the first, VAT included."""
    listed = tariffs.list_tariffs(work.sql, work.now)
    if listed:
        return tariffs.tariff_for(work.sql, "", 0, work.now)
    energy = tariffs.Element((tariffs.Component(tariffs.Kind.ENERGY, 450_000, 200_000),))
    parking = tariffs.Element(
        (tariffs.Component(tariffs.Kind.PARKING_TIME, 1_200_000, 200_000, 60),),
        tariffs.Restrictions(min_parked_s=3600),
    )
    draft = tariffs.Tariff("", "", "Replay", EUR, (energy, parking), vat_included=True, timezone=str(ZoneInfo(zone)))
    tariff = tariffs.create_tariff(work, draft)
    tariffs.assign_tariff(work, tariff.id)
    return tariff


def quote(work: Work) -> tariffs.Rate:
    """Store the replay's fixed exchange rate as of now."""
    return tariffs.store_rate(work, tariffs.Rate("", "EUR", MICRO_EUR_PER_BTC, work.now, ("replay",)))


def admit(work: Work, identity: str) -> None:
    """Add a station without a password, unless it is there."""
    if stations.find_station(work.sql, identity) is None:
        stations.add_station(work, identity, with_password=False)


def digest_file(path: Path, *options: object) -> str:
    """Return what names a replay: the file's content and the options that change it."""
    return hashlib.sha256(path.read_bytes() + repr(options).encode()).hexdigest()
