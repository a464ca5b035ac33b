"""What the owner's page of one station shows: its connectors with who charges there, its prices, its last hours."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from commonwatt.charging import store
from commonwatt.charging.queries import EARNED, SessionFilter, list_sessions
from commonwatt.kernel import Amount, Asset, Fault, Instant
from commonwatt.kit.web import Site
from commonwatt.kit.web.days import today_begins
from commonwatt.metering import Reading, readings_at
from commonwatt.stations import ConnectorView, StationView, list_connectors, list_quirks
from commonwatt.tariffs import tariff_for

HOURS = 6
"""How far back the chart of power goes."""
GAP_MS = 20 * 60_000
"""Silence after which the chart shows a gap."""
POINTS_MAX = 500
CONNECTORS_MAX = 8
DRIFT_MS = 60_000
"""A clock that is off by more is worth a word."""
DASHES = ("", "long", "short", "dotted")
"""Energy has one colour everywhere; the lines of a station's connectors differ by their dash, and by their names."""
_SESSION = store.sessions.c


def overview_of(sql: Connection, station: StationView, now: Instant, site: Site) -> dict[str, Any]:
    """Return what the first tab shows; sums are of sessions that began today, in the site's zone."""
    since = today_begins(now, site)
    connectors = list_connectors(sql, identity=station.identity, limit=100)
    running = {charge.connector: charge for charge in store.active_charges(sql, station.identity)}
    return {
        "connectors": connectors,
        "running": running,
        "tariffs": {view.number: _tariff(sql, view, now) for view in connectors},
        "power_w": sum(charge.progress.power_w for charge in running.values()) if running else None,
        "today": sums_of(sql, station.identity, since, site.currency),
        "quirks": list_quirks(sql, station.identity),
        "sessions": list_sessions(sql, SessionFilter(station=station.identity), limit=5),
        "chart": power_chart(sql, connectors, now, site.timezone),
        "drifts": station.drift_ms is not None and abs(station.drift_ms) > DRIFT_MS,
    }


def _tariff(sql: Connection, view: ConnectorView, now: Instant) -> Any:
    """Return the tariff in force at a connector; None when nothing is sold there."""
    try:
        return tariff_for(sql, view.station, view.number, now)
    except Fault:
        return None


def sums_of(sql: Connection, identity: str, since: Instant, currency: str) -> dict[str, Any]:
    """Return sessions, energy and money of a station since an instant: what is paid for, in the site's currency."""
    own = (_SESSION.station == identity, _SESSION.began_ms >= since.ms)
    count, energy = sql.execute(select(func.count(), func.coalesce(func.sum(_SESSION.energy_wh), 0)).where(*own)).one()
    gross = select(func.coalesce(func.sum(EARNED), 0)).where(*own, _SESSION.asset == currency)
    return {
        "sessions": count,
        "energy_wh": energy,
        "money": Amount(Asset.of(currency), sql.execute(gross).scalar_one()),
    }


def power_chart(sql: Connection, connectors: list[ConnectorView], now: Instant, zone: str) -> dict[str, Any] | None:
    """Return the power of each connector in the last hours; None when there was no reading. The template names each."""
    since = now.ms - HOURS * 3_600_000
    series = []
    for place, view in enumerate(connectors[:CONNECTORS_MAX]):
        points = _points(readings_at(sql, view.station, view.number, since))
        if points:
            series.append({
                "label": view.label,
                "number": view.number,
                "meaning": "car",
                "dash": DASHES[place % len(DASHES)],
                "shape": "line" if len(connectors) > 1 else "area",
                "unit": "kW",
                "points": points,
            })  # fmt: skip
    return {"unit": "kW", "zone": zone, "from": since, "to": now.ms, "series": series} if series else None


def _points(readings: list[Reading]) -> list[list[Any]]:
    """Return a line of power in kW with gaps where the station was silent: a picture, not a bill."""
    known = [(reading.at_ms, reading.power_w) for reading in readings if reading.power_w is not None]
    step = -(-len(known) // POINTS_MAX) or 1
    points: list[list[Any]] = []
    for at_ms, watts in known[::step]:
        if points and at_ms - points[-1][0] > GAP_MS:
            points.append([points[-1][0] + 1, None])
        points.append([at_ms, watts / 1000])
    return points
