"""`/api/v1/journal` and `/api/v1/accounts`: the books for programs. Nothing is written here."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, TypedDict, cast

from litestar import Request, Router, get
from litestar.params import Parameter, QueryParameter
from litestar.response import Stream
from litestar.types import Guard

from commonwatt.books.export import HEADER, rows_of
from commonwatt.books.model.posting import Posting
from commonwatt.books.queries import (
    AccountState,
    JournalFilter,
    TrialLine,
    balance_states,
    journal,
    journal_after,
    list_accounts,
    trial_balance,
)
from commonwatt.kernel import Amount, Asset, Instant
from commonwatt.kit.database import Database
from commonwatt.kit.web import BadRequest, Page, Paging, Tagged, also_as_csv, encode_cursor, page_of, refuses, tagged
from commonwatt.kit.web.comma_lists import cell
from commonwatt.kit.web.days import instant_of, span_of
from commonwatt.kit.web.parameters import From, To

_TEXT_MAX = 200
At = Annotated[str | None, QueryParameter(name="at", description="A past instant, RFC 3339; now when absent.")]
Name = Annotated[str, Parameter(description="the whole name of the account, such as rail:sandbox")]


class EntryShown(TypedDict):
    """One side of a posting: a positive amount is a debit, a negative one a credit."""

    account: str
    amount: Amount


class PostingShown(TypedDict):
    """A posting; its entries come to zero in each asset."""

    number: int
    at: Instant
    memo: str
    reference: str
    key: str
    hold_id: str | None
    entries: list[EntryShown]


class AccountShown(TypedDict):
    """An account in one asset, told in its own direction."""

    account: str
    balance: Amount
    held: Amount
    available: Amount


class HeldShown(TypedDict, total=False):
    """What is known of an account only now, not of a past instant."""

    account: str
    held: Amount
    available: Amount


class BalanceShown(HeldShown):
    """What an account holds in one asset."""

    balance: Amount


class BalancesShown(TypedDict):
    """What an account holds, in every asset that it was ever used in; `at` is null for now."""

    account: str
    at: Instant | None
    balances: list[BalanceShown]


class TrialShown(TypedDict):
    """The trial balance; `at` is null for now."""

    at: Instant | None
    items: list[TrialLine]


def routes(guards: Sequence[Guard]) -> list[Any]:
    """Return the routes behind these guards: who may read the books is known to whoever assembles the house."""
    handlers = [get_journal, get_accounts, get_balance, get_trial_balance]
    return [Router("/api/v1", guards=list(guards), route_handlers=handlers, tags=["books"])]


@get("/journal", summary="List postings", opt=also_as_csv())
async def get_journal(
    request: Request[Any, Any, Any],
    database: Database,
    paging: Paging,
    account: Annotated[str | None, Parameter(description="this account and all below it", max_length=_TEXT_MAX)] = None,
    asset: Annotated[str | None, Parameter(description="BTC, WH or an ISO 4217 code", max_length=3)] = None,
    since: From = None,
    until: To = None,
    search: Annotated[str | None, Parameter(description="anywhere in the posting", max_length=_TEXT_MAX)] = None,
    reference: Annotated[str | None, Parameter(description="exactly this", max_length=_TEXT_MAX)] = None,
    format: Annotated[str, Parameter(description="json, or csv for all that match", pattern="^(json|csv)$")] = "json",  # noqa: A002
) -> Tagged[Page[PostingShown]]:
    """Return postings, the newest first; `format=csv` streams all that match, the oldest first, a row per entry."""
    filters = JournalFilter(account, _asset(asset), *span_of(since, until), search or None, reference)
    if format == "csv":
        return cast("Tagged[Any]", journal_csv(database, filters))  # a file instead; the description tells of the pages
    (before,) = paging.key(int) or (None,)
    page = await database.read(journal, filters, before, paging.limit)
    cursor = None if page.next_cursor is None else encode_cursor((page.next_cursor,))
    return tagged(request, Page([shown(posting) for posting in page.items], cursor))


@get("/accounts", summary="List accounts")
async def get_accounts(
    request: Request[Any, Any, Any],
    database: Database,
    paging: Paging,
    account: Annotated[str | None, Parameter(description="this account and all below it", max_length=_TEXT_MAX)] = None,
) -> Tagged[Page[AccountShown]]:
    """Return accounts by name; each in every asset that it was used in, told in its own direction."""
    after: tuple[str, str] | tuple[()] = paging.key(str, str)
    states = await database.read(list_accounts, account, after or None, paging.limit + 1)
    return tagged(request, page_of(states, paging, _state, lambda state: (state.name, state.balance.asset.code)))


@get(
    "/accounts/{name:str}/balance",
    summary="Show an account's balance",
    opt=refuses(
        {
            404: "There is no such account, only accounts below its name: `rail` stands for all payment backends.",
            422: "The books keep no account of this kind.",
        }
    ),
)
async def get_balance(
    request: Request[Any, Any, Any], database: Database, name: Name, at: At = None
) -> Tagged[BalancesShown]:
    """Return what an account holds, now or at a past instant, in every asset that it was used in; none if in none."""
    moment = instant_of(at, "at")
    states = await database.read(balance_states, name, moment)
    balances = [_balance(state, past=moment is not None) for state in states]
    return tagged(request, BalancesShown(account=name, at=moment, balances=balances))


@get("/trial-balance", summary="Show the trial balance")
async def get_trial_balance(request: Request[Any, Any, Any], database: Database, at: At = None) -> Tagged[TrialShown]:
    """Return what each kind of account comes to, debit or credit, now or at a past instant."""
    moment = instant_of(at, "at")
    lines: list[TrialLine] = await database.read(trial_balance, moment)
    return tagged(request, TrialShown(at=moment, items=lines))


def shown(posting: Posting) -> PostingShown:
    """Return a posting as the API shows it: a positive amount is a debit, a negative one a credit."""
    return {
        "number": posting.number,
        "at": posting.at,
        "memo": posting.memo,
        "reference": posting.reference,
        "key": posting.key,
        "hold_id": posting.hold_id,
        "entries": [{"account": entry.account, "amount": entry.amount} for entry in posting.entries],
    }


def journal_csv(database: Database, filters: JournalFilter) -> Stream:
    """Answer with all postings that match as a file, the oldest first, a row per entry."""
    headers = {"Content-Disposition": 'attachment; filename="journal.csv"', "Cache-Control": "no-store"}
    return Stream(_csv(database, filters), media_type="text/csv; charset=utf-8", headers=headers)


async def _csv(database: Database, filters: JournalFilter) -> AsyncIterator[str]:
    """Write chunk by chunk, each read in a snapshot of its own: what is booked never changes."""
    rows: list[Sequence[Any]] = [HEADER]
    last = 0
    while rows:
        buffer = io.StringIO()
        csv.writer(buffer).writerows([cell(value) for value in row] for row in rows)
        yield buffer.getvalue()
        chunk = await database.read(journal_after, last, filters)
        rows = [row for posting in chunk for row in rows_of(posting)]
        last = chunk[-1].number if chunk else last


def _asset(code: str | None) -> str | None:
    if code is None:
        return None
    try:
        return Asset.of(code).code
    except ValueError as error:
        raise BadRequest(f"{error}.", field="asset") from None


def _balance(state: AccountState, *, past: bool) -> BalanceShown:
    return {"balance": state.balance} if past else cast("BalanceShown", _state(state))


def _state(state: AccountState) -> AccountShown:
    return {
        "account": state.name,
        "balance": state.balance,
        "held": state.held,
        "available": state.available,
    }
