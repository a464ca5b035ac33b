"""mempool.space: prices that the project gathers from exchanges (REST API, Get Price).

It says when, in Unix seconds; a currency that it does not know is absent or -1.
"""

from __future__ import annotations

import re

from commonwatt.adapters.rates.fetch import Get, decode, micro, part
from commonwatt.kernel import Clock, Done, Failed, Instant, Outcome
from commonwatt.tariffs.ports import Quote

NAME = "mempool"
SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def parse(body: bytes, currency: str, fetched: Instant) -> Quote:
    """Read an answer. Raises ValueError when it is not of the known form."""
    del fetched
    answer = decode(body)
    return Quote(NAME, currency, micro(part(answer, currency)), _instant(part(answer, "time")))


def _instant(said: object) -> Instant:
    """Read Unix seconds."""
    if isinstance(said, bool) or not isinstance(said, str | int) or not SECONDS.fullmatch(str(said)):
        msg = "the time is no number of seconds"
        raise ValueError(msg)
    return Instant(1000 * int(said))


class Mempool:
    """A `RateSource` over the prices that mempool.space publishes."""

    name = NAME

    def __init__(self, clock: Clock, fetcher: Get) -> None:
        """Take a clock and the shared HTTP client."""
        self._clock = clock
        self._fetcher = fetcher

    async def fetch(self, currency: str) -> Outcome[Quote]:
        """Ask once."""
        answer = await self._fetcher.get("https://mempool.space/api/v1/prices")
        if not isinstance(answer, Done):
            return answer
        try:
            return Done(parse(answer.value, currency, self._clock.now()))
        except ValueError as error:
            return Failed(str(error), code="nonsense")

    async def close(self) -> None:
        """Close the shared HTTP client."""
        await self._fetcher.close()
