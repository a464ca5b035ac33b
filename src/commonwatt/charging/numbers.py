"""The numbers of transactions: which were given out, and where they go on. SQLite keeps the last one by itself."""

from __future__ import annotations

from sqlalchemy import Connection, text

from commonwatt.charging import store


def last_number(sql: Connection) -> int:
    """Return the number after which transactions count on: the last one given out, or left out by a restore."""
    last = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    return sql.execute(last, {"name": store.transactions.name}).scalar_one_or_none() or 0


def count_on_after(sql: Connection, number: int) -> None:
    """Let transactions count on after a number."""
    values = {"number": number, "name": store.transactions.name}
    if not sql.execute(text("UPDATE sqlite_sequence SET seq = :number WHERE name = :name"), values).rowcount:
        sql.execute(text("INSERT INTO sqlite_sequence (seq, name) VALUES (:number, :name)"), values)


def was_given_out(sql: Connection, number: int) -> bool:
    """Whether a transaction had this number; without a record of it, it is one that a restored backup has forgotten.

    Only a restore leaves gaps, so a number beyond the last one is a station's own invention.
    """
    return 0 < number <= last_number(sql)
