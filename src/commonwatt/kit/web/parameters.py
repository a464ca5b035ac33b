"""What an address of the API may ask: a parameter that nobody reads is refused, for its filter would filter nothing."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Litestar, Request
from litestar.params import QueryParameter
from litestar.routes import HTTPRoute

from commonwatt.kit.web.errors import BadRequest
from commonwatt.kit.web.validation import ALIASES

From = Annotated[str | None, QueryParameter(name="from", description="RFC 3339, inclusive")]
To = Annotated[str | None, QueryParameter(name="to", description="RFC 3339, exclusive")]
_KNOWN = "parameters"
_SHOWN_MAX = 40


def know_parameters(app: Litestar) -> None:
    """Note at each handler of the API which parameters it and what is injected into it read."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/"):
            for handler, model in route.route_handler_map.values():
                handler.opt[ALIASES] = {one.field_name: one.field_alias for one in model.expected_query_params}
                handler.opt[_KNOWN] = frozenset(one.field_alias for one in model.expected_query_params)


def check_parameters(request: Request[Any, Any, Any]) -> None:
    """Raise BadRequest for a parameter that the handler of a request does not read; pages take any."""
    known = request.route_handler.opt.get(_KNOWN)
    if known is None:
        return
    for name in request.query_params:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise BadRequest(f"{name[:_SHOWN_MAX]!r} is no parameter here. Known: {names}.", field=name[:_SHOWN_MAX])
