"""Bitstamp: the last trade of the pair btc/currency (HTTP API v2, Ticker).

It says when, in Unix seconds as a string.
"""

from __future__ import annotations

from commonwatt.adapters.rates.fetch import decode, micro, part, unix_seconds
from commonwatt.kernel import Instant
from commonwatt.tariffs.ports import Quote

NAME = "bitstamp"


def address(currency: str) -> str:
    """Return where the price is asked for."""
    return f"https://www.bitstamp.net/api/v2/ticker/btc{currency.lower()}/"


def parse(body: bytes, currency: str, fetched: Instant) -> Quote:
    """Read an answer. Raises ValueError when it is not of the known form."""
    del fetched
    answer = decode(body)
    return Quote(NAME, currency, micro(part(answer, "last")), unix_seconds(part(answer, "timestamp")))
