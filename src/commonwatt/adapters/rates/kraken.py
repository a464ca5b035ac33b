"""Kraken: the last trade of the pair XBT/currency (REST API, Get Ticker Information).

An error comes as status 200 with a list in `error`; the pair in the answer has another name than the one asked for
(`XXBTZEUR` for `XBTEUR`). It does not say when, so a quote is as old as its fetching.
"""

from __future__ import annotations

from commonwatt.adapters.rates.fetch import Get, decode, micro, part
from commonwatt.kernel import Clock, Done, Failed, Instant, Outcome
from commonwatt.tariffs.ports import Quote

NAME = "kraken"


def parse(body: bytes, currency: str, fetched: Instant) -> Quote:
    """Read an answer. Raises ValueError when it is not of the known form."""
    answer = decode(body)
    if errors := part(answer, "error"):
        msg = f"it says {str(errors)[:80]}"
        raise ValueError(msg)
    pairs = part(answer, "result")
    if not isinstance(pairs, dict) or len(pairs) != 1:
        msg = "not exactly one pair in the answer"
        raise ValueError(msg)
    return Quote(NAME, currency, micro(part(next(iter(pairs.values())), "c", 0)), fetched)


class Kraken:
    """A `RateSource` over Kraken's public ticker."""

    name = NAME

    def __init__(self, clock: Clock, fetcher: Get) -> None:
        """Take a clock and the shared HTTP client."""
        self._clock = clock
        self._fetcher = fetcher

    async def fetch(self, currency: str) -> Outcome[Quote]:
        """Ask once."""
        answer = await self._fetcher.get(f"https://api.kraken.com/0/public/Ticker?pair=XBT{currency}")
        if not isinstance(answer, Done):
            return answer
        try:
            return Done(parse(answer.value, currency, self._clock.now()))
        except ValueError as error:
            return Failed(str(error), code="nonsense")

    async def close(self) -> None:
        """Close the shared HTTP client."""
        await self._fetcher.close()
