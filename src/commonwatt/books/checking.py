"""The books' own audit: everything is added up again from the entries and compared with what the accounts say."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from commonwatt.books.errors import BooksBroken
from commonwatt.books.model.account import kind_of

_UNEVEN_WRITES = text("""SELECT e.number, a.asset, sum(e.units) AS rest FROM books_entry e
JOIN books_account a ON a.id = e.account_id GROUP BY e.number, a.asset HAVING sum(e.units) <> 0 LIMIT 1""")
_EMPTY_WRITES = text("""SELECT w.number FROM books_write w WHERE w.kind IN ('post', 'capture')
AND NOT EXISTS (SELECT 1 FROM books_entry e WHERE e.number = w.number) LIMIT 1""")
_WRONG_BALANCES = text("""SELECT a.name, a.asset, a.balance_units AS kept, coalesce(s.units, 0) AS added
FROM books_account a LEFT JOIN (SELECT account_id, sum(units) AS units FROM books_entry GROUP BY account_id) s
ON s.account_id = a.id WHERE a.balance_units <> coalesce(s.units, 0) LIMIT 1""")
_WRONG_HOLDS = text("""SELECT a.name, a.asset, a.held_units AS kept, coalesce(s.units, 0) AS added
FROM books_account a LEFT JOIN (SELECT source_id, sum(units) AS units FROM books_hold WHERE state = 'held'
GROUP BY source_id) s ON s.source_id = a.id WHERE a.held_units <> coalesce(s.units, 0) LIMIT 1""")
_SUMS = text(
    "SELECT asset, sum(balance_units) AS rest FROM books_account GROUP BY asset HAVING sum(balance_units) <> 0"
)
_STANDINGS = text("SELECT name, asset, balance_units, held_units FROM books_account")
_COUNTS = text("""SELECT (SELECT count(*) FROM books_account), (SELECT count(*) FROM books_write
WHERE kind IN ('post', 'capture')), (SELECT count(*) FROM books_entry)""")


@dataclass(frozen=True, slots=True)
class BooksChecked:
    """What an audit went through and found in order."""

    accounts: int
    postings: int
    entries: int


def check_books(connection: Connection) -> BooksChecked:
    """Add everything up again and compare; return how much was checked.

    Raises BooksBroken at the first difference: a posting or an asset that does not sum to zero, an account whose kept
    balance or held part is not what its entries and holds come to, an account overdrawn against its kind.
    """
    for row in connection.execute(_UNEVEN_WRITES):
        _fail(f"Posting {row.number} is off by {row.rest} units of {row.asset}.", posting=row.number)
    for row in connection.execute(_EMPTY_WRITES):
        _fail(f"Posting {row.number} has no entries.", posting=row.number)
    for row in connection.execute(_WRONG_BALANCES):
        _fail(
            f"{row.name} is kept at {row.kept} units of {row.asset}, its entries come to {row.added}.", account=row.name
        )
    for row in connection.execute(_WRONG_HOLDS):
        _fail(f"{row.name} holds {row.kept} units of {row.asset}, its holds come to {row.added}.", account=row.name)
    for row in connection.execute(_SUMS):
        _fail(f"The accounts in {row.asset} are off by {row.rest} units.", asset=row.asset)
    for row in connection.execute(_STANDINGS):
        kind = kind_of(row.name)
        if not kind.overdraft and row.balance_units * kind.side < row.held_units:
            _fail(f"{row.name} is overdrawn in {row.asset}.", account=row.name)
    return BooksChecked(*connection.execute(_COUNTS).one())


def _fail(what: str, **fields: str | int) -> None:
    msg = f"{what} Stop paying out, keep a copy of the database, and restore the last backup that passes this check."
    raise BooksBroken(msg, **fields)
