"""How much may be paid at once: the site's limits, and more where a fee, a minimum or a block is due at the beginning.

A payment below that would be used up before any energy flows, so it must be enough for a first kWh too.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from commonwatt.charging.charge import SAT_MSAT, whole_sats_up
from commonwatt.charging.errors import AmountOutOfRange, PriceBeyondLimit
from commonwatt.charging.pricing import to_msat
from commonwatt.charging.rules import Rules
from commonwatt.kernel import BTC, Instant, Rounding, said
from commonwatt.tariffs import Rate, Tariff, current_rate, preview

FIRST_WH, FIRST_S = 1000, 330
"""What the least payment buys where something is due at the beginning: one kWh at the power of a wall box."""
DUE_PART = 10
"""Where the first Wh costs no more than one part in so many of the first kWh, nothing is due at the beginning."""


class Span(NamedTuple):
    """The least and the most that one may pay at once, in msat."""

    least_msat: int
    most_msat: int


def span_within(rules: Rules) -> Span:
    """Return what may be added to a charge that runs."""
    return Span(rules.payment_min_msat, rules.payment_max_msat)


def span_before(tariff: Tariff, rate: Rate | None, rules: Rules, now: Instant) -> Span:
    """Return what may be paid before a charge: at least what it begins with.

    Raises PriceBeyondLimit where that is more than may be paid at once.
    """
    span = span_within(rules)
    begins_msat = cost_of_beginning(tariff, rate, now)
    if begins_msat > span.most_msat:
        raise PriceBeyondLimit(
            said(
                "A charge costs at least %(least)s sats here, and nobody may pay more than %(most)s sats at once. So "
                "nobody can pay here. Choose another charge point.",
                least=begins_msat // SAT_MSAT,
                most=span.most_msat // SAT_MSAT,
            ),
            least_msat=begins_msat,
            max_msat=span.most_msat,
        )
    return Span(max(span.least_msat, begins_msat), span.most_msat)


def cost_of_beginning(tariff: Tariff, rate: Rate | None, now: Instant) -> int:
    """Return what the first kWh costs where much of it is due at once, 0 where each Wh costs its part.

    In msat, by the function that bills, rounded up to a whole satoshi.
    """
    gross = preview(tariff, FIRST_WH, FIRST_S, 0, now).gross
    if preview(tariff, 1, 1, 0, now).gross * DUE_PART <= gross:
        return 0
    return whole_sats_up(to_msat(tariff, rate, gross, Rounding.UP))


def rate_for(sql: Connection, tariff: Tariff, now: Instant) -> Rate | None:
    """Return the rate that a session by a tariff would lock now; None for one in bitcoin. Raises NoRate."""
    return None if tariff.asset.code == BTC.code else current_rate(sql, tariff.asset.code, now)


def check_amount(amount_msat: int, span: Span) -> None:
    """Raise AmountOutOfRange for less or more than may be paid."""
    if not span.least_msat <= amount_msat <= span.most_msat:
        raise AmountOutOfRange(
            said(
                "One may pay %(least)s to %(most)s sats at once here.",
                least=-(-span.least_msat // SAT_MSAT),
                most=span.most_msat // SAT_MSAT,
            ),
            min_msat=span.least_msat,
            max_msat=span.most_msat,
        )
