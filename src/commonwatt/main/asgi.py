"""Every route of every feature, and what handlers may ask for by name."""

from __future__ import annotations

import importlib
from functools import partial
from ipaddress import ip_network
from typing import Any

from litestar import Litestar, Request
from litestar.di import Provide
from sqlalchemy import Connection

from commonwatt import charging, members, stations
from commonwatt.books import api as books_api
from commonwatt.books import pages as books_pages
from commonwatt.kit import pages as page_kit
from commonwatt.kit.crowd import Network
from commonwatt.kit.database import Database
from commonwatt.kit.web import Behaviour, Site, build_app
from commonwatt.main.assembly import House
from commonwatt.main.config import Config
from commonwatt.main.worlds import Worlds

EDGES = (
    "commonwatt.members.api",
    "commonwatt.members.pages",
    "commonwatt.tariffs.api",
    "commonwatt.tariffs.pages",
    "commonwatt.stations.api",
    "commonwatt.stations.pages",
    "commonwatt.charging.api",
    "commonwatt.charging.pages",
    "commonwatt.charging.owner_pages",
    "commonwatt.charging.lnurl",
    "commonwatt.charging.overview_page",
    "commonwatt.payments.api",
    "commonwatt.payments.pages",
    "commonwatt.main.search_page",
    "commonwatt.main.site_pages",
)
"""Modules with `ROUTES`, in the order of the map."""
TOPICS = {"*", "overview", "station/*", "session/*", "tariffs", "rates", "books", "jobs", "audit"}
"""What one may hear of that names no single thing."""
SANDBOX_EDGES = ("commonwatt.adapters.payment.sandbox.api", "commonwatt.adapters.payment.sandbox.pages")
"""The play wallet, which anybody may use and which asks addresses of this machine: only where all money is play."""


def build_pages(config: Config, house: House, worlds: Worlds, *, limited: bool = True) -> Litestar:
    """Return the application over a house."""
    edges = EDGES + (SANDBOX_EDGES if house.site.sandbox else ())
    routes: list[Any] = [route for name in edges for route in _routes(name)]
    books_guards = [members.allow(scope="books:read")]
    routes += [*books_api.routes(books_guards), *books_pages.routes(books_guards)]
    routes += [*page_kit.ROUTES, *(page_kit.DEMO_ROUTES if house.site.sandbox else ())]
    behaviour = Behaviour(
        middleware=[members.Identify(house.database, house.site)],
        exception_handlers=members.EXCEPTION_HANDLERS,
        topic_gate=topic_gate(house.database, house.site),
        checks={"jobs": house.jobs.check},
        metrics_guards=[members.allow(scope="metrics:read")],
        template_config=page_kit.template_engine(house.clock),
        trusted_proxies=proxies_of(config),
        hosts=config.http.hosts,
        bound=config.http.bind.host,
        limited=limited,
    )
    dependencies = {
        **members.DEPENDENCIES,
        "line": Provide(lambda: house.hub, sync_to_thread=False),
        "rails": Provide(lambda: house.rails, sync_to_thread=False),
        "worth": Provide(lambda: partial(charging.worth_of, currency=house.site.currency), sync_to_thread=False),
        "holders": Provide(_holders, sync_to_thread=False),
        "rules": Provide(lambda: house.rules, sync_to_thread=False),
        "check_place": Provide(lambda: stations.check_place, sync_to_thread=False),
        "jobs": Provide(lambda: house.jobs, sync_to_thread=False),
        "sandbox": Provide(lambda: worlds.sandbox, sync_to_thread=False),
        "config": Provide(lambda: config, sync_to_thread=False),
    }
    return build_app(
        routes,
        site=house.site,
        database=house.database,
        clock=house.clock,
        ids=house.database.ids,
        live=house.live,
        dependencies=dependencies,
        behaviour=behaviour,
    )


def _holders(actor: members.Actor) -> Any:
    """Return who stands behind accounts of the books, for those who may see id tags; for others nobody does."""
    return charging.holders_of if actor.sees_id_tags else lambda _sql, _accounts: {}


def proxies_of(config: Config) -> list[Network]:
    """Return the networks of the proxies that speak for many."""
    return [ip_network(network) for network in config.http.trusted_proxies]


def _routes(module: str) -> list[Any]:
    return list(importlib.import_module(module).ROUTES)


def topic_gate(database: Database, site: Site) -> Any:
    """Return who may hear what: members everything but other people's secrets, a driver the session of the link.

    Who asks is found out anew each time: a stream outlives the session or the role that opened it. A topic that nothing
    would ever be told of, and a thing that is not there, are nobody's.
    """

    async def gate(request: Request[Any, Any, Any], topic: str) -> str | None:
        kind, _, name = topic.partition("/")
        if kind == "session" and (charge := await database.read(charging.charge_by_secret, name)) is not None:
            return charge.subject
        if kind == "connector":
            view = await database.read(stations.find_connector, name)
            return None if view is None else f"place/{view.station}"
        actor = await members.find_actor(request, database, site)
        if actor is None or not actor.may_hear(topic):
            return None
        return topic if topic in TOPICS or await database.read(_is_there, kind, name) else None

    return gate


def _is_there(sql: Connection, kind: str, name: str) -> bool:
    """Whether there is a thing to hear of."""
    if kind == "station":
        return stations.find_station(sql, name) is not None
    return kind == "session" and charging.charge_by_id(sql, name) is not None
