"""A station's times as instants, with its mistakes put right where that is certain."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from commonwatt.adapters.station.dialect import Caller, Refusal
from commonwatt.kernel import Instant
from commonwatt.protocols.ocppj import ErrorCode

NO_CLOCK_BEFORE = Instant.parse("2020-01-01T00:00:00Z")
"""Stations without a clock begin in 1970, 2000 or the year of their firmware."""
LONG_AGO_MS = 366 * 24 * 3600 * 1000
"""A clock that was never set is years behind ours, even where ours walks through a recorded past."""
AHEAD_MS = 60_000
_FORM = re.compile(
    r"(?:\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::(\d\d)(?:[.,]\d+)?)?|\d{8}[Tt]\d{4}(?:(\d\d)(?:[.,]\d+)?)?)"
    r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
"""A date with a time (RFC 3339, and the basic form of ISO 8601); what else Python would read is no moment."""
_LEAP = "60"


def read_time(caller: Caller, text: str, now: Instant) -> Instant:
    """Return the instant that a station wrote; raises Refusal when it is no time.

    A date alone is none. Second 60 is the next minute's first.

    Without a zone it is UTC (OCPP 1.6, 3.12). Nothing happens after now: a station that says so is ahead, and now is
    taken. A time before 2020 comes from a station whose clock was never set: now is taken as well. Both are flagged.
    The station's drift is learnt on the way.
    """
    try:
        moment = _read(text.strip())
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        at = Instant.of(zoned)
    except (ValueError, OverflowError):
        raise Refusal(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"{text[:40]!r} is no time (RFC 3339).") from None
    if zoned is not moment:
        caller.flag(caller.identity, "time-without-zone", text[:40])
    caller.note_time(at, now)
    if at.ms > now.ms:
        if at.ms - now.ms > AHEAD_MS:
            caller.flag(caller.identity, "clock-ahead", text[:40])
        return now
    if at < NO_CLOCK_BEFORE and now.ms - at.ms > LONG_AGO_MS:
        caller.flag(caller.identity, "clock-unset", text[:40])
        return now
    return at


def _read(text: str) -> datetime:
    """Return the moment, with a zone where the text has one; raises ValueError."""
    form = _FORM.fullmatch(text)
    if form is None:
        msg = "no date with a time"
        raise ValueError(msg)
    second = 1 if form[1] else 2
    if form[second] != _LEAP:
        return datetime.fromisoformat(text.upper())
    start, end = form.span(second)
    return datetime.fromisoformat(f"{text[:start]}59{text[end:]}".upper()) + timedelta(seconds=1)
