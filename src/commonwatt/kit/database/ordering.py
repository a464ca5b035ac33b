"""Lists in the order that a reader clicked on, page by page: the key ends with what is unique, so equals stay apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, tuple_

T = TypeVar("T")
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SortColumn(Generic[T]):
    """Where a row stands: a column without nulls, its type, and the same value of what the row became."""

    column: ColumnElement[Any]
    kind: type[str | int]
    of: Callable[[T], str | int]


def by_text(column: ColumnElement[Any], of: Callable[[T], str]) -> SortColumn[T]:
    """Return the place of a text in whatever case: only ASCII has one case here, as in `lower` of SQLite."""
    return SortColumn(func.lower(column), str, lambda item: _lowered(of(item)))


def _lowered(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


class Ordering(Generic[T]):
    """What a list can be sorted by. `ties` are unique together and order what is equal; a minus turns a name round."""

    def __init__(self, ties: SortColumn[T] | tuple[SortColumn[T], ...], places: Mapping[str, SortColumn[T]]) -> None:
        """Name the columns; a list that is sorted by none of them is refused by whoever reads the address."""
        self._ties = ties if isinstance(ties, tuple) else (ties,)
        self._places = dict(places)

    @property
    def names(self) -> tuple[str, ...]:
        """All values that `sort` may have."""
        return (*self._places, *(f"-{name}" for name in self._places))

    @property
    def pattern(self) -> str:
        """The regular expression of what an address may say; empty for the list's own order."""
        return f"^({'|'.join(self.names)}|)$"

    def kinds(self, sort: str) -> tuple[type, ...]:
        """Return the types of a key, to check a cursor by."""
        return tuple(place.kind for place in self._key(sort))

    def key(self, item: T, sort: str) -> Key:
        """Return where an item stands in an order: what a cursor keeps of it."""
        return tuple(place.of(item) for place in self._key(sort))

    def page(self, statement: Select[Any], sort: str, after: Key = ()) -> Select[Any]:
        """Return the statement in that order, with the rows behind the key `after` only."""
        columns = [place.column for place in self._key(sort)]
        key = tuple_(*columns)
        if sort.startswith("-"):
            statement = statement.order_by(*(column.desc() for column in columns))
            return statement.where(key < tuple_(*after)) if after else statement
        statement = statement.order_by(*columns)
        return statement.where(key > tuple_(*after)) if after else statement

    def _key(self, sort: str) -> tuple[SortColumn[T], ...]:
        place = self._places[sort.removeprefix("-")]
        return place, *(tie for tie in self._ties if tie is not place)
