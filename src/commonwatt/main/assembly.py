"""The assembly: every part of a running house, wired once, started and stopped in order.

Production, the demo, the replay of past sessions and the simulated world all come through `assemble`; they differ in
what they hand in: the clock, the ids, the engine, the rails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Engine

from commonwatt import charging, stations
from commonwatt.adapters.station.hub import Hub
from commonwatt.adapters.station.ports import Ports
from commonwatt.charging import Charger, Rules
from commonwatt.kernel import Clock, Failed, Ids, Outcome
from commonwatt.kit.database import Database, Every, Jobs
from commonwatt.kit.database.jobs import prune
from commonwatt.kit.metrics import watch_database
from commonwatt.kit.web import forget_answers
from commonwatt.kit.web.live import Live
from commonwatt.kit.web.site import Site
from commonwatt.main.reactions import reactions
from commonwatt.payments import Performer, Reconciler, look_up_in_time, watch_rail
from commonwatt.payments.ports import Rail
from commonwatt.tariffs import RatePolicy, outdate_rates, refresh_rates
from commonwatt.tariffs.ports import RateSource

FetchInvoice = Callable[[str, int], Awaitable[Outcome[str]]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the talk with stations is kept, and how long an answer is awaited."""

    frame_days: int = 30
    frame_megabytes: int = 1000
    call_timeout_s: int = 30
    """How long a station may take to answer a command."""


@dataclass(slots=True)
class House:
    """All parts of one running installation."""

    site: Site
    database: Database
    rails: Mapping[str, Rail]
    hub: Hub
    jobs: Jobs
    live: Live
    rules: Rules
    charger: Charger
    performer: Performer
    _watchers: list[asyncio.Task[Any]] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        """The clock that everything here goes by."""
        return self.database.clock

    async def start(self) -> None:
        """Take up what an earlier process left, then begin: jobs and the streams of the rails."""
        watch_database(self.database)
        await self.database.write(charging.wait_anew, self.rules)
        await self.jobs.start()
        self._watchers = [
            asyncio.create_task(watch_rail(self.database, rail), name=f"watch {name}")
            for name, rail in self.rails.items()
        ]

    async def stop(self) -> None:
        """End in the opposite order; everything acknowledged is on disk."""
        for task in self._watchers:
            task.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await self.hub.close()
        await self.jobs.stop()
        await self.performer.close()
        for rail in self.rails.values():
            await rail.close()
        watch_database(None)
        self.database.close()


def station_ports(rules: Rules) -> Ports:
    """Return charging's front door for stations, with the site's rules in it."""
    return Ports(
        authorise=charging.authorise,
        start_transaction=partial(charging.start_transaction, rules=rules),
        record_samples=partial(charging.record_samples, rules=rules),
        stop_transaction=partial(charging.stop_transaction, rules=rules),
        note_status=partial(charging.note_status, rules=rules),
        note_boot=partial(charging.note_boot, rules=rules),
        note_offline=partial(charging.note_offline, rules=rules),
    )


FRAMES_AFTER_S = 300
"""Counting the frames reads up to a gigabyte: not while stations come back after a start."""


def assemble(
    *,
    site: Site,
    engine: Engine,
    clock: Clock,
    ids: Ids,
    rails: Mapping[str, Rail],
    rules: Rules,
    limits: Limits | None = None,
    fetch: FetchInvoice | None = None,
    rate_sources: Sequence[RateSource] = (),
    rate_policy: RatePolicy | None = None,
    rate_every_s: int = 60,
    hold_max_s: int = 900,
    every: tuple[Every, ...] = (),
    inline: bool = False,
) -> House:
    """Wire a house over an engine whose tables exist. The first rail takes payments, each its change (ADR 19)."""
    database = Database(engine, clock, ids, inline=inline)
    kept = limits or Limits()
    hub = Hub(database, clock, ids, station_ports(rules), timeout_s=kept.call_timeout_s)
    performer = Performer(database, rails)
    reconciler = Reconciler(database, rails, performer, hold_max_ms=1000 * hold_max_s)
    charger = Charger(database, hub, fetch or _no_address, tuple(rails), rules)
    rounds = (
        *charger.rounds(),
        *every,
        *_rate_rounds(database, rate_sources, site.currency, rate_policy, rate_every_s),
        Every("payments", 5, reconciler.step),
        Every("done jobs", 3600, partial(database.write, prune)),
        Every("old answers", 3600, partial(database.write, forget_answers)),
        Every("old frames", 600, _pruner(database, kept).step, begins_s=FRAMES_AFTER_S),
    )
    table = reactions(rules)
    database.heard = frozenset(event.kind for event in table)
    bounds = (partial(charging.wait_no_longer, rules=rules), look_up_in_time, outdate_rates)
    jobs = Jobs(database, table, (*performer.lanes(), *charger.lanes()), rounds, on_set_back=bounds)
    return House(site, database, rails, hub, jobs, Live(), rules, charger, performer)


def _rate_rounds(
    database: Database, sources: Sequence[RateSource], currency: str, policy: RatePolicy | None, every_s: int
) -> tuple[Every, ...]:
    """Return the round that asks what a bitcoin costs; none where nobody is asked."""
    if not sources:
        return ()
    return (Every("exchange rates", every_s, partial(refresh_rates, database, sources, currency, policy)),)


def _pruner(database: Database, limits: Limits) -> stations.FramePruner:
    return stations.FramePruner(database, limits.frame_days * 24 * 3600 * 1000, limits.frame_megabytes * 1_000_000)


async def _no_address(_address: str, _amount_msat: int) -> Outcome[str]:
    return Failed("this installation does not pay to addresses")
