"""Days of the site's calendar in addresses: `2026-05-01` in its time zone, as date fields write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from commonwatt.kernel import Instant, said
from commonwatt.kit.web.errors import BadRequest
from commonwatt.kit.web.site import Site


def day_begins(text: str, site: Site, *, days: int = 0, field: str = "since") -> Instant | None:
    """Return the midnight at which a day begins in the site's zone, so many days later; None for an empty text."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return Instant.of(datetime(day.year, day.month, day.day, tzinfo=site.zone))
    except (ValueError, OverflowError):
        raise BadRequest(
            said("%(text)s is no day; write it as 2026-05-01.", text=repr(text[:40])), field=field
        ) from None


def today_begins(now: Instant, site: Site, *, days: int = 0) -> Instant:
    """Return the midnight before an instant in the site's zone, so many days later."""
    day = now.utc().astimezone(site.zone).date() + timedelta(days=days)
    return Instant.of(datetime(day.year, day.month, day.day, tzinfo=site.zone))
