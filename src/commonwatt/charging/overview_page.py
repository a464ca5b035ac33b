"""The overview: is all well, energy and money today, what needs somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import get
from litestar.response import Redirect, Template
from sqlalchemy import Connection

from commonwatt.charging import queries
from commonwatt.charging.charge import Charge
from commonwatt.charging.driver_view import both_now, cost_of
from commonwatt.charging.period_sums import period_chart, sums_by_day
from commonwatt.charging.pricing import rate_of, tariff_of
from commonwatt.charging.store import sum_withheld
from commonwatt.kernel import BTC, Amount, Asset, Clock, Fault, Instant
from commonwatt.kit.database import Database, count_dead
from commonwatt.kit.web import Site
from commonwatt.kit.web.days import today_begins
from commonwatt.members import require_scope
from commonwatt.payments import any_doubtful
from commonwatt.stations import count_stations, list_connectors, list_stations
from commonwatt.tariffs import current_rate, list_tariffs

READ = [require_scope("sessions:read")]
DAYS = 14
CARDS_MAX = 60
CONNECTORS_MAX = 2000
Need = dict[str, str]


def _(words: str) -> str:
    """Mark a text for the catalogs; the template translates it."""
    return words


@get("/", include_in_schema=False)
async def lead_home() -> Redirect:
    """Lead to the overview; who is not signed in signs in there first."""
    return Redirect("/overview", status_code=303)


@get("/overview", guards=READ, include_in_schema=False)
async def show_overview(database: Database, clock: Clock, site: Site) -> Template:
    """Show how it goes."""
    return Template("charging/overview.html", context=await database.read(overview_context, site, clock.now()))


def overview_context(sql: Connection, site: Site, now: Instant) -> dict[str, Any]:
    """Return everything that the overview shows."""
    today, tomorrow = today_begins(now, site), today_begins(now, site, days=1)
    day = queries.sum_sessions(sql, today, tomorrow)
    running = queries.running_sessions(sql)
    cards, unseen = _cards(sql, running)
    last = now.utc().astimezone(site.zone).date()
    periods = sums_by_day(sql, site.zone, site.currency, last - timedelta(days=DAYS - 1), last)
    return {
        "day": day,
        "yesterday": queries.sum_sessions(sql, today_begins(now, site, days=-1), today),
        "earned": _earned(sql, site, now, today, tomorrow),
        "billed": Amount(BTC, day.billed_msat),
        "power_w": sum(charge.progress.power_w for charge in running) if running else None,
        "history": {
            "energy": [period.energy_wh for period in periods],
            "money": [period.units for period in periods],
        },
        "running": len(running),
        "cards": cards,
        "unseen": unseen,
        "needs": list(_needs(sql, site, now)),
        "counts": count_stations(sql),
        "chart": period_chart(periods, site.currency, site.timezone, (_("Energy"), _("Earned"))),
    }


def _cards(sql: Connection, running: list[Charge]) -> tuple[list[dict[str, Any]], int]:
    """Return a card per connector of an admitted station, those that charge first, and how many have none here."""
    here = {(charge.station, charge.connector): charge for charge in running}
    views = [view for view in list_connectors(sql, limit=CONNECTORS_MAX) if view.station_state == "admitted"]
    views.sort(key=lambda view: (view.station, view.number) not in here)
    cards: list[dict[str, Any]] = []
    for view in views[:CARDS_MAX]:
        charge = here.get((view.station, view.number))
        cost = None if charge is None else cost_of(tariff_of(sql, charge), rate_of(sql, charge), charge)
        cards.append({"connector": view, "charge": charge, "cost": cost})
    return cards, len(views) - len(cards)


def _needs(sql: Connection, site: Site, now: Instant) -> list[Need]:
    """Return what needs somebody, each with its one next step, the most urgent first."""
    needs: list[Need] = []

    def need(words: str, href: str, action: str, tone: str, icon: str) -> None:
        needs.append({"text": words, "href": href, "action": action, "tone": tone, "icon": icon})

    if count_dead(sql):
        need(
            _("Something could not be done and waits for you."),
            "/jobs?state=dead",
            _("Look at the jobs"),
            "bad",
            "octagon-x",
        )
    if any_doubtful(sql):
        need(
            _("It is not known whether a payment arrived, and somebody must look."),
            "/payments?tab=out&state=doubtful",
            _("Look at the payment"),
            "bad",
            "circle-alert",
        )
    if sum_withheld(sql)[0]:
        need(
            _("Change is withheld since a backup was restored: say what was not paid before."),
            "/owed",
            _("Look at the change owed"),
            "bad",
            "undo-2",
        )
    if not any(listed.places for listed in list_tariffs(sql, now, limit=200)):
        need(_("There is no price yet, so nobody can pay."), "/tariffs/new", _("Make tariff"), "warn", "tag")
    try:
        current_rate(sql, site.currency, now)
    except Fault:
        need(
            _("No exchange rate is known, so prices in fiat cannot be paid."),
            "/rails",
            _("Look at the rails"),
            "bad",
            "coins",
        )
    if list_stations(sql, state="waiting", limit=1):
        need(_("A station waits to be admitted."), "/stations", _("Open the waiting room"), "wait", "ev-charger")
    broken = [view for view in list_connectors(sql, status="Faulted", limit=1) if view.online]
    if broken:
        need(
            _("A connector reports a fault."), f"/stations/{broken[0].station}", _("Open the station"), "bad", "wrench"
        )
    away = [one for one in list_stations(sql, state="admitted", limit=200) if one.boot_ms and not one.connected]
    if away:
        need(
            _("A station is offline."),
            "/stations?state=admitted&connected=no",
            _("Look at the stations"),
            "warn",
            "wifi-off",
        )
    return needs


def _earned(sql: Connection, site: Site, now: Instant, since: Instant, until: Instant) -> Amount:
    """Return what was sold in a span, in the site's currency; what is priced in bitcoin at the present rate."""
    gross = queries.sum_gross(sql, since, until)
    in_bitcoin = both_now(sql, site.currency, gross.pop(BTC.code, 0), now)["amount"]
    own = Amount(Asset.of(site.currency), gross.get(site.currency, 0))
    return own + in_bitcoin if in_bitcoin is not None and in_bitcoin.asset == own.asset else own


ROUTES = [lead_home, show_overview]
