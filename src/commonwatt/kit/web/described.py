"""What every operation of the API has in common, told in its OpenAPI description: how it refuses."""

from __future__ import annotations

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.routes import HTTPRoute

PROBLEM_MEDIA = "application/problem+json"
_ALWAYS = {
    400: "A parameter, a header or the body cannot be read.",
    429: "Asked faster than this client's share; `Retry-After` says how long to wait.",
    503: "Something is out of reach; the same may succeed later.",
}
_GUARDED = {401: "No token, or one that is not valid.", 403: "The token's scopes do not allow this."}
_NAMED = {404: "There is no such thing."}
_WRITING = {
    409: "A rule says no, or the `Idempotency-Key` is in use for another request; `slug` says which rule.",
    422: "The body can be read, but what it asks for cannot be.",
}
_MATCHED = {412: "It was changed since it was read: `If-Match` names an older state."}


class FieldProblem(msgspec.Struct):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(msgspec.Struct):
    """A problem detail (RFC 9457); further members name what it is about, such as `station` or `session`."""

    type: str
    """The address of a page about this kind of problem."""
    title: str
    status: int
    detail: str
    slug: str
    """The kind of problem, for programs: the end of `type`."""
    instance: str | None = None
    """`urn:uuid:` and the reference under which the server's log has it."""
    field: str | None = None
    """The first field that is wrong."""
    errors: list[FieldProblem] | None = None
    """Every field that is wrong."""


def describe_problems(app: Litestar) -> None:
    """Declare at each handler of the API with which problems it may answer."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/"):
            for handler in route.route_handlers:
                told = _problems_of(handler, named=bool(route.path_parameters))
                handler.responses = {
                    status: ResponseSpec(Problem, generate_examples=False, description=words, media_type=PROBLEM_MEDIA)
                    for status, words in sorted(told.items())
                }


def _problems_of(handler: HTTPRouteHandler, *, named: bool) -> dict[int, str]:
    told = dict(_ALWAYS)
    if handler.resolve_guards():
        told |= _GUARDED
    if named:
        told |= _NAMED
    if handler.http_methods - {"GET", "HEAD", "OPTIONS"}:
        told |= _WRITING
    if "if_match" in handler.parsed_fn_signature.parameters:
        told |= _MATCHED
    return told
