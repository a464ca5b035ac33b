"""Coinbase: the spot price of BTC in a currency (Coinbase App API v2, Get Spot Price).

It does not say when, so a quote is as old as its fetching.
"""

from __future__ import annotations

from commonwatt.adapters.rates.fetch import decode, micro, part
from commonwatt.kernel import Instant
from commonwatt.tariffs.ports import Quote

NAME = "coinbase"


def address(currency: str) -> str:
    """Return where the price is asked for."""
    return f"https://api.coinbase.com/v2/prices/BTC-{currency}/spot"


def parse(body: bytes, currency: str, fetched: Instant) -> Quote:
    """Read an answer. Raises ValueError when it is not of the known form."""
    data = part(decode(body), "data")
    if part(data, "base") != "BTC" or part(data, "currency") != currency:
        msg = "it answers for another pair"
        raise ValueError(msg)
    return Quote(NAME, currency, micro(part(data, "amount")), fetched)
