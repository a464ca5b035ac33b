"""Money and energy on the books: whole numbers of an asset's smallest unit, and division that loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Asset:
    """What an amount counts; `scale` decimals separate the unit that people say from the one that we count."""

    code: str
    scale: int

    @classmethod
    def of(cls, code: str) -> Asset:
        """Return the asset of a code: `BTC` in msat, `WH` in Wh, any ISO 4217 code in its millionth."""
        if code == "BTC":
            return BTC
        if code == "WH":
            return ENERGY
        if len(code) == 3 and code.isascii() and code.isupper() and code.isalpha():  # noqa: PLR2004
            return EUR if code == "EUR" else cls(code, 6)
        msg = f"{code!r} is no asset: BTC, WH or a currency code of ISO 4217"
        raise ValueError(msg)


BTC = Asset("BTC", 11)
"""Bitcoin, counted in millisatoshi (1 BTC = 10^11 msat)."""
EUR = Asset("EUR", 6)
"""Euro, counted in micro-euro."""
ENERGY = Asset("WH", 0)
"""Energy, counted in watt-hours."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So many smallest units of one asset; amounts of different assets never mix."""

    asset: Asset
    units: int

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.asset, self.units + self._same(other))

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.asset, self.units - self._same(other))

    def __neg__(self) -> Amount:
        return Amount(self.asset, -self.units)

    def __lt__(self, other: Amount) -> bool:
        return self.units < self._same(other)

    def __le__(self, other: Amount) -> bool:
        return self.units <= self._same(other)

    def __gt__(self, other: Amount) -> bool:
        return self.units > self._same(other)

    def __ge__(self, other: Amount) -> bool:
        return self.units >= self._same(other)

    def __bool__(self) -> bool:
        return self.units != 0

    def _same(self, other: Amount) -> int:
        if other.asset.code != self.asset.code:
            msg = f"{self.asset.code} and {other.asset.code} do not mix"
            raise TypeError(msg)
        return other.units


def amount_text(amount: Amount) -> str:
    """Write an amount exactly, without grouping: `4.20 EUR`, `1234.567 sat`, `1500 Wh`; a true minus sign."""
    match amount.asset.code:
        case "BTC":
            scale, least, unit = 3, 0, "sat"
        case "WH":
            scale, least, unit = 0, 0, "Wh"
        case code:
            scale, least, unit = amount.asset.scale, 2, code
    whole, part = divmod(abs(amount.units), 10**scale)
    decimals = (f"{part:0{scale}d}".rstrip("0") if part else "").ljust(least, "0")
    sign = "\u2212" if amount.units < 0 else ""
    return f"{sign}{whole}{'.' if decimals else ''}{decimals} {unit}"


class Rounding(Enum):
    """How a division that does not come out even chooses its whole number."""

    DOWN = "towards minus infinity"
    UP = "towards plus infinity"
    HALF_UP = "to the nearest, halves up"
    HALF_EVEN = "to the nearest, halves to even"


class Quotient(NamedTuple):
    """A division's whole result and what is left: `quotient * divisor + remainder == dividend`."""

    quotient: int
    remainder: int


def divide(dividend: int, divisor: int, rounding: Rounding) -> Quotient:
    """Divide whole numbers by a named rounding and return the remainder, which may be negative when rounded up.

    Raises ZeroDivisionError for a divisor of zero and ValueError for a negative one.
    """
    if divisor < 0:
        msg = "the divisor must be positive"
        raise ValueError(msg)
    quotient, rest = divmod(dividend, divisor)
    if not rest:
        return Quotient(quotient, 0)
    match rounding:
        case Rounding.DOWN:
            up = False
        case Rounding.UP:
            up = True
        case Rounding.HALF_UP:
            up = 2 * rest >= divisor
        case Rounding.HALF_EVEN:
            up = 2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1)
    if up:
        return Quotient(quotient + 1, rest - divisor)
    return Quotient(quotient, rest)
