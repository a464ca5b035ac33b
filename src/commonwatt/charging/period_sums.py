"""What was charged by day or by month, as the chart above the list of sessions shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from commonwatt.charging import store
from commonwatt.charging.queries import EARNED
from commonwatt.kernel import Asset, Instant

SLOT_MS = 900_000
"""Every zone's midnight falls on a quarter of an hour."""
MONTHS = 12
_SESSION = store.sessions.c


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a month: where it begins, what was delivered in Wh, and what of it is paid for.

    Money is in units of the site's currency.
    """

    begins: Instant
    energy_wh: int
    units: int
    sessions: int


def sums_by_day(sql: Connection, zone: ZoneInfo, currency: str, first: date, last: date) -> list[Period]:
    """Return the sums of sessions that began on each day from `first` to `last`, in the site's zone."""
    days: dict[date, list[int]] = {}
    since, until = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
    slot = _SESSION.began_ms // SLOT_MS
    own = func.sum(EARNED).filter(_SESSION.asset == currency)
    statement = (
        select(slot, func.sum(_SESSION.energy_wh), func.coalesce(own, 0), func.count())
        .where(_SESSION.began_ms >= since.ms, _SESSION.began_ms < until.ms)
        .group_by(slot)
    )
    for begun, energy, units, count in sql.execute(statement):
        day = Instant(begun * SLOT_MS).utc().astimezone(zone).date()
        sums = days.setdefault(day, [0, 0, 0])
        sums[0], sums[1], sums[2] = sums[0] + int(energy), sums[1] + int(units), sums[2] + int(count)
    wanted = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [Period(_midnight(day, zone), *days.get(day, [0, 0, 0])) for day in wanted]


def sums_by_month(sql: Connection, zone: ZoneInfo, currency: str, last: date) -> list[Period]:
    """Return the sums of the twelve months that end with the one of `last`."""
    months = [_month_before(last.replace(day=1), back) for back in range(MONTHS - 1, -1, -1)]
    found = {month: [0, 0, 0] for month in months}
    for period in sums_by_day(sql, zone, currency, months[0], last):
        sums = found[period.begins.utc().astimezone(zone).date().replace(day=1)]
        sums[0] += period.energy_wh
        sums[1] += period.units
        sums[2] += period.sessions
    return [Period(_midnight(month, zone), *found[month]) for month in months]


def period_chart(
    periods: list[Period], currency: str, zone: str, words: tuple[str, str], slot: str = "day"
) -> dict[str, Any] | None:
    """Return the chart of energy and money, bars side by side for each day or month, each kind with its own axis.

    None when nothing was charged. A picture, not a bill.
    """
    if not any(period.sessions for period in periods):
        return None
    scale = 10 ** Asset.of(currency).scale
    return {
        "unit": "kWh",
        "zone": zone,
        "slot": slot,
        "series": [
            {
                "name": words[0],
                "meaning": "car",
                "shape": "bar",
                "points": [[period.begins.ms, period.energy_wh / 1000] for period in periods],
            },
            {
                "name": words[1],
                "meaning": "price",
                "shape": "bar",
                "axis": 1,
                "unit": currency,
                "points": [[period.begins.ms, period.units / scale] for period in periods],
            },
        ],
    }


def _midnight(day: date, zone: ZoneInfo) -> Instant:
    return Instant.of(datetime(day.year, day.month, day.day, tzinfo=zone))


def _month_before(month: date, back: int) -> date:
    number = month.year * 12 + month.month - 1 - back
    return date(number // 12, number % 12 + 1, 1)
