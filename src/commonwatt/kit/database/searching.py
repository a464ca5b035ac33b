"""Lists in which people search: one meaning of "holds these words" for every table."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, or_


def mentions(words: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Match rows one of whose columns holds the words, in whatever case; `%` and `_` are letters like any others."""
    return or_(*(column.icontains(words, autoescape=True) for column in columns))
