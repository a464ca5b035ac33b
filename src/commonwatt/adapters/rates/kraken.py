"""Kraken: the last trade of the pair XBT/currency (REST API, Get Ticker Information).

An error comes as status 200 with a list in `error`; the pair in the answer has another name than the one asked for
(`XXBTZEUR` for `XBTEUR`). It does not say when, so a quote is as old as its fetching.
"""

from __future__ import annotations

from commonwatt.adapters.rates.fetch import decode, micro, part
from commonwatt.kernel import Instant
from commonwatt.tariffs.ports import Quote

NAME = "kraken"


def address(currency: str) -> str:
    """Return where the price is asked for."""
    return f"https://api.kraken.com/0/public/Ticker?pair=XBT{currency}"


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
