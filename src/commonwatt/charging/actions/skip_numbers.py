"""Leave a gap in the numbers of transactions, so that none of a lost timeline is given out a second time."""

from __future__ import annotations

from sqlalchemy import text

from commonwatt.charging import store
from commonwatt.kit.database import Work

GAP = 1_000_000
"""More transactions than one site begins between two backups; OCPP 1.6 numbers leave room for 2,000 restores."""
NUMBER_MAX = 2**31 - 1
"""Many stations keep a transaction's number in 32 bits."""


def skip_numbers(work: Work) -> int:
    """Let the next transaction have a number that no station can hold yet; return it.

    What began after a backup is forgotten by its restore, and goes on at its station under the number it was given.
    Near the end of all numbers the gap is what is left of them by half.
    """
    name = store.transactions.name
    select_last = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    last = work.sql.execute(select_last, {"name": name}).scalar_one_or_none()
    at = (last or 0) + min(GAP, max(0, NUMBER_MAX - (last or 0)) // 2)
    change = "INSERT INTO sqlite_sequence (seq, name) VALUES (:at, :name)"
    if last is not None:
        change = "UPDATE sqlite_sequence SET seq = :at WHERE name = :name"
    work.sql.execute(text(change), {"at": at, "name": name})
    return at + 1
