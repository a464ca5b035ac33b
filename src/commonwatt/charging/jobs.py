"""Charging's background steps: what is asked of stations and wallets, and the rounds that notice time passing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import select

from commonwatt.charging import store
from commonwatt.charging.actions.ask_station import forget_asked, mark_asked, note_start_answer, note_stop_answer
from commonwatt.charging.actions.claim_change import reserve_change
from commonwatt.charging.actions.pass_deadlines import pass_deadlines, watch_running
from commonwatt.charging.charge import SAT_MSAT, Charge
from commonwatt.charging.effects import AskReading, AskStart, AskStop, SendChange, SetRhythm
from commonwatt.charging.rules import Rules
from commonwatt.kernel import Done, Failed, Instant, Outcome, Unknown
from commonwatt.kit.database import Database, Every, Lane, Work
from commonwatt.protocols import bolt11 as invoices
from commonwatt.stations.ports import StationLine
from commonwatt.tariffs import forget_rates

COMMANDING_MAX, WISHING_MAX, ADDRESSES_MAX = 64, 16, 16
"""So many are asked at once: stations to start and stop, stations for what may as well fail, and drivers' addresses."""
GIVE_UP_MS = 2 * 24 * 3600 * 1000
"""So long after the end a station is asked to stop, and so long an address for an invoice."""
FetchInvoice = Callable[[str, int], Awaitable[Outcome[str]]]
"""Asks a Lightning address for an invoice of so many msat."""


class Charger:
    """Performs charging's effects over the line to the stations and the driver's wallet."""

    def __init__(
        self, database: Database, line: StationLine, fetch: FetchInvoice, rails: Sequence[str], rules: Rules
    ) -> None:
        """Take the world: the line, a client for Lightning addresses, and the rails in order of preference."""
        self._database = database
        self._line = line
        self._fetch = fetch
        self._rails = tuple(rails)
        self._rules = rules

    def lanes(self) -> tuple[Lane, ...]:
        """Return who performs what. Nobody's silence holds up a start or a stop but that of stations asked for one."""
        return (
            Lane({AskStart: self.ask_start, AskStop: self.ask_stop}, COMMANDING_MAX),
            Lane({SetRhythm: self.set_rhythm, AskReading: self.ask_reading}, WISHING_MAX),
            Lane({SendChange: self.send_change}, ADDRESSES_MAX),
        )

    def rounds(self) -> list[Every]:
        """Return the steps that repeat."""
        return [
            Every("session deadlines", 1, self._pass_deadlines),
            Every("quiet sessions", 10, self._watch_running),
            Every("old rates", 6 * 3600, self._forget_rates),
        ]

    async def ask_start(self, effect: AskStart) -> Outcome[None]:
        """Ask a station to start, at most once: after a crash nobody knows, and the deadline decides."""
        charge = await self._database.write(mark_asked, effect.session_id)
        if charge is None:
            return Done(None)
        match await self._line.remote_start(charge.station, charge.connector, charge.id_tag):
            case Done(accepted):
                await self._database.write(note_start_answer, charge.id, accepted, self._rules)
            case Failed(reason, "offline") if await self._database.write(forget_asked, charge.id, self._rules):
                return Unknown(reason)
            case Failed():
                await self._database.write(note_start_answer, charge.id, False, self._rules)
            case Unknown():
                await self._database.write(note_start_answer, charge.id, None, self._rules)
        return Done(None)

    async def ask_stop(self, effect: AskStop) -> Outcome[None]:
        """Ask a station to stop until it answers, or told the end, also when the bill stands already.

        A station that was away when its session was billed may still charge; one that stays away is given up.
        """
        if effect.session_id:
            charge = await self._database.read(store.charge_by_id, effect.session_id)
            if charge is None or _long_over(charge, self._database.clock.now()):
                return Done(None)
        row = await self._database.read(store.transaction_by_id, effect.transaction_id)
        if row is None or row.stopped_ms is not None:
            return Done(None)
        if not effect.session_id and self._database.clock.now().ms - row.received_ms > GIVE_UP_MS:
            return Done(None)
        match await self._line.remote_stop(effect.station, effect.transaction_id):
            case Done(accepted):
                if effect.session_id:
                    await self._database.write(note_stop_answer, effect.session_id, accepted, self._rules)
                return Done(None)
            case Failed(reason, _) | Unknown(reason):
                return Unknown(reason)

    async def set_rhythm(self, effect: SetRhythm) -> Outcome[None]:
        """Ask once; a station that cannot or does not answer keeps its own rhythm, which is measured anyway."""
        await self._line.set_rhythm(effect.station, self._rules.sample_s)
        return Done(None)

    async def ask_reading(self, effect: AskReading) -> Outcome[None]:
        """Ask once; a station that cannot is believed when its connector says that it charges."""
        await self._line.ask_reading(effect.station, effect.connector)
        return Done(None)

    async def send_change(self, effect: SendChange) -> Outcome[None]:
        """Ask the driver's address for an invoice of what is owed, and pay it like any claim.

        An address that does not answer is asked for two days; then the change waits on the session's page. What is
        withheld is not sent; releasing it asks anew.
        """
        charge = await self._database.read(store.charge_by_id, effect.session_id)
        if charge is None or not charge.address or charge.owed_msat < SAT_MSAT or charge.withheld is not None:
            return Done(None)
        amount = charge.owed_msat - charge.owed_msat % SAT_MSAT
        match await self._fetch(charge.address, amount):
            case Done(bolt11):
                await self._database.write(pay_address, charge, amount, bolt11, self._rails, self._rules)
                return Done(None)
            case Failed(reason, _):
                return Failed(
                    f"The driver's address gave no invoice ({reason}); the change waits on the session's page."
                )
            case Unknown(reason):
                if self._database.clock.now().ms - effect.asked_ms > GIVE_UP_MS:
                    return Failed(
                        "The driver's address gave no invoice for days; the change waits on the session's page."
                    )
                return Unknown(reason)

    async def _pass_deadlines(self) -> None:
        while await self._database.read(_any_due, self._database.clock.now().ms):
            await self._database.write(pass_deadlines, self._rules)

    async def _watch_running(self) -> None:
        await self._database.write(watch_running, self._rules)

    async def _forget_rates(self) -> None:
        locked = select(store.sessions.c.rate_id).where(store.sessions.c.rate_id.is_not(None))
        await self._database.write(forget_rates, locked)


def _long_over(charge: Charge, now: Instant) -> bool:
    return charge.ended is not None and now.since(charge.ended) > GIVE_UP_MS


def pay_address(
    work: Work, asked: Charge, amount_msat: int, bolt11: str, rails: Sequence[str], rules: Rules
) -> Charge | None:
    """Claim the change for an invoice that an address gave, unless it was claimed, withheld or led elsewhere meanwhile.

    `asked` is the charge as it was when its address was asked: its driver may have corrected the address since.
    """
    charge = store.charge_by_id(work.sql, asked.id)
    if charge is None or charge.owed_msat < amount_msat or charge.address != asked.address or charge.withheld:
        return None
    payment_hash = invoices.decode(bolt11).payment_hash.hex()
    return reserve_change(work, charge, bolt11, payment_hash, amount_msat, rails, rules)


def _any_due(sql: Any, now_ms: int) -> bool:
    found = sql.exec_driver_sql("SELECT 1 FROM session WHERE deadline_ms <= ? LIMIT 1", (now_ms,)).first()
    return found is not None
