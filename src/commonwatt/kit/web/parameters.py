"""What an address of the API may ask: a parameter that nobody reads is refused, for its filter would filter nothing."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Litestar, Request
from litestar.params import QueryParameter
from litestar.routes import HTTPRoute

from commonwatt.kit.web.errors import BadRequest, UnsupportedMedia
from commonwatt.kit.web.validation import ALIASES, BODY

From = Annotated[str | None, QueryParameter(name="from", description="RFC 3339, inclusive")]
To = Annotated[str | None, QueryParameter(name="to", description="RFC 3339, exclusive")]
_KNOWN, _SINGLE, _READS_JSON = "parameters", "single_parameters", "reads_json"
_SHOWN_MAX = 40


def know_parameters(app: Litestar) -> None:
    """Note at each handler of the API which parameters it and what is injected into it read, and whether a body."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/"):
            for handler, model in route.route_handler_map.values():
                wanted = model.expected_query_params
                handler.opt[ALIASES] = {one.field_name: one.field_alias for one in wanted}
                handler.opt[_KNOWN] = frozenset(one.field_alias for one in wanted)
                handler.opt[_SINGLE] = frozenset(one.field_alias for one in wanted if not one.is_sequence)
                handler.opt[_READS_JSON] = BODY in handler.parsed_fn_signature.parameters


def check_parameters(request: Request[Any, Any, Any]) -> None:
    """Raise BadRequest for a parameter that the handler of a request does not read, or reads once; pages take any.

    A body of the API is JSON. Raises UnsupportedMedia for one that says it is something else.
    """
    options = request.route_handler.opt
    known = options.get(_KNOWN)
    if known is None:
        return
    for name in request.query_params:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise BadRequest(f"{name[:_SHOWN_MAX]!r} is no parameter here. Known: {names}.", field=name[:_SHOWN_MAX])
        if name in options[_SINGLE] and (times := len(request.query_params.getall(name))) > 1:
            raise BadRequest(f"{name} is given {times} times; give it once.", field=name)
    if options[_READS_JSON]:
        _check_media(request.headers.get("content-type", ""))


def _check_media(told: str) -> None:
    media = told.partition(";")[0].strip().lower()
    if media and media != "application/json" and not media.endswith("+json"):
        raise UnsupportedMedia(
            f"The body must be JSON, sent with Content-Type: application/json, not {media[:_SHOWN_MAX]}."
        )
