"""What the house's own database says of a replay, read once at its end: sessions, books, money on the way."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from commonwatt.books import check_books
from commonwatt.books.store import accounts, entries, writes
from commonwatt.charging.store import claims, sessions
from commonwatt.main.replay.report import Replayed

SAT_MSAT = 1000
BILL = "bill:"
"""What the key of a bill's posting begins with; the session's id follows."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not reached its end yet; all zero when a replay is over."""

    running: int
    held_msat: int
    owed_msat: int
    paying: int

    def __bool__(self) -> bool:
        return bool(self.running or self.held_msat or self.owed_msat or self.paying)


def what_waits(sql: Connection) -> Waiting:
    """Return what is still under way: sessions, locked money, change."""
    columns = sessions.c
    over = columns.status.in_(("ended", "cancelled", "offered"))
    row = sql.execute(
        select(
            func.sum(case((over, 0), else_=1)),
            func.sum(columns.held_msat),
            func.sum(columns.owed_msat),
        )
    ).one()
    paying = sql.execute(select(func.count()).select_from(claims).where(claims.c.state == "paying")).scalar_one()
    return Waiting(int(row[0] or 0), int(row[1] or 0), int(row[2] or 0), int(paying))


def who_is_owed(sql: Connection) -> list[str]:
    """Return the sessions whose change is to be claimed (again): a payout may fail for good."""
    columns = sessions.c
    over = columns.status.in_(("ended", "cancelled"))
    return list(sql.execute(select(columns.id).where(over, columns.owed_msat >= SAT_MSAT)).scalars())


def read_replayed(sql: Connection) -> dict[str, Replayed]:
    """Return every session that saw money or energy, with what the books made of it; audits the books first."""
    check_books(sql)
    booked = _booked(sql)
    columns = sessions.c
    found = {}
    for row in sql.execute(select(sessions).where(columns.status != "offered")):
        shares = booked.get(row.id, {})
        found[row.id] = Replayed(
            session=row.id,
            station=row.station,
            status=row.status,
            energy_wh=row.energy_wh,
            paid_msat=row.paid_msat,
            change_msat=row.returned_msat,
            billed_msat=row.billed_msat,
            revenue_msat=shares.get("revenue", 0),
            vat_msat=shares.get("vat", 0),
            rounding_msat=shares.get("rounding", 0),
            left_msat=row.owed_msat + row.held_msat,
        )
    return found


def read_books(sql: Connection) -> dict[str, int]:
    """Return the balance of every kind of account in msat, and of `energy` and `grid` in Wh, each its own way up."""
    totals = select(accounts.c.kind, func.sum(accounts.c.balance_units)).group_by(accounts.c.kind)
    return {kind: abs(int(units)) for kind, units in sql.execute(totals)}


def _booked(sql: Connection) -> dict[str, dict[str, int]]:
    """Return what each bill credited to revenue, VAT and rounding: session id to account to msat."""
    names = ("revenue", "vat", "rounding")
    query = (
        select(writes.c.key, accounts.c.kind, func.sum(entries.c.units))
        .join(entries, entries.c.number == writes.c.number)
        .join(accounts, accounts.c.id == entries.c.account_id)
        .where(writes.c.key.startswith(BILL), accounts.c.kind.in_(names), accounts.c.asset == "BTC")
        .group_by(writes.c.key, accounts.c.kind)
    )
    booked: dict[str, dict[str, int]] = {}
    for key, kind, units in sql.execute(query):
        booked.setdefault(key.removeprefix(BILL), {})[kind] = -int(units)
    return booked
