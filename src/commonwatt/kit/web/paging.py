"""Lists in pages: a cursor says where the last page ended, so that rows that arrive meanwhile shift nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar.params import Parameter

from commonwatt.kernel import said
from commonwatt.kit.web.errors import BadRequest

T = TypeVar("T")
R = TypeVar("R")

LIMIT_MAX = 500
NUMBER_MAX = (1 << 63) - 1
RowNumber = Annotated[int, Parameter(ge=0, le=NUMBER_MAX, description="its number")]
"""A number in an address by which something is found: no larger than a database can compare."""
_FOREIGN = "The cursor belongs to another list; leave it out to begin at the first page."


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, and the cursor of the next; None on the last."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """What a request asks of a list: at most `limit` rows after the one that `after` names.

    `after` holds the sort key of the last row that was seen, or is empty for the first page.
    """

    limit: int = 50
    after: tuple[str | int, ...] = ()

    def key(self, *kinds: type) -> tuple[Any, ...]:
        """Return `after` when it fits what the list sorts by, empty for the first page; raises BadRequest."""
        if self.after and [type(part) for part in self.after] != list(kinds):
            raise BadRequest(_FOREIGN, field="cursor")
        return self.after


async def read_paging(
    limit: Annotated[int, Parameter(ge=1, le=LIMIT_MAX, description="rows at most")] = 50,
    cursor: Annotated[str | None, Parameter(description="next_cursor of the page before")] = None,
) -> Paging:
    """Read `limit` and `cursor` of a request: the dependency `paging`."""
    return Paging(limit, decode_cursor(cursor) if cursor else ())


def page_of(
    rows: Sequence[R], paging: Paging, show: Callable[[R], T], key: Callable[[R], tuple[str | int, ...]]
) -> Page[T]:
    """Make a page of `limit + 1` fetched rows: the one too many only tells that there is a next page."""
    shown = rows[: paging.limit]
    more = len(rows) > paging.limit
    return Page([show(row) for row in shown], encode_cursor(key(shown[-1])) if more else None)


def encode_cursor(key: tuple[str | int, ...]) -> str:
    """Write a sort key as an opaque word that fits an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: tuple[type, ...] | None = None) -> tuple[str | int, ...]:
    """Read a cursor back; raises BadRequest for anything that we did not write.

    `kinds` are the types that the list sorts by; without them any short row of strings and whole numbers passes.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key: list[Any] = msgspec.json.decode(raw, type=list[str | int])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        key = []
    fits = 1 <= len(key) <= 4 and len(cursor) <= 512  # noqa: PLR2004 (more than any list of ours sorts by)
    if not fits or any(isinstance(part, int) and abs(part) >= 1 << 63 for part in key):
        raise BadRequest(
            said("The cursor is not one of ours; leave it out to begin at the first page."), field="cursor"
        )
    if kinds is not None and [type(part) for part in key] != list(kinds):
        raise BadRequest(_FOREIGN, field="cursor")
    return tuple(key)
