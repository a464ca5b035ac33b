"""The first steps, from nothing to the first paid session: each is done when the data says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.response import Redirect, Template
from sqlalchemy import Connection, select

from commonwatt.charging import store
from commonwatt.kernel import Clock, Instant
from commonwatt.kit.database import Database
from commonwatt.kit.web import Site
from commonwatt.members import require_scope
from commonwatt.stations import (
    ADMITTED,
    count_stations,
    heard_here_only,
    list_connectors,
    list_stations,
    stations_address,
)
from commonwatt.tariffs import list_tariffs


def _(text: str) -> str:
    """Mark a text for the catalogs; the template translates it."""
    return text


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One step: what it is, why, and the one thing to do next."""

    done: bool
    title: str
    text: str
    href: str
    action: str


@get("/start", guards=[require_scope("stations:read")], include_in_schema=False)
async def show_guide(database: Database, clock: Clock, site: Site, config: Any) -> Template:
    """Show what is done and what comes next."""
    context = {
        "steps": await database.read(first_steps, clock.now()),
        "address": stations_address(config, site),
        "alone": heard_here_only(config),
    }
    return Template("start.html", context=context)


@get("/guide", include_in_schema=False)
async def lead_to_start() -> Redirect:
    """Lead to the first steps, which some call a guide."""
    return Redirect("/start", status_code=301)


def first_steps(sql: Connection, now: Instant) -> list[FirstStep]:
    """Return the steps in order."""
    tariffs = list_tariffs(sql, now, limit=200)
    priced = any(listed.places for listed in tariffs)
    stations = list_stations(sql, limit=200)
    called = any(station.seen_ms or station.connected_ms or station.state != ADMITTED for station in stations)
    admitted = count_stations(sql).get(ADMITTED, 0) > 0 and any(
        station.state == ADMITTED and (station.boot_ms or station.connected_ms) for station in stations
    )
    connectors = list_connectors(sql, limit=1)
    waiting = any(station.state == "waiting" for station in stations)
    offered = _any(sql, store.sessions.c.kind == "prepaid")
    paid = _any(sql, store.sessions.c.paid_msat > 0)
    return [
        FirstStep(
            priced,
            _("Set a price"),
            _("Without a tariff nobody can pay. One price for a kWh is enough to begin."),
            f"/tariffs/{tariffs[0].id}" if tariffs else "/tariffs/new",
            _("Assign tariff") if tariffs else _("Make tariff"),
        ),
        FirstStep(
            called or admitted,
            _("Connect a station"),
            _("Enter the address below in the charger's settings. It calls by itself, usually within a minute."),
            "/stations/new",
            _("Add station"),
        ),
        FirstStep(
            admitted,
            _("Admit it"),
            _("A station that nobody added waits until you say that it is yours."),
            "/stations",
            _("Open the waiting room") if waiting else _("Look at the stations"),
        ),
        FirstStep(
            offered,
            _("Print its QR code"),
            _("Drivers scan it, pay, and charge. Stick it where they plug in; try it with your own phone first."),
            "/stations/qr" if connectors else "/stations",
            _("Print QR codes"),
        ),
        FirstStep(
            paid,
            _("Be paid for the first time"),
            _("Scan the code, pay a small amount, plug in. The session appears here while it runs."),
            f"/c/{connectors[0].name}" if connectors else "/stations",
            _("Open the driver's page"),
        ),
    ]


def _any(sql: Connection, condition: Any) -> bool:
    return sql.execute(select(store.sessions.c.id).where(condition).limit(1)).first() is not None


ROUTES = [show_guide, lead_to_start]
