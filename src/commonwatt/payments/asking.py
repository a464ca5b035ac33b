"""How the rails are: all asked at once, and none for longer than a limit, so that a silent one delays nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.payments.ports import Capabilities, Rail, RailBalance

BALANCE_S = 5
"""Seconds that a rail has to tell its balance."""


@dataclass(frozen=True, slots=True)
class RailState:
    """A payment backend: what it can do, and what it could pay out and receive, or the problem that hides it."""

    name: str
    capabilities: Capabilities
    balance: RailBalance | None
    problem: str | None


async def rail_state(rail: Rail) -> RailState:
    """Ask a rail how it is; one that does not answer in time is out of reach."""
    try:
        outcome = await asyncio.wait_for(rail.balance(), BALANCE_S)
    except TimeoutError:
        outcome = Unknown("no answer in time")
    match outcome:
        case Done(balance):
            return RailState(rail.name, rail.capabilities, balance, None)
        case Failed(reason, _) | Unknown(reason):
            return RailState(rail.name, rail.capabilities, None, reason)


async def rail_states(rails: Iterable[Rail]) -> list[RailState]:
    """Ask all rails at once, in their order."""
    return await asyncio.gather(*(rail_state(rail) for rail in rails))
