"""Many stations with drivers: cars come and go, and whoever started remotely comes and plugs in, as a person would."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.model import Connector, Status
from commonwatt.adapters.station.virtual.station import VirtualStation

_LOOK_S: Final = 2.0
"""How often a driver looks at the car, in the station's seconds."""
MODELS: Final = (
    ("city car", 28_000, 7_400.0),
    ("family car", 58_000, 11_000.0),
    ("estate", 77_000, 11_000.0),
    ("van", 90_000, 22_000.0),
)
"""Name, battery in Wh and most power in W of the cars that come."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Habits:
    """How drivers behave: spans from which each wait is drawn, in the station's seconds."""

    between_visits_s: Span = (300.0, 2_400.0)
    """Pause before somebody with an RFID tag comes to a free connector."""
    plug_after_s: Span = (2.0, 6.0)
    """From an accepted remote start, or from arrival, to the plug."""
    stay_s: Span = (1_800.0, 10_800.0)
    """The longest stay of somebody with a tag."""
    wait_for_start_s: float = 180.0
    """How long a plugged-in car waits for a charge that never starts."""
    leave_after_s: Span = (5.0, 90.0)
    """From the end of the charge, or a full battery, to pulling the cable."""
    models: tuple[tuple[str, int, float], ...] = MODELS
    """The cars that come: name, battery in Wh, most power in W."""


class Fleet:
    """Stations and the drivers at each of their connectors; the same seed brings the same cars."""

    def __init__(
        self,
        stations: Sequence[VirtualStation],
        *,
        seed: int = 0,
        tags: Sequence[str] = (),
        habits: Habits | None = None,
        kept_free: Collection[tuple[str, int]] = (),
    ) -> None:
        """Take stations that are not started yet; without `tags` cars come only after a remote start.

        To the connectors in `kept_free` (identity, number) nobody comes with a tag.
        """
        self.stations = list(stations)
        self._tags = list(tags)
        self._habits = habits or Habits()
        self._drivers = [
            _Driver(
                station,
                number,
                random.Random(f"{seed}/{station.identity}/{number}"),  # noqa: S311 (a repeatable crowd, no secret)
                () if (station.identity, number) in kept_free else self._tags,
                self._habits,
            )
            for station in self.stations
            for number in station.charger.connectors
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Switch all stations on and let the drivers come."""
        for station in self.stations:
            mine = {driver.number: driver for driver in self._drivers if driver.station is station}
            station.on_remote_start = partial(_call_driver, mine)
            await station.start()
        self._tasks = [asyncio.create_task(driver.live()) for driver in self._drivers]

    async def stop(self) -> None:
        """Send the drivers home and switch the stations off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await asyncio.gather(*(station.stop() for station in self.stations))


def _call_driver(drivers: dict[int, _Driver], connector: int, _id_tag: str) -> None:
    drivers[connector].called.set()


class _Driver:
    """Whoever stands at one connector."""

    def __init__(
        self, station: VirtualStation, number: int, chance: random.Random, tags: Sequence[str], habits: Habits
    ) -> None:
        self.station = station
        self.number = number
        self.called = asyncio.Event()
        self._chance = chance
        self._tags = tags
        self._habits = habits

    async def live(self) -> None:
        """Visit for ever: called by a remote start, or by chance with a tag."""
        while True:
            called = await self._wait_for_reason()
            await self._pause(self._habits.plug_after_s)
            if called:
                await self._visit_called()
            elif self._here.status is Status.AVAILABLE:
                await self._visit_with_tag()

    async def _wait_for_reason(self) -> bool:
        if self._here.car is not None:
            return await self._leave_old_car()
        waits: list[asyncio.Future[bool]] = [asyncio.ensure_future(self._wait_for_call())]
        if self._tags:
            waits.append(asyncio.ensure_future(self._wait_for_visit()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        called = self.called.is_set()
        self.called.clear()
        return called

    async def _wait_for_call(self) -> bool:
        await self.called.wait()
        return True

    async def _wait_for_visit(self) -> bool:
        await self._pause(self._habits.between_visits_s)
        return True

    async def _leave_old_car(self) -> bool:
        """Fetch a car that still stands here from before a restart."""
        await self._pause(self._habits.leave_after_s)
        await self.station.unplug(self.number)
        return False

    async def _visit_called(self) -> None:
        if self._here.car is None:
            await self.station.plug(self.number, self._car())
        await self._stay(self._chance.uniform(*self._habits.stay_s))

    async def _visit_with_tag(self) -> None:
        stay_s = self._chance.uniform(*self._habits.stay_s)
        await self.station.plug(self.number, self._car())
        await self._pause(self._habits.plug_after_s)
        if self._here.transaction is None and not self.called.is_set():
            await self.station.scan(self.number, self._chance.choice(self._tags))
        await self._stay(stay_s)

    async def _stay(self, longest_s: float) -> None:
        """Stay until the charge is over, the battery full or the time up; then pull the cable."""
        begun = self.station.now()
        started = False
        while (spent_s := self.station.now().since(begun) / 1000) < longest_s:
            here = self._here
            started = started or here.transaction is not None
            over = started and here.transaction is None
            full = here.car is not None and here.car.full
            if over or full or (not started and spent_s > self._habits.wait_for_start_s):
                break
            await self.station.sleep(_LOOK_S)
        await self._pause(self._habits.leave_after_s)
        self.called.clear()
        await self.station.unplug(self.number)

    async def _pause(self, span: Span) -> None:
        await self.station.sleep(self._chance.uniform(*span))

    def _car(self) -> Car:
        name, battery_wh, power_w_max = self._chance.choice(self._habits.models)
        charge = self._chance.uniform(0.1, 0.6)
        return Car(battery_wh=battery_wh, stored_wh=battery_wh * charge, power_w_max=power_w_max, name=name)

    @property
    def _here(self) -> Connector:
        return self.station.connector(self.number)


def build_fleet(
    url: str,
    connectors_by_identity: dict[str, int],
    make: Callable[[str, str, int], VirtualStation] | None = None,
    *,
    seed: int = 0,
    tags: Sequence[str] = (),
    habits: Habits | None = None,
) -> Fleet:
    """Build a fleet from names and numbers of connectors, all at one server."""
    build = make or (lambda identity, address, connectors: VirtualStation(identity, address, connectors=connectors))
    stations = [build(identity, url, connectors) for identity, connectors in connectors_by_identity.items()]
    return Fleet(stations, seed=seed, tags=tags, habits=habits)
