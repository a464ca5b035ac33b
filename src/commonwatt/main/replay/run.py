"""Runs a replay, window by window: drivers pay, the clock moves, stations tell what happened, change is returned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from commonwatt.adapters.station.virtual.faults import Faults
from commonwatt.adapters.station.virtual.memory import Truth
from commonwatt.adapters.station.virtual.transport import dial_web_socket
from commonwatt.charging import Charge, Status
from commonwatt.charging.errors import ConnectorOut, SessionOver
from commonwatt.kernel import Instant, Unavailable
from commonwatt.main.replay.diary import Diary, Offer, Page
from commonwatt.main.replay.place import DRIVER, PURSE_MSAT, PaymentLost, Place
from commonwatt.main.replay.plan import Plan, PlannedCharge, Window
from commonwatt.main.replay.report import Report, make_report
from commonwatt.main.replay.station import ReplayStation
from commonwatt.main.replay.sums import read_books, read_replayed, what_waits, who_is_owed

_START_S: Final = 60.0
"""Real seconds in which a paid session's remote start must arrive."""
_LOOK_S: Final = 0.5
_OFFERS_MAX: Final = 50
_OFFER_PAUSE_S: Final = 0.1
_ROUNDS_MAX: Final = 600
"""Looks at what is still under way at the end, each five seconds later by the house's clock."""
ANOMALIES_MAX: Final = 1000


