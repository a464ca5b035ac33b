"""Coinbase: the spot price of BTC in a currency (Coinbase App API v2, Get Spot Price).

It does not say when, so a quote is as old as its fetching.
"""

from __future__ import annotations

from commonwatt.adapters.rates.fetch import Get, decode, micro, part
from commonwatt.kernel import Clock, Done, Failed, Instant, Outcome
from commonwatt.tariffs.ports import Quote

NAME = "coinbase"


def parse(body: bytes, currency: str, fetched: Instant) -> Quote:
    """Read an answer. Raises ValueError when it is not of the known form."""
    data = part(decode(body), "data")
    if part(data, "base") != "BTC" or part(data, "currency") != currency:
        msg = "it answers for another pair"
        raise ValueError(msg)
    return Quote(NAME, currency, micro(part(data, "amount")), fetched)


class Coinbase:
    """A `RateSource` over Coinbase's public prices."""

    name = NAME

    def __init__(self, clock: Clock, fetcher: Get) -> None:
        """Take a clock and the shared HTTP client."""
        self._clock = clock
        self._fetcher = fetcher

    async def fetch(self, currency: str) -> Outcome[Quote]:
        """Ask once."""
        answer = await self._fetcher.get(f"https://api.coinbase.com/v2/prices/BTC-{currency}/spot")
        if not isinstance(answer, Done):
            return answer
        try:
            return Done(parse(answer.value, currency, self._clock.now()))
        except ValueError as error:
            return Failed(str(error), code="nonsense")

    async def close(self) -> None:
        """Close the shared HTTP client."""
        await self._fetcher.close()
