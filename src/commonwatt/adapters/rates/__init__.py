"""Where the price of bitcoin comes from: one module per public source, and a fixed price for the sandbox.

    name       address                                        says when   currencies
    kraken     api.kraken.com/0/public/Ticker                 no          EUR USD GBP CHF CAD AUD JPY
    coinbase   api.coinbase.com/v2/prices/BTC-.../spot        no          nearly all
    bitstamp   www.bitstamp.net/api/v2/ticker/btc...          yes         EUR USD GBP
    mempool    mempool.space/api/v1/prices                    yes         USD EUR GBP CAD CHF AUD JPY

Each is a `RateSource` (tariffs/ports.py). Their answers are read exactly, bounded in size and time, and believed only
together with others (tariffs/model/rate.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from commonwatt.adapters.rates import bitstamp, coinbase, kraken, mempool
from commonwatt.adapters.rates.fetch import Fetcher, Get, Ticker
from commonwatt.adapters.rates.fixed import Fixed
from commonwatt.kernel import Clock
from commonwatt.tariffs.ports import RateSource

PUBLIC: dict[str, Callable[[Clock, Get], RateSource]] = {
    source.NAME: partial(Ticker, source.NAME, source.address, source.parse)
    for source in (kraken, coinbase, bitstamp, mempool)
}
"""The public sources by the names that a configuration uses."""
FIXED = "fixed"


def open_sources(names: Sequence[str], clock: Clock, fixed: Mapping[str, str] | None = None) -> tuple[RateSource, ...]:
    """Return the sources of these names; `fixed` gives the sandbox's price of one bitcoin per currency.

    They share one HTTP client, which opens with the first question; close each source at the end. Raises ValueError
    for a name that does not exist and for a fixed price that is none.
    """
    fetcher = Fetcher()
    sources: list[RateSource] = []
    for name in dict.fromkeys(names):
        if name == FIXED:
            sources.append(Fixed(clock, fixed or {}))
        elif name in PUBLIC:
            sources.append(PUBLIC[name](clock, fetcher))
        else:
            msg = f"{name!r} is no rate source; known are {', '.join([*PUBLIC, FIXED])}"
            raise ValueError(msg)
    return tuple(sources)


__all__ = ["FIXED", "PUBLIC", "Fetcher", "Fixed", "Ticker", "open_sources"]
