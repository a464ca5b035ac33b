"""Lists that people sort and take away: one way to read a page of one, one word in the address for its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from litestar.params import QueryParameter

from commonwatt.kit.database import Database, Ordering
from commonwatt.kit.web.paging import Page, Paging, page_of

T = TypeVar("T")
CSV_ROWS_MAX = 100_000
"""Rows of a file at most."""
AsFile = Annotated[Literal["csv", ""], QueryParameter(name="format")]
"""What an address asks for by `format=csv`: the list as a file instead of a page."""


async def sorted_page(
    database: Database,
    query: Callable[..., list[T]],
    *args: Any,
    order: tuple[Ordering[T], str, Paging],
    **kwargs: Any,
) -> Page[T]:
    """Return the page of a list that was asked for; raises BadRequest for a foreign cursor.

    `order` is what the list can be sorted by, what it is sorted by now, and which page. `query` takes `sort`, `after`
    and `limit` after what else it needs.
    """
    ordering, sort, paging = order
    after, limit = paging.key(*ordering.kinds(sort)), paging.limit + 1
    rows = await database.read(query, *args, sort=sort, after=after, limit=limit, **kwargs)
    return page_of(rows, paging, lambda row: row, lambda row: ordering.key(row, sort))
