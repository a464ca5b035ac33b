"""The journal as rows of a spreadsheet: one row per entry."""

from __future__ import annotations

from collections.abc import Iterator

from commonwatt.books.model.posting import Posting

HEADER = ("number", "at", "account", "asset", "debit_units", "credit_units", "memo", "reference", "key")
"""Units are msat, millionths of a currency, or Wh."""


def rows_of(posting: Posting) -> Iterator[tuple[int | str, ...]]:
    """Yield a posting's entries as rows below `HEADER`."""
    for entry in posting.entries:
        units = entry.amount.units
        debit, credit = (units, "") if units > 0 else ("", -units)
        said = (posting.memo, posting.reference, posting.key)
        yield posting.number, posting.at.iso(), entry.account, entry.amount.asset.code, debit, credit, *said
