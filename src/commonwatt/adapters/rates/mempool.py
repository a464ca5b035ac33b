"""mempool.space: prices that the project gathers from exchanges (REST API, Get Price).

It says when, in Unix seconds; a currency that it does not know is absent or -1.
"""

from __future__ import annotations

from commonwatt.adapters.rates.fetch import decode, micro, part, unix_seconds
from commonwatt.kernel import Instant
from commonwatt.tariffs.ports import Quote

NAME = "mempool"


def address(_currency: str) -> str:
    """Return where the price is asked for."""
    return "https://mempool.space/api/v1/prices"


def parse(body: bytes, currency: str, fetched: Instant) -> Quote:
    """Read an answer. Raises ValueError when it is not of the known form."""
    del fetched
    answer = decode(body)
    return Quote(NAME, currency, micro(part(answer, currency)), unix_seconds(part(answer, "time")))
