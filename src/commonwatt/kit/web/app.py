"""Puts the application together: every feature's routes, one way to answer, one way to refuse."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import LitestarDeprecationWarning
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.template import TemplateConfig
from litestar.types import ExceptionHandlersMap, Guard, Middleware

from commonwatt.kernel import Clock, Ids
from commonwatt.kit.crowd import Network
from commonwatt.kit.database import Database
from commonwatt.kit.web import live as live_routes
from commonwatt.kit.web.described import describe_answers
from commonwatt.kit.web.encoding import Answer, WordsInSchema
from commonwatt.kit.web.forgery import OwnPagesOnly
from commonwatt.kit.web.health import Check, health_routes
from commonwatt.kit.web.hosts import KnownHosts
from commonwatt.kit.web.idempotency import read_idempotency_key
from commonwatt.kit.web.limits import Buckets, FairShares
from commonwatt.kit.web.live import Live, TopicGate, closed_gate
from commonwatt.kit.web.methods import methods_of
from commonwatt.kit.web.paging import read_paging
from commonwatt.kit.web.parameters import check_parameters, know_parameters
from commonwatt.kit.web.problem_docs import show_problem
from commonwatt.kit.web.problems import EXCEPTION_HANDLERS
from commonwatt.kit.web.reference import ReferencePage, show_schema
from commonwatt.kit.web.site import Site
from commonwatt.kit.web.surroundings import Surroundings

BODY_MAX = 1_000_000
"""Bytes that a request body may have, unless a route says otherwise."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an assembly may choose; the defaults suit a server on the open Internet without a proxy."""

    middleware: Sequence[Middleware] = ()
    """Runs before fair shares and the forgery check: who signs in."""
    exception_handlers: ExceptionHandlersMap = field(default_factory=dict)
    topic_gate: TopicGate = closed_gate
    checks: Mapping[str, Check] = field(default_factory=dict)
    """Parts that `/readyz` tries besides the database."""
    metrics_guards: Sequence[Guard] = ()
    template_config: TemplateConfig[Any] | None = None
    trusted_proxies: Sequence[Network] = ()
    hosts: Sequence[str] = ()
    """Names that the site answers to besides that of its address and localhost."""
    bound: str = "127.0.0.1"
    """The address that the port is bound to; the site answers to it too, and on all addresses to every one."""
    limited: bool = True
    """Whether clients have fair shares; off only where a benchmark asks."""
    on_shutdown: Sequence[Any] = ()


def build_app(
    routes: Sequence[Any],
    *,
    site: Site,
    database: Database,
    clock: Clock,
    ids: Ids,
    live: Live,
    dependencies: Mapping[str, Any] | None = None,
    behaviour: Behaviour | None = None,
) -> Litestar:
    """Return the application over all features' routes.

    `dependencies` maps parameter names to values (given as they are) or to `Provide`. Always there: `database`,
    `clock`, `ids`, `site`, `live`, `topic_gate`, `paging`, `idempotency_key`.
    """
    choice = behaviour or Behaviour()
    given = {
        "database": database,
        "clock": clock,
        "ids": ids,
        "site": site,
        "live": live,
        "topic_gate": choice.topic_gate,
        "paging": Provide(read_paging),
        "idempotency_key": Provide(read_idempotency_key),
        **(dependencies or {}),
    }
    if live.hear not in database.on_notes:
        database.on_notes.append(live.hear)
    for route in [*routes, *live_routes.ROUTES]:
        _trust_injected(route, given)
    limits: list[Middleware] = [FairShares(Buckets(clock))] if choice.limited else []
    with warnings.catch_warnings():
        # Litestar 3 will want a marker on each injected parameter; 2.x, which we pin, injects by name.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        hosts = KnownHosts([site.host, *choice.hosts], choice.bound)
        app = Litestar(
            [
                *routes,
                *live_routes.ROUTES,
                show_problem,
                show_schema,
                *health_routes(database, choice.checks, choice.metrics_guards),
            ],
            dependencies={name: _provide(value) for name, value in given.items()},
            middleware=[hosts, *choice.middleware, *limits, OwnPagesOnly()],
            before_request=check_parameters,
            exception_handlers={**EXCEPTION_HANDLERS, **choice.exception_handlers},
            response_class=Answer,
            request_max_body_size=BODY_MAX,
            multipart_form_part_limit=100,
            plugins=[WordsInSchema()],
            openapi_config=_description(site),
            template_config=choice.template_config,
            state=State({"site": site, "clock": clock, "live": live}),
            logging_config=None,
            debug=False,
            on_shutdown=[*choice.on_shutdown],
        )
    know_parameters(app)
    describe_answers(app)
    app.asgi_handler = Surroundings(app.asgi_handler, site, clock, ids, choice.trusted_proxies, methods_of(app))
    return app


def _trust_injected(route: Any, names: Iterable[str]) -> None:
    """Let a handler take what we inject as it is: our own objects need no validation, and protocols allow none."""
    if isinstance(route, HTTPRouteHandler):
        annotations = route.fn.__annotations__
        annotations.update({name: Any for name in names if name in annotations})


def _provide(value: Any) -> Provide:
    if isinstance(value, Provide):
        return value

    def give() -> Any:
        return value

    kind = type(value) if not inspect.isroutine(value) else Any
    give.__annotations__["return"] = kind
    return Provide(give, sync_to_thread=False)


def _description(site: Site) -> OpenAPIConfig:
    bearer = SecurityScheme(type="http", scheme="bearer", description="an API token of this site, `cw_...`")
    return OpenAPIConfig(
        title=f"{site.name} API",
        version=site.version,
        description="Errors are problem details (RFC 9457); lists are paged by cursor; instants are RFC 3339 in UTC.",
        path="/api/v1/reference",
        use_handler_docstrings=True,
        render_plugins=[ReferencePage(path="/")],
        components=Components(security_schemes={"token": bearer}),
        security=[{"token": []}],
    )
