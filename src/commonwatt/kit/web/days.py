"""Times in addresses: days and moments of the site's calendar, as date fields write them, and instants of programs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from commonwatt.kernel import Instant, said
from commonwatt.kit.web.errors import BadRequest
from commonwatt.kit.web.site import Site

EARLIEST, LATEST = (Instant.of(datetime(year, 1, 1, tzinfo=UTC)) for year in (1970, 9999))
"""Instants outside are none that anybody means, and some of them no calendar can write."""


def instant_of(text: str | None, field: str) -> Instant | None:
    """Read an instant as RFC 3339 with a zone; None for None. Raises BadRequest naming the field."""
    if text is None:
        return None
    try:
        found = Instant.parse(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        found = None
    if found is None or not EARLIEST <= found < LATEST:
        raise BadRequest(f"{field} is no instant; write it as 2026-05-01T12:00:00Z.", field=field)
    return found


def span_of(since: str | None, until: str | None) -> tuple[Instant | None, Instant | None]:
    """Read `from` and `to`, both as RFC 3339 or absent. Raises BadRequest, also where the end comes first."""
    first, last = instant_of(since, "from"), instant_of(until, "to")
    if first is not None and last is not None and first > last:
        raise BadRequest("`from` lies after `to`, so nothing can be between them.", field="from")
    return first, last


def local_moment(text: str, site: Site, field: str) -> Instant | None:
    """Read a moment in the site's zone, unless it names its own; None for an empty text. Raises BadRequest."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        found = Instant.of(moment if moment.tzinfo is not None else moment.replace(tzinfo=site.zone))
    except (ValueError, OverflowError):
        found = None
    if found is None or not EARLIEST <= found < LATEST:
        raise BadRequest(
            said("%(text)s is no moment; write it as 2026-05-01T12:00.", text=repr(text[:40])), field=field
        )
    return found


def day_begins(text: str, site: Site, *, days: int = 0, field: str = "since") -> Instant | None:
    """Return the midnight at which a day begins in the site's zone, so many days later; None for an empty text."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        found = Instant.of(datetime(day.year, day.month, day.day, tzinfo=site.zone))
    except (ValueError, OverflowError):
        found = None
    if found is None or not EARLIEST <= found < LATEST:
        raise BadRequest(said("%(text)s is no day; write it as 2026-05-01.", text=repr(text[:40])), field=field)
    return found


def today_begins(now: Instant, site: Site, *, days: int = 0) -> Instant:
    """Return the midnight before an instant in the site's zone, so many days later."""
    day = now.utc().astimezone(site.zone).date() + timedelta(days=days)
    return Instant.of(datetime(day.year, day.month, day.day, tzinfo=site.zone))
