"""What every operation of the API has in common, told in its OpenAPI description: how it refuses, and its headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Litestar
from litestar.datastructures import ResponseHeader
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIHeader, OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.routes import HTTPRoute

from commonwatt.kit.web.etag import Tagged
from commonwatt.kit.web.made import Made

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
_SENDING = {413: "The body is larger than a megabyte.", 415: "The body is not JSON, by its `Content-Type`."}
_MATCHED = {412: "It was changed since it was read: `If-Match` names an older state."}
_KNOWN = {304: "It is as the client has it: `If-None-Match` names its `ETag`."}
_ETAG = ResponseHeader(
    name="ETag",
    description="names this state: for `If-None-Match`, and for `If-Match` where that is taken",
    value="",
    documentation_only=True,
)
_LOCATION = ResponseHeader(name="Location", description="its own address", value="", documentation_only=True)
_ALSO, _FILE = "also_refuses", "also_as_file"


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


def refuses(told: Mapping[int, str]) -> dict[str, Any]:
    """Return the options of a handler that may answer with these statuses beside those that all of its kind have."""
    return {_ALSO: dict(told)}


def also_as_csv() -> dict[str, Any]:
    """Return the options of a handler that answers with a file of comma-separated values where it is asked for one."""
    return {_FILE: True}


def describe_answers(app: Litestar) -> None:
    """Declare at each handler of the API with which problems and headers it may answer."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/"):
            for handler in route.route_handlers:
                told = _problems_of(handler, named=bool(route.path_parameters))
                answers = {status: _refusal(words) for status, words in sorted(told.items())}
                _describe_success(handler, answers)
                handler.responses = answers


def _refusal(words: str) -> ResponseSpec:
    return ResponseSpec(Problem, generate_examples=False, description=words, media_type=PROBLEM_MEDIA)


def _problems_of(handler: HTTPRouteHandler, *, named: bool) -> dict[int, str]:
    parameters = handler.parsed_fn_signature.parameters
    told = dict(_ALWAYS)
    if handler.resolve_guards():
        told |= _GUARDED
    if named:
        told |= _NAMED
    if handler.http_methods - {"GET", "HEAD", "OPTIONS"}:
        told |= _WRITING
    if "data" in parameters:
        told |= _SENDING
    if "if_match" in parameters:
        told |= _MATCHED
    also: dict[int, str] = handler.opt.get(_ALSO, {})
    return told | also


def _describe_success(handler: HTTPRouteHandler, answers: dict[int, ResponseSpec]) -> None:
    """Tell of the headers of what went well, and of what a client has already."""
    told = handler.parsed_fn_signature.return_type
    if told.is_subclass_of(Tagged):
        handler.response_headers = [_ETAG]
        if "GET" in handler.http_methods:
            answers[304] = ResponseSpec(None, generate_examples=False, description=_KNOWN[304])
    if told.is_subclass_of(Made):
        handler.response_headers = [_LOCATION]
    if "POST" in handler.http_methods and handler.status_code == 201:  # noqa: PLR2004 (Created)
        handler.response_description = "It was made." + (" `Location` says where." if handler.response_headers else "")
    handler.operation_class = _FileToo if handler.opt.get(_FILE) else _Told


@dataclass
class _Told(Operation):
    """An operation with what Litestar can say of no answer but the first: headers."""

    def __post_init__(self) -> None:
        responses: dict[str, Any] = self.responses or {}
        if "304" in responses:
            responses["304"].headers = responses["200"].headers
        if "429" in responses:
            seconds = OpenAPIHeader(schema=Schema(type=OpenAPIType.INTEGER), description="seconds to wait")
            responses["429"].headers = {"Retry-After": seconds}


@dataclass
class _FileToo(_Told):
    """An operation that answers with a file of comma-separated values where it is asked for one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        response = (self.responses or {})["200"]
        if isinstance(response, OpenAPIResponse) and response.content is not None:
            response.content["text/csv"] = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
