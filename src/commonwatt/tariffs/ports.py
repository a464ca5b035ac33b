"""What tariffs ask of the world: what a bitcoin costs, and whether a place exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from commonwatt.kernel import Outcome
from commonwatt.tariffs.model.rate import Quote


class RateSource(Protocol):
    """One place that knows the price of bitcoin. Never raises for what the world does."""

    name: str

    async def fetch(self, currency: str) -> Outcome[Quote]:
        """Tell the price of one bitcoin in a currency (ISO 4217).

        `Failed` when the source does not know the currency or answers nonsense, `Unknown` when it does not answer.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


PlaceCheck = Callable[[Connection, str, int], None]
"""Raises a Missing that names the nearest when no station has the identity; connector 0 is the whole station."""


def anywhere(_sql: Connection, _station: str, _connector: int) -> None:
    """Take every place: where tariffs stand alone, nobody knows the stations."""


__all__ = ["PlaceCheck", "Quote", "RateSource", "anywhere"]
