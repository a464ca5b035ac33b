"""What tariffs ask of the world: what a bitcoin costs."""

from __future__ import annotations

from typing import Protocol

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


__all__ = ["Quote", "RateSource"]
