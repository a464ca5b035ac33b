"""Transactions whose session is over though no station told their end: they do not run, whatever their record lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from commonwatt.charging import store
from commonwatt.charging.model.session import Status
from commonwatt.charging.queries import TransactionFilter, list_transactions

_OVER = (Status.ENDED.value, Status.CANCELLED.value)
_ROWS_AT_ONCE = 500


def transactions_page(
    sql: Connection, wanted: TransactionFilter, *, before: int | None = None, limit: int = 50
) -> list[tuple[Row[Any], bool]]:
    """Return transactions as `list_transactions` does, each with whether its end is unreported.

    Those that are asked for as running leave out the unreported ones.
    """
    found: list[tuple[Row[Any], bool]] = []
    while len(found) < limit:
        rows = list_transactions(sql, wanted, before=before, limit=_ROWS_AT_ONCE if wanted.open_only else limit)
        over = unreported_among(sql, rows)
        found += [(row, row.id in over) for row in rows if not (wanted.open_only and row.id in over)]
        if len(rows) < _ROWS_AT_ONCE:
            break
        before = rows[-1].id
    return found[:limit]


def unreported_among(sql: Connection, rows: Sequence[Row[Any]]) -> set[int]:
    """Return the numbers of those transactions that have no end while their session has one."""
    open_rows = {row.session_id: row.id for row in rows if row.stopped_ms is None and row.session_id is not None}
    own = store.sessions.c
    over = select(own.id).where(own.id.in_(list(open_rows)), own.status.in_(_OVER))
    return {open_rows[session_id] for (session_id,) in sql.execute(over)} if open_rows else set()
