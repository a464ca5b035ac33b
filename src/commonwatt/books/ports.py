"""What the books ask of whoever knows the people behind accounts, which the books themselves never name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection


@runtime_checkable
class Holders(Protocol):
    """Who stands behind accounts, as far as the reader may know it."""

    def __call__(self, sql: Connection, accounts: Iterable[str]) -> Mapping[str, str]:
        """Return people by the names of their accounts; whom the reader may not know, or nobody, is left out."""
        ...
