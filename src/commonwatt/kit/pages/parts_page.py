"""All parts on one page, in every state: where a part is looked at before it is used."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.params import SkipValidation
from litestar.response import Template

from commonwatt.kernel import BTC, EUR, Amount, Clock, Instant

HOUR_MS = 3_600_000


@get("/parts", include_in_schema=False)
async def show_parts(clock: SkipValidation[Clock]) -> Template:
    """Show all parts."""
    return Template("parts_page.html", context=parts_context(clock.now()))


def parts_context(now: Instant) -> dict[str, Any]:
    """Return the values that the page of parts shows."""
    return {
        "now": now,
        "later": now.plus(seconds=600),
        "earlier": now.plus(seconds=-240),
        "yesterday": now.plus(seconds=-100_000),
        "cost": Amount(EUR, 4_203_100),
        "sats": Amount(BTC, 6_113_400),
        "debt": Amount(EUR, -1_500_000),
        "crumb": Amount(EUR, 3_400),
        "tone_words": (
            ("ok", "Free"),
            ("busy", "Charging"),
            ("wait", "Being settled"),
            ("warn", "Flagged"),
            ("bad", "Out of order"),
            ("off", "Offline"),
        ),
        "events": [
            {"what": "Paid", "when": now.plus(seconds=-2700), "tone": "ok", "icon": "zap", "why": "8.00 EUR held"},
            {"what": "Charging began", "when": now.plus(seconds=-2650), "tone": "busy", "icon": "plug-zap"},
            {
                "what": "Stopped by the driver",
                "when": now.plus(seconds=-60),
                "tone": "off",
                "icon": "circle-stop",
                "who": "session page",
            },
        ],
        "chart": _session_chart(now),
        "day": _day_chart(now),
    }


def _session_chart(now: Instant) -> dict[str, Any]:
    start = now.ms - 2700_000
    power = [
        [start + 60_000 * step, None if step in {20, 21, 22} else 11_000 - 90 * max(0, step - 25)] for step in range(46)
    ]
    energy = [[at, 180 * step] for step, (at, _) in enumerate(power)]
    return {
        "unit": "kW",
        "from": start,
        "to": now.ms + 900_000,
        "now": now.ms,
        "series": [
            {"name": "Power", "meaning": "car", "shape": "step-area", "points": _thousandths(power)},
            {
                "name": "Energy",
                "meaning": "car",
                "dash": "short",
                "shape": "line",
                "axis": 1,
                "unit": "kWh",
                "points": _thousandths(energy),
            },
        ],
        "limits": [{"name": "Limit", "value": 11.5}],
    }


def _day_chart(now: Instant) -> dict[str, Any]:
    start = now.ms - 24 * HOUR_MS
    shape = (0, 0, 1, 2, 4, 7, 9, 11, 12, 12, 11, 9, 7, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    return {
        "unit": "kWh",
        "from": start,
        "to": now.ms,
        "series": [
            {
                "name": "Energy",
                "meaning": "car",
                "shape": "bar",
                "points": [[start + HOUR_MS * hour, value] for hour, value in enumerate(shape)],
            },
            {
                "name": "Price",
                "meaning": "price",
                "shape": "step",
                "axis": 1,
                "unit": "ct/kWh",
                "points": [[start + HOUR_MS * hour, 24 + 3 * ((hour // 4) % 5)] for hour in range(25)],
            },
        ],
    }


def _thousandths(points: list[list[Any]]) -> list[list[Any]]:
    return [[at, None if value is None else value / 1000] for at, value in points]