class Replay:
    """One run over a plan; what an earlier run did is not done again."""

    def __init__(self, plan: Plan, diary: Diary, folder: Path, *, samples: int, zone: str) -> None:
        """Take the plan, the diary in which it goes on, and how many readings each charge has before its last."""
        self.plan = plan
        self.diary = diary
        self._samples = samples
        first = plan.windows[0].start if plan.windows else Instant(0)
        start = Instant(max(diary.page.clock_ms, first.ms))
        self._place = Place(folder, start, zone)
        self._stations: dict[str, ReplayStation] = {}
        self._by_tag: dict[str, PlannedCharge] = {}
        self._anomalies = list(diary.page.anomalies)
        self._done = diary.page.done

    async def run(self, advance: Callable[[int], None], stop: asyncio.Event) -> Report | None:
        """Replay what is left and return the account, or None when `stop` was set before the end."""
        async with self._place:
            await self._take_up()
            try:
                for window in self.plan.windows[self.diary.page.windows :]:
                    if stop.is_set():
                        return None
                    advance(await self._play(window))
                    self._turn(window)
                await self._end()
            finally:
                await asyncio.gather(*(station.close() for station in self._stations.values()))
            return await self._account()

    async def _take_up(self) -> None:
        """Put the stations back as the diary has them; those of charges that are under way follow their script on."""
        memories = {memory.identity: memory for memory in self.diary.page.station_memories}
        now = self._place.clock.now()
        for identity, connectors in self.plan.connectors.items():
            await self._place.admit(identity)
            dial = dial_web_socket(self._place.url, identity, None, Faults())
            memory = memories.get(identity)
            self._stations[identity] = ReplayStation(identity, connectors, dial, now, self._samples, memory)
        played = self.diary.page.windows
        for one in (one for window in self.plan.windows[:played] for one in window.starts):
            if one.past.plugged_out > now:
                self._stations[one.identity].follow(one, after=now)
                await self._know(one)
        crashed = self.plan.windows[played].starts if played < len(self.plan.windows) else ()
        silent = {one.place for one in crashed if one.past.line in self.diary.offers}
        await asyncio.gather(
            *(
                station.connect(frozenset(number for place, number in silent if place == identity))
                for identity, station in self._stations.items()
            )
        )
        await self._place.house.jobs.settle()

    async def _play(self, window: Window) -> int:
        """Play one window and return how many charges ended in it."""
        await self._place.walk(window.start)
        for station in self._stations.values():
            station.set_clock(window.start)
        fresh = [one for one in window.starts if not await self._has_session(one)]
        self.diary.note_offers(await asyncio.gather(*(self._offer(one) for one in fresh)))
        await asyncio.gather(*(self._begin(one) for one in window.starts))
        self._place.clock.move(window.end)
        overs = await asyncio.gather(*(station.play(window.end) for station in self._stations.values()))
        truths = [truth for over in overs for truth in over]
        await asyncio.gather(*(self._settle(truth) for truth in truths))
        self._done += len(truths)
        return len(truths)

    async def _has_session(self, one: PlannedCharge) -> bool:
        """Whether an earlier run made a usable session; one that a crash undid before it began is none."""
        offer = self.diary.offers.get(one.past.line)
        if offer is None:
            return False
        return not _is_undone(await self._place.charge(offer.session))

    async def _offer(self, one: PlannedCharge) -> Offer:
        """Open a session; a station whose line broke just now is waited for."""
        for _ in range(_OFFERS_MAX):
            try:
                offered = await self._place.offer(one)
            except (ConnectorOut, SessionOver, Unavailable):
                await asyncio.sleep(_OFFER_PAUSE_S)
            else:
                return Offer(one.past.line, offered.session_id, offered.secret, offered.bolt11, offered.amount_msat)
        raise PaymentLost(f"{one.identity} stays offline, so that nobody can pay there.", station=one.identity)

    async def _begin(self, one: PlannedCharge) -> None:
        """Pay for a charge and wait until its station was told to start it; after a crash it may have been.

        A session that ends before it began, because the line broke meanwhile, is offered anew: its money went back.
        """
        station = self._stations[one.identity]
        station.follow(one)
        for _ in range(_OFFERS_MAX):
            charge = await self._know(one)
            if _is_undone(charge):
                self.diary.note_offers([await self._offer(one)])
                continue
            if charge.session.status is not Status.OFFERED:
                station.permit(one.connector, charge.id_tag)
                return
            offer = self.diary.offers[one.past.line]
            told = station.expect(charge.id_tag)
            self._place.pay(offer.bolt11, offer.amount_msat)
            if await self._is_told(told, offer):
                return
        raise PaymentLost(f"{one.identity} was paid and not started, again and again.", station=one.identity)

    async def _is_told(self, told: asyncio.Event, offer: Offer) -> bool:
        """Wait for the remote start; return False once the session is over without it."""
        for _ in range(round(_START_S / _LOOK_S)):
            try:
                async with asyncio.timeout(_LOOK_S):
                    await told.wait()
            except TimeoutError:
                if (await self._place.charge(offer.session)).session.over:
                    return False
                self._place.nudge()
            else:
                return True
        raise PaymentLost("A paid session was neither started nor given back in time.", session=offer.session)

    async def _know(self, one: PlannedCharge) -> Charge:
        charge = await self._place.charge(self.diary.offers[one.past.line].session)
        self._by_tag[charge.id_tag] = one
        return charge

    async def _settle(self, truth: Truth) -> None:
        """Wait for the bill of a charge that is over, and take its change."""
        one = self._by_tag.pop(truth.id_tag)
        offer = self.diary.offers[one.past.line]
        await self._place.until(offer.session, _is_settled)
        await self._place.claim(offer.secret)
        if truth.energy_wh != one.past.energy_wh or truth.refused:
            said = truth.refused or f"delivered {truth.energy_wh} Wh of {one.past.energy_wh} ({truth.reason})"
            self._note(f"line {one.past.line}: its station {said}")

    def _turn(self, window: Window) -> None:
        """Write down that a window is over."""
        for identity, station in self._stations.items():
            for refusal in station.refusals:
                self._note(f"{identity}: {refusal}")
            station.refusals.clear()
        self.diary.turn(
            Page(
                digest=self.diary.page.digest,
                windows=self.diary.page.windows + 1,
                done=self._done,
                clock_ms=window.end.ms,
                station_memories=[station.charger.remember() for station in self._stations.values()],
                anomalies=self._anomalies,
            )
        )

    def _note(self, anomaly: str) -> None:
        if len(self._anomalies) < ANOMALIES_MAX:
            self._anomalies.append(anomaly)

    async def _end(self) -> None:
        """Wait until nothing is locked, owed or on its way any more."""
        place = self._place
        secrets = {offer.session: offer.secret for offer in self.diary.offers.values()}
        for _ in range(_ROUNDS_MAX):
            if not await place.house.database.read(what_waits):
                return
            for session in await place.house.database.read(who_is_owed):
                await place.claim(secrets[session])
            await asyncio.sleep(0.05)
            place.clock.move(place.clock.now().plus(seconds=5))
        self._note(f"not at its end: {await place.house.database.read(what_waits)}")

    async def _account(self) -> Report:
        """Read what the house's database and the drivers' wallet say."""
        database = self._place.house.database
        spent_msat = PURSE_MSAT - await self._place.network.balance_msat(DRIVER)
        if not await self._place.network.conserved():
            self._note("the sandbox lost or made money")
        return make_report(
            self.plan.charges,
            _sessions(self.diary.offers.values()),
            await database.read(read_replayed),
            await database.read(read_books),
            spent_msat,
            self.plan.bad,
            self._anomalies,
        )


def _is_undone(charge: Charge) -> bool:
    """Whether a session ended before it began: its money went back."""
    return charge.session.over and charge.began is None


def _is_settled(charge: Charge) -> bool:
    return charge.session.over and charge.session.billed and not charge.session.held_msat


def _sessions(offers: Iterable[Offer]) -> dict[int, str]:
    return {offer.line: offer.session for offer in offers}
