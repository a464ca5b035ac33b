"""Lists in the order that a reader clicked on, page by page: a key of two columns, so that equal values stay apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_

T = TypeVar("T")
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SortColumn(Generic[T]):
    """Where a row stands: a column without nulls, its type, and the same value of what the row became."""

    column: ColumnElement[Any]
    kind: type[str | int]
    of: Callable[[T], str | int]


class Ordering(Generic[T]):
    """What a list can be sorted by. `tie` is unique and orders what is equal; a minus before a name turns it round."""

    def __init__(self, tie: SortColumn[T], places: Mapping[str, SortColumn[T]]) -> None:
        """Name the columns; a list that is sorted by none of them is refused by whoever reads the address."""
        self._tie = tie
        self._places = dict(places)

    @property
    def names(self) -> tuple[str, ...]:
        """All values that `sort` may have."""
        return (*self._places, *(f"-{name}" for name in self._places))

    @property
    def pattern(self) -> str:
        """The regular expression of what an address may say; empty for the list's own order."""
        return f"^({'|'.join(self.names)}|)$"

    def kinds(self, sort: str) -> tuple[type, type]:
        """Return the types of a key, to check a cursor by."""
        return self._place(sort).kind, self._tie.kind

    def key(self, item: T, sort: str) -> Key:
        """Return where an item stands in an order: what a cursor keeps of it."""
        return self._place(sort).of(item), self._tie.of(item)

    def page(self, statement: Select[Any], sort: str, after: Key = ()) -> Select[Any]:
        """Return the statement in that order, with the rows behind the key `after` only."""
        column, tie = self._place(sort).column, self._tie.column
        key = tuple_(column, tie)
        if sort.startswith("-"):
            statement = statement.order_by(column.desc(), tie.desc())
            return statement.where(key < tuple_(*after)) if after else statement
        statement = statement.order_by(column, tie)
        return statement.where(key > tuple_(*after)) if after else statement

    def _place(self, sort: str) -> SortColumn[T]:
        return self._places[sort.removeprefix("-")]
