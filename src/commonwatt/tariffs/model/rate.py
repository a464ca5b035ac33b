"""What a bitcoin is worth: quotes of several sources become one rate, or none; and the one place that converts.

Fail closed: what is zero, negative, absurd, old, from the future or far from the others is not believed, and too few
believed quotes make no rate. A session locks its rate by id; what it gives back is msat and is never converted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commonwatt.kernel import BTC, Instant, Rounding, divide
from commonwatt.kernel.amount import Quotient
from commonwatt.tariffs.errors import NoRate

MSAT_PER_BTC: int = 10**BTC.scale
MICRO_PER_BTC_MIN = 10**8
"""100 of a currency for a bitcoin: below, a source speaks of something else."""
MICRO_PER_BTC_MAX = 10**18
AHEAD_MAX_MS = 60_000
"""How far a source's clock may be ahead of ours."""
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Quote:
    """What one source says one bitcoin costs, in millionths of a currency."""

    source: str
    currency: str
    micro_per_btc: int
    at: Instant
    """When the source says it held; when it was fetched, for a source that does not say."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A price of one bitcoin that sessions lock by its id. `id` is empty until it is stored."""

    id: str
    currency: str
    micro_per_btc: int
    at: Instant
    """Of the oldest quote in it."""
    used: tuple[str, ...]
    """The sources that it is the median of."""
    dropped: tuple[str, ...] = ()
    """Sources that were not believed, each with its reason: `name: reason`."""


def combine(quotes: Sequence[Quote], now: Instant, *, max_age_s: int, max_deviation_ppm: int, minimum: int) -> Rate:
    """Return the median of the believable quotes of one currency; raise NoRate when fewer than `minimum` are.

    A quote is dropped when it deviates from the median of all fresh ones by more than `max_deviation_ppm`; the median
    of an even number is the mean of the middle two, rounded down.
    """
    dropped: list[str] = []
    fresh: dict[str, Quote] = {}
    for quote in quotes:
        if (reason := _disbelief(quote, quotes[0].currency, now, max_age_s)) is not None:
            dropped.append(f"{quote.source}: {reason}")
        elif quote.source not in fresh or fresh[quote.source].at < quote.at:
            fresh[quote.source] = quote
    middle = median([quote.micro_per_btc for quote in fresh.values()]) if fresh else 0
    used: list[Quote] = []
    for quote in fresh.values():
        if PPM * abs(quote.micro_per_btc - middle) > max_deviation_ppm * middle:
            dropped.append(f"{quote.source}: far from the others")
        else:
            used.append(quote)
    if len(used) < max(minimum, 1):
        heard = "; ".join(dropped) or "no source answered"
        raise NoRate(
            f"{len(used)} of at least {max(minimum, 1)} sources gave a believable price of bitcoin ({heard}). "
            "Payments in this currency wait until there is one; check the rate sources.",
            believed=len(used),
            wanted=max(minimum, 1),
        )
    return Rate(
        id="",
        currency=used[0].currency,
        micro_per_btc=median([quote.micro_per_btc for quote in used]),
        at=min(quote.at for quote in used),
        used=tuple(sorted(quote.source for quote in used)),
        dropped=tuple(dropped),
    )


def _disbelief(quote: Quote, currency: str, now: Instant, max_age_s: int) -> str | None:
    if quote.currency != currency:
        return "another currency"
    if not MICRO_PER_BTC_MIN <= quote.micro_per_btc <= MICRO_PER_BTC_MAX:
        return "no price of a bitcoin"
    age_ms = now.since(quote.at)
    if age_ms > 1000 * max_age_s:
        return "too old"
    if age_ms < -AHEAD_MAX_MS:
        return "from the future"
    return None


def median(values: Sequence[int]) -> int:
    """Return the middle value, or the mean of the middle two rounded down. Raises IndexError for none."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


def fiat_to_msat(units: int, rate: Rate, rounding: Rounding) -> Quotient:
    """Convert millionths of the rate's currency to msat; the remainder is in 1/`micro_per_btc` of a msat."""
    return divide(units * MSAT_PER_BTC, rate.micro_per_btc, rounding)


def covers(msat: int, units: int, rate: Rate) -> bool:
    """Whether so many msat suffice for millionths of the rate's currency: `fiat_to_msat`, rounded up, undivided."""
    return units * MSAT_PER_BTC <= msat * rate.micro_per_btc


def msat_to_fiat(msat: int, rate: Rate, rounding: Rounding) -> Quotient:
    """Convert msat to millionths of the rate's currency; the remainder is in 1/10^11 of a unit."""
    return divide(msat * rate.micro_per_btc, MSAT_PER_BTC, rounding)
