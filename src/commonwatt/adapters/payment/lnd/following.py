"""Follow undecided invoices and report their changes, through broken streams and restarts of the node.

lnd has one stream for all settlements, which tells neither accepted holds nor cancellations, and one stream for each
single invoice, which tells everything and begins with the state of now. So every hold gets a stream of its own (up to a
limit, beyond which they are looked up in turns), and plain invoices share the first, which resumes at the last
settlement seen. Whenever that one connects, each plain invoice is looked up once: what happened in between is found.
Nothing is kept on disk: the invoices to follow are those that were created or looked up since the start.

A report counts as heard once its reader asks for the next one. A reader that leaves, for it could not store what it was
told, leaves everything untold: the next reader hears the present state of each invoice, the ended ones among them.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from commonwatt.adapters.payment.lnd.client import Answer, LndClient, Refusal
from commonwatt.adapters.payment.lnd.reading import Odd, read_invoice, whole
from commonwatt.kernel import Done, Failed, Outcome
from commonwatt.payments.ports import InvoiceReport, InvoiceState

FOLLOWED_MAX = 20_000
"""Undecided invoices kept in mind; the oldest is left to reconciling when there are more."""
REPORTS_MAX = 10_000
"""Reports that wait for a slow reader; the oldest is dropped when there are more."""
QUIET_S = 60.0
"""After so long without a message a stream is opened anew, for its connection may have died unheard."""
TURN_S = 2.0
"""Pause between two looks at the holds that have no stream."""
PAUSE_S = (0.1, 5.0)
"""First and longest pause before reconnecting; it doubles in between."""

_FINAL = {InvoiceState.SETTLED, InvoiceState.CANCELLED}


@dataclass(slots=True)
class _Followed:
    hold: bool
    told: InvoiceState = InvoiceState.OPEN


@dataclass(frozen=True, slots=True)
class _News:
    report: InvoiceReport
    hold: bool


class Following:
    """The undecided invoices of one node, and whoever wants to hear of them."""

    def __init__(
        self,
        client: LndClient,
        look_up: Callable[[bytes], Awaitable[Outcome[InvoiceReport]]],
        *,
        streams_max: int,
        quiet_s: float = QUIET_S,
    ) -> None:
        self._client = client
        self._look_up = look_up
        self._streams_max = streams_max
        self._quiet_s = quiet_s
        self._followed: dict[bytes, _Followed] = {}
        self._readers: set[asyncio.Queue[_News]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: dict[bytes, asyncio.Task[None]] = {}
        self._settle_index = 0

    def add(self, payment_hash: bytes, *, hold: bool) -> None:
        """Follow an invoice from now on; following it already is fine."""
        if payment_hash in self._followed:
            return
        if len(self._followed) >= FOLLOWED_MAX:
            self._forget(next(iter(self._followed)))
        self._followed[payment_hash] = _Followed(hold)
        if hold and self._readers:
            self._give_stream(payment_hash)

    async def reports(self) -> AsyncGenerator[InvoiceReport, None]:
        """Yield the present states and then changes, until closed; the streams live as long as somebody reads."""
        queue: asyncio.Queue[_News] = asyncio.Queue(REPORTS_MAX)
        unheard: list[_News] = []
        self._readers.add(queue)
        try:
            if len(self._readers) == 1:
                self._spawn(self._follow_settlements())
                self._spawn(self._take_turns())
                self._fill_streams()
            while True:
                unheard.append(await queue.get())
                yield unheard[0].report
                unheard.clear()
        finally:
            self._readers.discard(queue)
            if not self._readers:
                unheard.extend(queue.get_nowait() for _ in range(queue.qsize()))
                for news in unheard:
                    self.add(news.report.payment_hash, hold=news.hold)
                await self.close()

    async def close(self) -> None:
        """End all streams; the invoices stay in mind, as if nothing had been told of them, for the next reader."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        self._streams.clear()
        for followed in self._followed.values():
            followed.told = InvoiceState.OPEN
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _give_stream(self, payment_hash: bytes) -> None:
        if payment_hash not in self._streams and len(self._streams) < self._streams_max:
            self._streams[payment_hash] = self._spawn(self._follow_hold(payment_hash))

    def _fill_streams(self) -> None:
        for payment_hash, followed in self._followed.items() if self._readers else ():
            if len(self._streams) >= self._streams_max:
                return
            if followed.hold:
                self._give_stream(payment_hash)

    def _forget(self, payment_hash: bytes) -> None:
        self._followed.pop(payment_hash, None)
        task = self._streams.pop(payment_hash, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def _tell(self, report: InvoiceReport) -> None:
        """Pass a change on; a state that was told already is no change."""
        followed = self._followed.get(report.payment_hash)
        if followed is None or followed.told is report.state:
            return
        followed.told = report.state
        if report.state in _FINAL:
            self._forget(report.payment_hash)
        for queue in self._readers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(_News(report, followed.hold))

    async def _follow_hold(self, payment_hash: bytes) -> None:
        """Read the stream of one hold, again and again, until the hold is decided."""
        path = f"/v2/invoices/subscribe/{urlsafe_b64encode(payment_hash).decode()}"
        pause = PAUSE_S[0]
        while payment_hash in self._followed:
            async with aclosing(self._client.stream("GET", path, quiet_s=self._quiet_s)) as stream:
                async for reply in stream:
                    if isinstance(reply, Answer):
                        pause = PAUSE_S[0]
                        self._tell_answer(reply, payment_hash)
                    elif isinstance(reply, Refusal):
                        await self._look(payment_hash)
                    if payment_hash not in self._followed:
                        self._fill_streams()
                        return
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_S[1])

    async def _follow_settlements(self) -> None:
        """Read the stream of all settlements, resuming at the last one seen."""
        pause = PAUSE_S[0]
        while True:
            catching_up = asyncio.create_task(self._look_at_plain())
            path = f"/v1/invoices/subscribe?settle_index={self._settle_index}"
            try:
                async with aclosing(self._client.stream("GET", path, quiet_s=self._quiet_s)) as stream:
                    async for reply in stream:
                        if isinstance(reply, Answer):
                            pause = PAUSE_S[0]
                            self._note_settlement(reply)
            finally:
                catching_up.cancel()
                await asyncio.gather(catching_up, return_exceptions=True)
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_S[1])

    def _note_settlement(self, reply: Answer) -> None:
        try:
            self._settle_index = max(self._settle_index, whole(reply.body.get("settle_index")))
            payment_hash = b64decode(str(reply.body.get("r_hash")), validate=True)
        except ValueError:
            return
        if reply.body.get("state") == "SETTLED":
            self._tell_answer(reply, payment_hash)

    def _tell_answer(self, reply: Answer, payment_hash: bytes) -> None:
        try:
            self._tell(read_invoice(reply.body, payment_hash))
        except Odd:
            return  # the next look-up of the reconciler says Unknown and why

    async def _look_at_plain(self) -> None:
        """Look each plain invoice up: for what was settled while no stream was there, and for expired ones."""
        for pause_s in (0.0, 1.0):  # twice, for lnd does not say when its stream stands
            await asyncio.sleep(pause_s)
            for payment_hash in [one for one, followed in self._followed.items() if not followed.hold]:
                await self._look(payment_hash)

    async def _take_turns(self) -> None:
        """Look up the holds that found no free stream."""
        while True:
            await asyncio.sleep(TURN_S)
            self._fill_streams()
            waiting = [one for one, followed in self._followed.items() if followed.hold and one not in self._streams]
            for payment_hash in waiting:
                await self._look(payment_hash)

    async def _look(self, payment_hash: bytes) -> None:
        match await self._look_up(payment_hash):
            case Done(value=report):
                self._tell(report)
            case Failed():
                self._forget(payment_hash)
            case _:
                return
