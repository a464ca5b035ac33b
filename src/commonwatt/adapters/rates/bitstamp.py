"""Bitstamp: the last trade of the pair btc/currency (HTTP API v2, Ticker).

It says when, in Unix seconds as a string.
"""

from __future__ import annotations

import re

from commonwatt.adapters.rates.fetch import Get, decode, micro, part
from commonwatt.kernel import Clock, Done, Failed, Instant, Outcome
from commonwatt.tariffs.ports import Quote

NAME = "bitstamp"
SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def parse(body: bytes, currency: str, fetched: Instant) -> Quote:
    """Read an answer. Raises ValueError when it is not of the known form."""
    del fetched
    answer = decode(body)
    return Quote(NAME, currency, micro(part(answer, "last")), _instant(part(answer, "timestamp")))


def _instant(said: object) -> Instant:
    """Read Unix seconds."""
    if isinstance(said, bool) or not isinstance(said, str | int) or not SECONDS.fullmatch(str(said)):
        msg = "the time is no number of seconds"
        raise ValueError(msg)
    return Instant(1000 * int(said))


class Bitstamp:
    """A `RateSource` over Bitstamp's public ticker."""

    name = NAME

    def __init__(self, clock: Clock, fetcher: Get) -> None:
        """Take a clock and the shared HTTP client."""
        self._clock = clock
        self._fetcher = fetcher

    async def fetch(self, currency: str) -> Outcome[Quote]:
        """Ask once."""
        answer = await self._fetcher.get(f"https://www.bitstamp.net/api/v2/ticker/btc{currency.lower()}/")
        if not isinstance(answer, Done):
            return answer
        try:
            return Done(parse(answer.value, currency, self._clock.now()))
        except ValueError as error:
            return Failed(str(error), code="nonsense")

    async def close(self) -> None:
        """Close the shared HTTP client."""
        await self._fetcher.close()
