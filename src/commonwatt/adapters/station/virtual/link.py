"""The station's half of a connection: one call in flight, and incoming calls answered at once.

Incoming calls are answered inline by a plain function, so that a slow follow-up never holds up the reader: what is
to happen after the answer is returned with it and runs as a task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from commonwatt.adapters.station.transport import Transport
from commonwatt.adapters.station.virtual.transport import LinkLost
from commonwatt.protocols.ocppj import (
    Answered,
    Call,
    CallError,
    ErrorCode,
    Exchange,
    Malformed,
    compose_error,
    compose_result,
)

_TEXT_MAX: Final = 255
"""Longest errorDescription (OCPP-J 1.6, 4.2.3)."""

Payload = dict[str, Any]


class CallFailed(Exception):
    """The server answered with a CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        """Keep the error code and what the server said."""
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


class CallUnanswered(LinkLost):
    """The server did not answer in time; whether it took the call is unknown."""


class Declined(Exception):
    """An incoming call gets a CALLERROR with this code (OCPP-J 1.6, 4.2.3)."""

    def __init__(self, code: ErrorCode, description: str = "") -> None:
        """Keep the error code and the description."""
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Answer:
    """The payload for an incoming call, and what follows once it is on its way."""

    payload: Payload
    then: Callable[[], Awaitable[None]] | None = None


Handle = Callable[[str, Payload], Answer]


class Link:
    """One live connection to the server."""

    def __init__(self, transport: Transport, handle: Handle, new_id: Callable[[], str], *, timeout_s: float) -> None:
        """Take a connection, who answers incoming calls, the source of message ids and the patience in seconds."""
        self._transport = transport
        self._handle = handle
        self._new_id = new_id
        self._timeout_s = timeout_s
        self._exchange = Exchange()
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[Payload] | None = None
        self._follow_ups: set[asyncio.Task[None]] = set()
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether the connection has ended."""
        return self._lost

    async def call(self, action: str, payload: Payload) -> Payload:
        """Send a call and return the server's payload; raises CallFailed, CallUnanswered or LinkLost."""
        async with self._turn:
            if self._lost:
                raise LinkLost("the connection is gone")
            answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._answer = answer
            await self._transport.send(self._exchange.ask(self._new_id(), action, payload))
            try:
                async with asyncio.timeout(self._timeout_s):  # wait_for of Python 3.11 may swallow a cancellation
                    return await answer
            except TimeoutError:
                raise CallUnanswered(f"no answer to {action} within {self._timeout_s:g} s") from None
            finally:
                self._answer = None
                self._exchange.expire()

    async def read(self) -> None:
        """Read until the connection ends; raises LinkLost then, never returns before."""
        while (text := await self._transport.receive()) is not None:
            await self._take(text)
        self._lost = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LinkLost("the connection ended before the answer came"))
        raise LinkLost("the server closed the connection")

    async def close(self) -> None:
        """Close the connection and forget the follow-ups."""
        self._lost = True
        for task in tuple(self._follow_ups):
            if task is not asyncio.current_task():
                task.cancel()
        await self._transport.close(1000, "")

    async def _take(self, text: str) -> None:
        match self._exchange.receive(text):
            case Call() as call:
                await self._respond(call)
            case Answered(answer=answer):
                self._resolve(
                    CallFailed(answer.code, answer.description) if isinstance(answer, CallError) else answer.payload
                )
            case Malformed(id=message_id, code=code, reason=reason) if message_id is not None:
                await self._transport.send(compose_error(message_id, code, reason[:_TEXT_MAX]))
            case _:
                return

    def _resolve(self, outcome: Payload | CallFailed) -> None:
        if self._answer is None or self._answer.done():
            return
        if isinstance(outcome, CallFailed):
            self._answer.set_exception(outcome)
        else:
            self._answer.set_result(outcome)

    async def _respond(self, call: Call) -> None:
        try:
            answer = self._handle(call.action, call.payload)
        except Declined as declined:
            await self._transport.send(compose_error(call.id, declined.code, declined.description[:_TEXT_MAX]))
            return
        await self._transport.send(compose_result(call.id, answer.payload))
        if answer.then is not None:
            task = asyncio.ensure_future(_follow(answer.then))
            self._follow_ups.add(task)
            task.add_done_callback(self._follow_ups.discard)


async def _follow(then: Callable[[], Awaitable[None]]) -> None:
    """Do what follows an answer; a connection that breaks meanwhile is noticed by the reader."""
    try:
        await then()
    except (LinkLost, CallFailed):
        return
