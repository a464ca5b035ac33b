"""The journal and the accounts for people who sign in: `/journal`, `/accounts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Router, get
from litestar.params import Parameter
from litestar.response import Stream, Template
from litestar.types import Guard
from sqlalchemy import Connection

from commonwatt.books.api import journal_csv
from commonwatt.books.ports import Holders
from commonwatt.books.queries import ACCOUNTS, JournalFilter, all_accounts, journal, list_accounts, trial_balance
from commonwatt.kernel import Clock
from commonwatt.kit.database import Database
from commonwatt.kit.web import AsFile, Paging, Site, csv_answer, page_of
from commonwatt.kit.web.days import day_begins, local_moment
from commonwatt.kit.web.paging import encode_cursor

Text = Annotated[str, Parameter(max_length=200)]
Order = Annotated[str, Parameter(pattern=ACCOUNTS.pattern)]
ACCOUNT_HEADER = ("account", "asset", "balance_units", "held_units", "at")
"""Units are msat, millionths of a currency, or Wh."""
ASSETS = ("BTC", "EUR", "WH")


def routes(guards: Sequence[Guard]) -> list[Any]:
    """Return the pages behind these guards: who may read the books is known to whoever assembles the house."""
    handlers = [show_journal, show_accounts]
    return [Router("/", guards=list(guards), route_handlers=handlers, include_in_schema=False)]


@get("/journal", include_in_schema=False)
async def show_journal(
    database: Database,
    clock: Clock,
    site: Site,
    paging: Paging,
    holders: Holders,
    q: Text = "",
    account: Text = "",
    asset: Text = "",
    since: Text = "",
    until: Text = "",
    as_file: AsFile = "",
) -> Template | Stream:
    """List what was booked, the newest first; `format=csv` gives all that match as a file."""
    begins, ends = day_begins(since, site), day_begins(until, site, days=1, field="until")
    filters = JournalFilter(account or None, asset or None, begins, ends, q or None)
    if as_file:
        return journal_csv(database, filters)
    key = paging.key(int)
    page = await database.read(journal, filters, int(key[0]) if key else None, paging.limit)
    touched = {entry.account for posting in page.items for entry in posting.entries}
    context = {
        "postings": page.items,
        "holders": await database.read(holders, touched),
        "next_cursor": None if page.next_cursor is None else encode_cursor((page.next_cursor,)),
        "filtered": bool(q or account or asset or since or until),
        "assets": sorted({*ASSETS, site.currency}),
        "balanced": await database.read(_balanced),
        "checked": clock.now(),
    }
    return Template("books/journal.html", context=context)


@get("/accounts", include_in_schema=False)
async def show_accounts(
    database: Database,
    clock: Clock,
    site: Site,
    paging: Paging,
    holders: Holders,
    prefix: Text = "",
    asset: Text = "",
    at: Text = "",
    sort: Order = "",
    as_file: AsFile = "",
) -> Template | Stream:
    """List accounts with their balances, and the trial balance, now or at a past instant; `format=csv` gives a file."""
    moment = local_moment(at, site, "at")
    if as_file:
        states = await database.read(lambda sql: list(all_accounts(sql, prefix or None, moment, asset=asset or None)))
        rows = (
            (one.name, one.balance.asset.code, one.balance, None if moment else one.held, moment or clock.now())
            for one in states
        )
        return csv_answer("accounts", ACCOUNT_HEADER, rows)
    order = sort or "account"
    after, most = paging.key(*ACCOUNTS.kinds(order)), paging.limit + 1
    states = await database.read(list_accounts, prefix or None, after, most, moment, sort=order, asset=asset or None)
    page = page_of(states, paging, lambda state: state, lambda state: ACCOUNTS.key(state, order))
    context = {
        "accounts": page.items,
        "holders": await database.read(holders, {state.name for state in page.items}),
        "next_cursor": page.next_cursor,
        "filtered": bool(prefix or asset),
        "assets": sorted({*ASSETS, site.currency}),
        "at": moment or clock.now(),
        "trial": await database.read(trial_balance, moment),
    }
    return Template("books/accounts.html", context=context)


def _balanced(sql: Connection) -> bool:
    """Whether debits and credits come to the same in every asset; `commonwatt books check` adds all up again."""
    sums: dict[str, int] = {}
    for line in trial_balance(sql):
        code = line.debit.asset.code
        sums[code] = sums.get(code, 0) + line.debit.units - line.credit.units
    return not any(sums.values())
