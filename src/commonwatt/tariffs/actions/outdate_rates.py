"""Lets no exchange rate of a time that our clock has yet to show again count as fresh then."""

from __future__ import annotations

from sqlalchemy import update

from commonwatt.kit.database import Work
from commonwatt.tariffs.store import AHEAD_MS, RATE_AGE_MAX_S, rates


def outdate_rates(work: Work) -> int:
    """Call rates too old that were stored later than now, before our clock was set back; return how many.

    Their age cannot be told any more. When they were observed stays as it was.
    """
    later = update(rates).where(rates.c.made_ms > work.now.ms + AHEAD_MS)
    return work.sql.execute(later.values(made_ms=work.now.ms - 1000 * (RATE_AGE_MAX_S + 1))).rowcount
