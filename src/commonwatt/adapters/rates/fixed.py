"""A price that never moves: for the sandbox, and for who wants no outside source."""

from __future__ import annotations

from collections.abc import Mapping

from commonwatt.adapters.rates.fetch import micro
from commonwatt.kernel import Clock, Done, Failed, Outcome
from commonwatt.tariffs.ports import Quote


class Fixed:
    """A `RateSource` that always says the same, as of now."""

    name = "fixed"

    def __init__(self, clock: Clock, prices: Mapping[str, str]) -> None:
        """Take the price of one bitcoin per currency, as decimal text. Raises ValueError for what is no price."""
        self._clock = clock
        self._prices = {currency: micro(price) for currency, price in prices.items()}

    async def fetch(self, currency: str) -> Outcome[Quote]:
        """Tell the fixed price; `Failed` for a currency without one."""
        price = self._prices.get(currency)
        if price is None:
            return Failed(f"no fixed price in {currency}", code="unknown-currency")
        return Done(Quote(self.name, currency, price, self._clock.now()))

    async def close(self) -> None:
        """Nothing to let go of."""
