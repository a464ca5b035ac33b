"""When elements hold by the local calendar: which ones now, and until when that cannot change."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from commonwatt.kernel import Instant
from commonwatt.tariffs.model.tariff import Restrictions

MINUTES_PER_DAY = 1440
QUARTER_MS = 900_000
_EVER_MS = 1 << 62


def window(zone: str, limits: tuple[Restrictions, ...], minutes: tuple[int, ...], at_ms: int) -> tuple[int, int]:
    """Return the elements that hold by the calendar as bits, and the ms at which that may change next.

    Without limits every element holds for ever. On a day whose clock is put forward or back, every quarter of an
    hour is looked at anew, since the same time of day may then come twice or not at all.
    """
    if not limits:
        return -1, _EVER_MS
    local = Instant(at_ms).utc().astimezone(ZoneInfo(zone))
    today, minute = local.date(), 60 * local.hour + local.minute
    bits = 0
    for number, limit in enumerate(limits):
        if _holds(limit, today, minute):
            bits |= 1 << number
    edges = _edges(zone, today, minutes)
    later = bisect_right(edges, at_ms)
    return bits, edges[later] if later < len(edges) else at_ms - at_ms % QUARTER_MS + QUARTER_MS


def _holds(limit: Restrictions, today: date, minute: int) -> bool:
    if limit.weekdays and today.weekday() not in limit.weekdays:
        return False
    if limit.start_date is not None and today < limit.start_date:
        return False
    if limit.end_date is not None and today >= limit.end_date:
        return False
    start, end = limit.start_minute or 0, limit.end_minute or MINUTES_PER_DAY
    if start < end:
        return start <= minute < end
    return minute >= start or minute < end


@lru_cache(maxsize=4096)
def _edges(zone: str, today: date, minutes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the instants (ms) of a local day at which elements may begin or end to hold; the day's end is last."""
    place = ZoneInfo(zone)
    midnight = datetime(today.year, today.month, today.day, tzinfo=place)
    first, last = _ms(midnight), _ms(midnight + timedelta(days=1))
    edges = {_ms(midnight + timedelta(minutes=minute)) for minute in minutes}
    if last - first != MINUTES_PER_DAY * 60_000:
        edges.update(range(first - first % QUARTER_MS, last, QUARTER_MS))
    return (*sorted(edge for edge in edges if edge < last), last)


def _ms(local: datetime) -> int:
    return Instant.of(local.astimezone(UTC)).ms
