"""Belief against the world: every invoice and payout that has no end yet is looked up again, ever more seldom.

Streams miss things, processes die between two steps, answers get lost: this loop is what makes none of it matter. A
round reads only the rows whose time has come, so that thousands of open invoices cost little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

import structlog
from sqlalchemy import Connection, case, or_, select, update

from commonwatt.kernel import Done, Instant, Unknown
from commonwatt.kit.database import Database, Work
from commonwatt.payments import store
from commonwatt.payments.actions.capture_invoice import ask_again, cancel_invoice
from commonwatt.payments.actions.note_invoice import note_invoice
from commonwatt.payments.actions.request_invoice import DRAFT_CHECK_S
from commonwatt.payments.effects import SendPayment
from commonwatt.payments.jobs import Performer
from commonwatt.payments.ports import Rail
from commonwatt.payments.reports import Invoice, Stage

ROUND_MAX = 500
AT_ONCE = 16
FIRST_DELAY_MS = 15_000
LONGEST_DELAY_MS = 300_000
ACCEPTED_DELAY_MS = 15_000
"""Locked money is looked up often: somebody waits for it."""
EXPIRED_MS = 2_000
"""An invoice is looked up so soon after it expired."""
HOLD_MAX_MS = 900_000
"""Locked money about which nobody decided is given back after a quarter of an hour."""
RECONNECT_S = 5

_log = structlog.get_logger("payments")


class Reconciler:
    """The step that `Every` repeats."""

    def __init__(
        self, database: Database, rails: Mapping[str, Rail], performer: Performer, *, hold_max_ms: int = HOLD_MAX_MS
    ) -> None:
        """Take the rails by name, who asks them, and how long money may stay locked undecided."""
        self._hold_max_ms = hold_max_ms
        self._database = database
        self._rails = rails
        self._performer = performer
        self._begun = False

    async def step(self) -> int:
        """Look up what is due, all of it at the first time; return how many invoices were looked up."""
        if not self._begun:
            await self._database.write(_make_all_due)
            self._begun = True
        await self._database.write(_resume_payouts)
        due = await self._database.read(_due, self._database.clock.now())
        slots = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._check(slots, invoice, checks) for invoice, checks in due))
        return len(due)

    async def _check(self, slots: asyncio.Semaphore, invoice: Invoice, checks: int) -> None:
        rail = self._rails.get(invoice.rail)
        answered = False
        if rail is not None:
            async with slots:
                outcome = await self._performer.check(rail, invoice)
            answered = isinstance(outcome, Done)
            if isinstance(outcome, Unknown):
                _log.info("invoice not known yet", invoice=invoice.payment_hash, reason=outcome.reason)
        await self._database.write(_plan, invoice.payment_hash, checks, answered, self._hold_max_ms)


def _plan(work: Work, payment_hash: str, checks: int, answered: bool, hold_max_ms: int) -> None:  # noqa: FBT001
    """Set when a row is looked up again; close what should have ended by itself."""
    invoice = store.find_invoice(work.sql, payment_hash)
    if invoice is None or invoice.final:
        return
    expired = work.now.since(invoice.expires) > EXPIRED_MS
    overdue = answered and (
        (expired and invoice.state in {Stage.DRAFTED, Stage.OPEN})
        or invoice.state is Stage.DRAFTED
        or (invoice.state is Stage.ACCEPTED and work.now.since(invoice.accepted or invoice.made) > hold_max_ms)
    )
    if invoice.decision is not None:
        ask_again(work, invoice)
    elif overdue:
        cancel_invoice(work, payment_hash)
    longest = ACCEPTED_DELAY_MS if invoice.state is Stage.ACCEPTED or invoice.decision else LONGEST_DELAY_MS
    due = work.now.ms + min(longest, FIRST_DELAY_MS << min(checks, 10))
    if not expired:
        due = min(due, invoice.expires.ms + EXPIRED_MS)
    store.change_invoice(work.sql, payment_hash, checks=checks + 1, next_check_ms=due)


def look_up_in_time(work: Work) -> int:
    """Let no invoice be looked up later from now than ever; return how many were brought forward.

    After our clock was set back they would wait until it shows the same time again, and money that was locked by the
    time before would count as just locked for as long.
    """
    table = store.invoices
    hurried = or_(table.c.state == Stage.ACCEPTED, table.c.wish.is_not(None))
    longest = case((hurried, ACCEPTED_DELAY_MS), else_=LONGEST_DELAY_MS)
    undecided = table.c.ended_ms.is_(None)
    far = update(table).where(undecided, table.c.next_check_ms > work.now.ms + longest)
    brought = work.sql.execute(far.values(next_check_ms=work.now.ms)).rowcount
    ahead = update(table).where(undecided, table.c.accepted_ms > work.now.ms)
    work.sql.execute(ahead.values(accepted_ms=work.now.ms))
    return brought


def _make_all_due(work: Work) -> None:
    table = store.invoices
    being_made = (table.c.state == Stage.DRAFTED) & (table.c.made_ms > work.now.plus(seconds=-DRAFT_CHECK_S).ms)
    work.sql.execute(update(table).where(table.c.ended_ms.is_(None), ~being_made).values(next_check_ms=0, checks=0))


def _resume_payouts(work: Work) -> None:
    """Ask again for every payout without an end; one whose job still waits is left to it."""
    table = store.payouts
    stale = work.now.ms - FIRST_DELAY_MS
    pending = select(table.c.id).where(table.c.ended_ms.is_(None), table.c.made_ms < stale)
    for payout_id in work.sql.execute(pending).scalars():
        work.request(SendPayment(payout_id), key=f"payout:{payout_id}")


def _due(sql: Connection, now: Instant) -> list[tuple[Invoice, int]]:
    table = store.invoices
    rows = sql.execute(
        select(table)
        .where(table.c.ended_ms.is_(None), table.c.next_check_ms <= now.ms)
        .order_by(table.c.next_check_ms)
        .limit(ROUND_MAX)
    )
    return [(store.as_invoice(row), int(row.checks)) for row in rows]


async def watch_rail(database: Database, rail: Rail) -> None:
    """Feed a rail's news to the invoices, for as long as the process runs; a stream that breaks is opened again."""
    while True:
        try:
            async with aclosing(rail.watch()) as reports:
                async for report in reports:
                    await database.write(note_invoice, rail.name, report)
        except Exception as error:  # noqa: BLE001 (whatever broke the stream, the next one may hold)
            _log.warning("rail stream broke", rail=rail.name, error=repr(error))
        await asyncio.sleep(RECONNECT_S)
