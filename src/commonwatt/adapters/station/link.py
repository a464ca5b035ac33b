"""One connection of one station: frames in, answers out in order, our own calls one at a time.

The reader waits for no answer. Calls that need the database wait in a short queue for the worker, which answers them in
order; when the queue is full, or the log has too much of this station to store, the reader stops reading, so that a
station that floods is slowed alone, by its socket. One in the waiting room is slowed to the pace of an introduction.

    transport ──> reader ──answers to our calls──────────> whoever asked
                    │ ────heartbeats, nothing waiting────> answered at once
                    └────queue────> worker ──> dialect ──> answered after the commit
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import structlog

from commonwatt.adapters.station.allowance import Allowance
from commonwatt.adapters.station.dialect import Caller, Dialect, Received, Refusal
from commonwatt.adapters.station.frames import FrameLog
from commonwatt.adapters.station.transport import Transport
from commonwatt.kernel import Done, Failed, Fault, Ids, Outcome, Unknown
from commonwatt.protocols.ocppj import (
    Answered,
    Call,
    CallError,
    ErrorCode,
    Exchange,
    Ignored,
    Malformed,
    compose_error,
)
from commonwatt.stations import AnswerInvalid, FrameRow

WAITING_MAX = 64
"""Calls of a station that may wait for their answers before its socket is no longer read."""
WAITING_BYTES_MAX = 512 * 1024
"""Characters of such calls that may wait."""
ASKING_MAX = 16
"""Calls of ours that may wait for their turn at one station."""
CALL_TIMEOUT_S = 30.0
ID_USUAL = 36
"""Characters of a message id, says the standard."""

_log = structlog.get_logger("stations")


class Link:
    """Runs one connection until it closes. `call` asks the station; everything else happens by itself."""

    __slots__ = (
        "_allowance", "_answered", "_asking", "_exchange", "_frames", "_ids", "_queued", "_room", "_slowed",
        "_transport", "_turn", "_waiting", "_worker", "caller", "closed", "dialect", "ping_ms", "timeout_s",
    )  # fmt: skip

    def __init__(
        self,
        caller: Caller,
        transport: Transport,
        dialect: Dialect,
        frames: FrameLog,
        ids: Ids,
        *,
        timeout_s: float = CALL_TIMEOUT_S,
        allowance: Allowance | None = None,
    ) -> None:
        """Join a station, its open socket and the version that they agreed on; the allowance is for a stranger's."""
        self.caller = caller
        self.dialect = dialect
        self.ping_ms: int | None = None
        self.closed = False
        self.timeout_s = timeout_s
        self._transport = transport
        self._frames = frames
        self._ids = ids
        self._allowance = allowance
        self._slowed = False
        self._queued = 0
        self._exchange = Exchange()
        self._waiting: deque[Received] | None = None
        self._worker: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._turn: asyncio.Lock | None = None
        self._asking = 0
        self._answered: asyncio.Future[Answered | None] | None = None

    async def run(self) -> None:
        """Read until the connection closes, then finish answering what was read."""
        receive = self._transport.receive
        try:
            while (text := await receive()) is not None:
                await self._take(text)
                if self._frames.crowded(self.caller.identity) or not self.caller.admitted:
                    await self._slow_down(len(text))
        except asyncio.CancelledError:
            if self._worker is not None:
                self._worker.cancel()
            raise
        finally:
            self.closed = True
            if self._answered is not None and not self._answered.done():
                self._answered.set_result(None)
            if self._worker is not None and not self._worker.done():
                await asyncio.wait({self._worker})

    async def call(
        self, action: str, payload: dict[str, Any], *, patience_s: float | None = None
    ) -> Outcome[dict[str, Any]]:
        """Ask the station, after the calls that wait already; the answer in three values, as `StationLine` says.

        Whoever waits longer than `patience_s` for the turn is told what the station has not answered; nothing is sent.
        """
        try:
            self.dialect.check_request(action, payload)
        except Refusal as refusal:
            return Failed(f"{refusal.code}: {refusal.description}", "invalid")
        if self._asking >= ASKING_MAX:
            return Failed(f"{self._asking} commands wait for this station already; this one was not sent.", "busy")
        if self._turn is None:
            self._turn = asyncio.Lock()
        self._asking += 1
        try:
            if not await self._await_turn(self._turn, patience_s):
                open_call = self._exchange.outstanding
                first = "an earlier command" if open_call is None else open_call.action
                return Failed(f"The station has not answered {first} yet; this command was not sent.", "busy")
            try:
                if self.closed:
                    return Failed("The station has no connection; the command was not sent.", "offline")
                outcome = await self._ask(action, payload)
            finally:
                self._turn.release()
        finally:
            self._asking -= 1
        if isinstance(outcome, Done):
            await self.dialect.learn(self.caller, action, payload, outcome.value)
        return outcome

    @property
    def slowed_stranger(self) -> bool:
        """Whether nothing is read because a station that nobody admitted has said too much."""
        return self._slowed and not self.caller.admitted

    async def ping(self) -> bool:
        """Return whether the station is there: it answered a ping, or said something meanwhile; keep the round trip."""
        clock = self.caller.clock
        start = clock.now()
        if await self._transport.ping():
            self.ping_ms = clock.now().since(start)
            self.caller.seen_ms = max(self.caller.seen_ms, clock.now().ms)
            return True
        return self.caller.seen_ms > start.ms or self._room is not None or self._slowed

    async def close(self, code: int, reason: str) -> None:
        """Close the connection; `run` returns soon after."""
        self.closed = True
        await self._transport.close(code, reason)

    async def _slow_down(self, size: int) -> None:
        """Read no more until the log has room, and a stranger has waited its time; a ping is not answered meanwhile."""
        caller, now_s = self.caller, asyncio.get_running_loop().time
        self._slowed = True
        try:
            await self._frames.room(caller.identity)
            allowance = self._allowance
            if allowance is None:
                return
            allowance.spend(size, now_s())
            # in short sleeps, for nobody tells of an admission
            while not caller.admitted and not self.closed and (wait_s := allowance.wait_s(now_s())) > 0:  # noqa: ASYNC110
                await asyncio.sleep(min(wait_s, 1.0))
        finally:
            self._slowed = False

    async def _take(self, text: str) -> None:
        caller = self.caller
        now_ms = caller.seen_ms = caller.clock.now().ms
        frame = self._exchange.receive(text)
        if type(frame) is Call:
            if self._worker is None and frame.action in self.dialect.from_memory:
                self._keep(now_ms, "in", "call", frame.action, frame.id, text)
                try:
                    answer = self.dialect.answer_now(caller, frame)
                except Refusal as refusal:
                    answer = compose_error(frame.id, refusal.code, refusal.description, refusal.details)
                await self._reply(frame, answer)
                return
            waiting = self._waiting
            if waiting is None:
                waiting = self._waiting = deque()
            waiting.append(Received(frame, text, now_ms))
            self._queued += len(text)
            if self._worker is None:
                self._worker = asyncio.create_task(self._work(waiting))
            elif len(waiting) >= WAITING_MAX or self._queued >= WAITING_BYTES_MAX:
                self._room = asyncio.get_running_loop().create_future()
                await self._room
        elif type(frame) is Answered:
            kind = "error" if type(frame.answer) is CallError else "result"
            self._keep(now_ms, "in", kind, frame.call.action, frame.call.id, text)
            if self._answered is not None and not self._answered.done():
                self._answered.set_result(frame)
        else:
            await self._complain(frame, text, now_ms)  # type: ignore[arg-type]

    async def _complain(self, frame: Ignored | Malformed, text: str, now_ms: int) -> None:
        identity = self.caller.identity
        self._keep(now_ms, "in", "broken", "", "", text)
        if type(frame) is Malformed:
            self.caller.flag(identity, "unreadable-frame", frame.reason)
            if frame.id is not None:
                answer = compose_error(frame.id, frame.code, frame.reason)
                self._keep(now_ms, "out", "error", "", str(frame.id), answer)
                await self._transport.send(answer)
        else:
            _log.info("frame ignored", station=identity, reason=frame.reason)

    async def _work(self, waiting: deque[Received]) -> None:
        try:
            while waiting:
                received = waiting.popleft()
                self._queued -= len(received.text)
                if self._room is not None:
                    room, self._room = self._room, None
                    room.set_result(None)
                await self._reply(received.call, await self._answer(received))
        finally:
            self._worker = None

    async def _answer(self, received: Received) -> str:
        call = received.call
        if call.action not in self.dialect.durable:
            self._keep(received.at_ms, "in", "call", call.action, call.id, received.text)
        if len(call.id) > ID_USUAL:
            self.caller.flag(self.caller.identity, "long-message-id", f"{len(call.id)} characters")
        try:
            return await self.dialect.answer(self.caller, received)
        except Refusal as refusal:
            code, description, details = refusal.code, refusal.description, refusal.details
        except Fault as fault:
            code, description, details = ErrorCode.INTERNAL_ERROR, fault.detail, {"problem": fault.slug}
            _log.warning("call not handled", station=self.caller.identity, action=call.action, error=fault.detail)
        except Exception as error:  # noqa: BLE001 (one station's message must not end its connection)
            code, description, details = ErrorCode.INTERNAL_ERROR, "The server failed; send this again later.", {}
            _log.error("call failed", station=self.caller.identity, action=call.action, error=repr(error))
        if call.action in self.dialect.durable:
            self._keep(received.at_ms, "in", "call", call.action, call.id, received.text)
        return compose_error(call.id, code, description, details)

    async def _reply(self, call: Call, text: str) -> None:
        kind = "result" if text[1] == "3" else "error"
        self._keep(self.caller.clock.now().ms, "out", kind, call.action, call.id, text)
        await self._transport.send(text)

    async def _await_turn(self, turn: asyncio.Lock, patience_s: float | None) -> bool:
        """Take the turn; False when it did not come in time."""
        try:
            async with asyncio.timeout(patience_s):
                return await turn.acquire()
        except TimeoutError:
            return False

    async def _ask(self, action: str, payload: dict[str, Any]) -> Outcome[dict[str, Any]]:
        message_id = self._ids.new(self.caller.clock.now())
        self._answered = asyncio.get_running_loop().create_future()
        text = self._exchange.ask(message_id, action, payload)
        self._keep(self.caller.clock.now().ms, "out", "call", action, message_id, text)
        try:
            async with asyncio.timeout(self.timeout_s):
                await self._transport.send(text)
                answered = await self._answered
        except TimeoutError:
            self._exchange.expire()
            _log.warning("no answer", station=self.caller.identity, action=action, after_s=self.timeout_s)
            return Unknown(f"The station did not answer {action} within {self.timeout_s:g} s.")
        finally:
            self._answered = None
        if answered is None:
            return Unknown(f"The connection ended before the station answered {action}.")
        answer = answered.answer
        if isinstance(answer, CallError):
            details = f" {answer.details}" if answer.details else ""
            return Failed(f"{answer.code}: {answer.description}{details}", "callerror")
        try:
            return Done(self.dialect.read_answer(self.caller, action, answer.payload))
        except Refusal as refusal:
            return AnswerInvalid(f"{refusal.code}: {refusal.description}", payload=answer.payload)

    def _keep(self, at_ms: int, direction: str, kind: str, action: str, message_id: str, text: str) -> None:
        self._frames.add(FrameRow(self.caller.identity, at_ms, direction, kind, action, message_id, text))
