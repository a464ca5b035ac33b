"""The demo's town: its charge points, prices, tags, cars, and passers-by who pay and take their change."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from commonwatt import charging, stations, tariffs
from commonwatt.adapters.payment.sandbox import SandboxNetwork, SandboxRail
from commonwatt.adapters.station.virtual.fleet import Fleet, Habits
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.kernel import Done, Fault
from commonwatt.kit.database import Work
from commonwatt.main.assembly import House
from commonwatt.payments.ports import InvoiceTerms

PLACES: tuple[tuple[str, str, int, float], ...] = (
    ("MARKET-SQUARE", "Market square", 2, 150_000.0),
    ("TOWN-HALL", "Town hall", 2, 50_000.0),
    ("STATION-ROAD", "Station road", 1, 22_000.0),
    ("SOLAR-YARD", "Solar yard", 2, 22_000.0),
)
"""Identity, name, connectors, and the power of each in W."""
TAGS = (("DEMO-CARSHARE-1", "Car sharing club"), ("DEMO-BAKERY", "Bakery van"), ("DEMO-CARE", "Home care"))
CARS = (
    ("city car", 28_000, 50_000.0),
    ("family car", 58_000, 100_000.0),
    ("estate", 77_000, 150_000.0),
    ("van", 90_000, 80_000.0),
)
VISITORS = "visitors"
PURSE_MSAT = 50_000_000_000
VISIT_MSAT = (4_000_000, 8_000_000, 15_000_000)
VISIT_EVERY_S = (40.0, 150.0)
STAY_S = (60.0, 400.0)
_log = structlog.get_logger("demo")


def furnish(work: Work, timezone: str) -> None:
    """Give an empty town its stations, tags and prices, by the clock of `timezone`; one that has them keeps its own."""
    if stations.find_station(work.sql, PLACES[0][0]) is None:
        for identity, name, connectors, _ in PLACES:
            stations.add_station(work, identity, name, with_password=False)
            for number in range(1, connectors + 1):
                stations.ensure_connector(work, identity, number)
        for tag, holder in TAGS:
            charging.add_tag(work, tag, holder)
    if not tariffs.list_tariffs(work.sql, work.now):
        slow = tariffs.create_tariff(work, _tariff("Town price", "0.49", idle="6.00", timezone=timezone))
        fast = tariffs.create_tariff(work, _tariff("Fast charging", "0.69", idle="12.00", timezone=timezone))
        tariffs.assign_tariff(work, slow.id)
        tariffs.assign_tariff(work, fast.id, PLACES[0][0])


def _tariff(name: str, energy: str, *, idle: str, timezone: str) -> tariffs.Tariff:
    """Return a price per kWh, and one per hour for cars that stay a quarter of an hour after they are full."""
    return tariffs.parse_tariff(
        {
            "name": name,
            "currency": "EUR",
            "vat_included": True,
            "elements": [
                {"components": [{"kind": "ENERGY", "price": energy, "vat": "20"}]},
                {
                    "components": [{"kind": "PARKING_TIME", "price": idle, "vat": "20", "step_size": 0}],
                    "restrictions": {"min_parked": 900},
                },
            ],
        },
        timezone=timezone,
    )


def build_fleet(url: str, data: Path, seed: int) -> Fleet:
    """Build the town's stations, which remember where they were, and the cars that come and go."""
    folder = data / "stations"
    folder.mkdir(exist_ok=True)
    built: list[VirtualStation] = []
    for identity, _, connectors, power_w in PLACES:
        station = VirtualStation(identity, url, connectors=connectors, state_file=folder / f"{identity}.json")
        for number, connector in station.charger.connectors.items():
            station.charger.connectors[number] = replace(connector, power_w_max=power_w)
        built.append(station)
    habits = Habits(
        between_visits_s=(60.0, 400.0),
        plug_after_s=(2.0, 5.0),
        stay_s=(120.0, 900.0),
        leave_after_s=(3.0, 30.0),
        models=CARS,
    )
    return Fleet(built, seed=seed, tags=[tag for tag, _ in TAGS], habits=habits, kept_free=[(PLACES[1][0], 1)])


class Passers:
    """People who scan a free charge point, pay, charge a while and take their change: the town's ordinary day."""

    def __init__(self, house: House, network: SandboxNetwork, rail: SandboxRail, seed: int) -> None:
        """Take the running house and the play world in which the visitors have a wallet."""
        self._house, self._network, self._rail = house, network, rail
        self._chance = random.Random(seed)  # noqa: S311 (a repeatable crowd, no secret)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Let the visitors come."""
        await self._network.add_node(VISITORS, PURSE_MSAT)
        self._spawn(self._come())

    async def stop(self) -> None:
        """Send them home; what they have not taken stays owed to them."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _come(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*VISIT_EVERY_S) / 3)
            self._spawn(self._visit())

    async def _visit(self) -> None:
        try:
            await self._charge()
        except Fault as error:
            _log.debug("a visitor went on", reason=error.detail)

    async def _charge(self) -> None:
        house = self._house
        free = await house.database.read(stations.list_connectors, status="Available")
        names = [view.name for view in free if view.online and view.station != PLACES[1][0]]
        if len(names) < 2:  # noqa: PLR2004 (one stays free for whoever looks at the demo)
            return
        charge, invoice = await charging.offer_session(
            house.database,
            house.hub,
            self._rail,
            connector=self._chance.choice(names),
            amount_msat=self._chance.choice(VISIT_MSAT),
            rules=house.rules,
        )
        self._spawn(self._pay(invoice.bolt11, invoice.amount_msat))
        await asyncio.sleep(self._chance.uniform(*STAY_S))
        await self._leave(charge.id)

    async def _pay(self, bolt11: str, amount_msat: int) -> None:
        await self._network.pay(
            VISITORS, bolt11, amount_msat=amount_msat, fee_limit_msat=amount_msat // 50, timeout_s=60
        )

    async def _leave(self, session_id: str) -> None:
        """Stop when still charging, and mostly take the change: some people forget it."""
        database = self._house.database
        try:
            await database.write(charging.ask_to_stop, session_id, "the driver stopped it", self._house.rules)
        except Fault as error:
            _log.debug("it was over already", reason=error.detail)
        await asyncio.sleep(20)
        if self._chance.random() < 0.25:  # noqa: PLR2004 (a quarter forget)
            return
        charge = await database.read(charging.charge_by_id, session_id)
        if charge is None:
            return
        offer = await database.read(charging.offer_change, charge.secret)
        terms = InvoiceTerms(database.ids.secret(32), offer.max_msat, "Change", None, 3600, hold=False)
        issued = await self._network.issue(VISITORS, terms)
        if isinstance(issued, Done):
            await database.write(
                charging.claim_change,
                charge.secret,
                offer.k1,
                issued.value.bolt11,
                (self._rail.name,),
                self._house.rules,
            )
