"""Entity tags (RFC 9110, section 8.8.3): saves bytes on reading, and keeps two writers from undoing each other."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, TypeVar, cast

from litestar import Request
from litestar.params import HeaderParameter
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from commonwatt.kernel import said
from commonwatt.kit.web.encoding import Answer, to_json
from commonwatt.kit.web.errors import Changed

T = TypeVar("T")
IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", description="the ETag of reading it: refuse when it was changed since")
]


class Tagged(Answer[T]):
    """An answer with its `ETag`."""


def etag_of(value: Any) -> str:
    """Return the strong tag of an answer: a digest of its JSON, in quotes."""
    return f'"{hashlib.sha256(to_json(value)).hexdigest()[:32]}"'


def etag_of_parts(part: Any, value: Any) -> str:
    """Return a strong tag whose first half tells only of the part that writers change.

    A station's answer changes with every sign of life; a writer minds only what an operator set.
    """
    return f'"{_short(part)}.{_short(value)}"'


def check_part(if_match: str | None, part: Any) -> None:
    """Raise Changed when a request's `If-Match` is given and the part of `etag_of_parts` is no longer as it was."""
    if if_match is None:
        return
    tags = [tag.strip() for tag in if_match.split(",")]
    if "*" not in tags and not any(tag.startswith(f'"{_short(part)}.') for tag in tags):
        raise Changed(said("This was changed after you read it. Read it again and decide anew."))


def _short(value: Any) -> str:
    return hashlib.sha256(to_json(value)).hexdigest()[:24]


def check_match(if_match: str | None, current: str) -> None:
    """Raise Changed when a request's `If-Match` is given and the thing is no longer as it was."""
    if if_match is not None and not _matches(if_match, current, weak=False):
        raise Changed(said("This was changed after you read it. Read it again and decide anew."), etag=current)


def tagged(request: Request[Any, Any, Any], value: T, part: Any = None, *, reading: Any = None) -> Tagged[T]:
    """Answer with the value and its tag, or 304 when `If-None-Match` says that the client has it.

    `part` is what a later `If-Match` is about, where that is not the whole value; see `check_part`. After a change,
    `reading` is what reading the thing would answer, where this answer is another.
    """
    whole = value if reading is None else reading
    tag = etag_of(whole) if part is None else etag_of_parts(part, whole)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = request.headers.get("if-none-match")
    if known is not None and request.method in {"GET", "HEAD"} and _matches(known, tag, weak=True):
        return Tagged(cast("T", None), status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    return Tagged(value, headers=headers)


def _matches(header: str, current: str, *, weak: bool) -> bool:
    tags = [tag.strip() for tag in header.split(",")]
    if weak:
        tags = [tag.removeprefix("W/") for tag in tags]
    return "*" in tags or current in tags
