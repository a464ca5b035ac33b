"""What the reader of requests says against one, by the names that its sender used and in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException

BODY = "data"
"""How handlers call the body; nobody outside knows this name."""
ALIASES = "parameter_names"
"""Where a handler's options have the outer names of its parameters."""
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def field_problems(error: ValidationException, request: Request[Any, Any, Any]) -> list[dict[str, str]]:
    """Return what is wrong per field, as `{"field", "message"}`; a field in a field is named by its path."""
    extra = error.extra if isinstance(error.extra, list) else []
    told = [_problem(item, request) for item in extra if isinstance(item, dict)]
    if not told and (lacking := re.match(r"Missing required (?:\w+ )?parameter '([^']+)'", str(error.detail))):
        told = [{"field": lacking[1], "message": f"The parameter {lacking[1]} is missing."}]
    return told


def _problem(item: dict[str, Any], request: Request[Any, Any, Any]) -> dict[str, str]:
    field, message = str(item.get("key", "")), str(item.get("message", ""))
    names = request.route_handler.opt.get(ALIASES, {})
    within = "" if field == BODY else field
    if message == repr(BODY):
        return {"field": "", "message": "The body is missing; send a JSON object."}
    if found := re.fullmatch(r"Object missing required field `(.+)`", message):
        field = f"{within}.{found[1]}" if within else found[1]
        return {"field": field, "message": f"The field {field} is missing."}
    if found := re.fullmatch(r"Object contains unknown field `(.+)`", message):
        field = f"{within}.{found[1]}" if within else found[1]
        return {"field": field, "message": f"There is no field {field} here."}
    if message.startswith("Invalid enum value "):
        known = ", ".join(_known(_kind_of(field, item, request)))
        value = message.removeprefix("Invalid enum value ")
        return {"field": within, "message": f"{value} is not one of: {known}." if known else f"{value} is not known."}
    field = str(names.get(within, within))
    for form, words in _FORMS:
        if found := form.fullmatch(message):
            return {"field": field, "message": words(found)}
    return {"field": field, "message": message.rstrip(".") + "."}


def _one_of(words: list[str]) -> str:
    return f"It must be {' or '.join(words)}." if len(words) < 3 else f"It must be one of: {', '.join(words)}."  # noqa: PLR2004


def _kinds(text: str) -> str:
    return " or ".join(_KINDS.get(kind, kind) for kind in text.split(" | "))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"Expected `([^`]+)`, got `([^`]+)`"),
        lambda found: f"This is {_kinds(found[2])}; it must be {_kinds(found[1])}.",
    ),
    (re.compile(r"Expected `(?:int|float)` <= (\S+)"), lambda found: f"It must be at most {found[1]}."),
    (re.compile(r"Expected `(?:int|float)` >= (\S+)"), lambda found: f"It must be at least {found[1]}."),
    (re.compile(r"Expected `str` of length <= (\d+)"), lambda found: f"It must have at most {found[1]} characters."),
    (re.compile(r"Expected `str` of length >= (\d+)"), lambda found: f"It must have at least {found[1]} characters."),
    (
        re.compile(r"Expected `str` matching regex '\^\(((?:\w+\|)+\w*)\)\$'"),
        lambda found: _one_of([word for word in found[1].split("|") if word]),
    ),
    (re.compile(r"Expected `str` matching regex '(.+)'"), lambda found: f"It must have the form {found[1]}."),
)
"""The sentences of msgspec, and ours for each."""


def _kind_of(field: str, item: dict[str, Any], request: Request[Any, Any, Any]) -> Any:
    """Return the type of a field of the body, or of a parameter; None where it cannot be found."""
    parameters = request.route_handler.parsed_fn_signature.parameters
    if item.get("source") != "body":
        return parameters[field].raw if field in parameters else None
    kind = parameters[BODY].raw if BODY in parameters else None
    for name in re.findall(r"[^.\[\]]+(?![^\[]*\])", field):
        kind = _inside(kind, name)
    return kind


def _inside(kind: Any, name: str) -> Any:
    """Return the type of a member of an object, or of the objects in a list."""
    for one in _parts(kind):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            names = dict(zip(one.__struct_encode_fields__, one.__struct_fields__, strict=True))
            if name in names:
                return get_type_hints(one, include_extras=True)[names[name]]
    return None


def _parts(kind: Any) -> list[Any]:
    """Return the types that a type is made of: of a union, of an annotated type, of what a list holds."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _parts(get_args(kind)[0])
    if origin in {Union, UnionType, list, tuple, set, frozenset}:
        return [part for one in get_args(kind) for part in _parts(one)]
    return [kind]


def _known(kind: Any) -> list[str]:
    """Return the words that a type allows."""
    known: list[str] = []
    for one in _parts(kind):
        if get_origin(one) is Literal:
            known += [str(word) for word in get_args(one)]
        elif isinstance(one, type) and issubclass(one, Enum):
            known += [str(word.value) for word in one]
    return known
