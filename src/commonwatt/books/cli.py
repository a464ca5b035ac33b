"""`commonwatt books`: balances, the journal, and the books' own audit."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import click
from click.core import ParameterSource
from sqlalchemy import Connection

from commonwatt.books.checking import check_books
from commonwatt.books.errors import AccountAbove, AccountUnknown
from commonwatt.books.export import HEADER, rows_of
from commonwatt.books.model.posting import Posting
from commonwatt.books.queries import (
    AccountState,
    JournalFilter,
    JournalPage,
    TrialLine,
    all_accounts,
    balance_states,
    export_journal,
    journal,
    trial_balance,
)
from commonwatt.kernel import Amount, Asset, Instant, amount_text
from commonwatt.kit.cli import MOMENT, Program, counted, instant_text, short, table, with_program, wrapped

_NO_ACCOUNTS = frozenset({"owed", "change", "refunds"})
"""What people look for, though the books keep it elsewhere."""


@click.group()
def books() -> None:
    """Balances, the journal, and whether all adds up."""


@books.command("balance")
@click.argument("account", required=False)
@click.option("--at", type=MOMENT, help="At a past instant.")
@with_program()
def show_balance(program: Program, account: str | None, at: Instant | None) -> None:
    """Show what ACCOUNT holds, or what every kind of account comes to."""
    if account is None:
        lines = program.read(trial_balance, at)
        rows = [
            (line.account, _amount(line.debit), _amount(line.credit)) for line in lines if line.debit or line.credit
        ]
        rows += _totals(lines)
        empty = "Nothing is booked yet. `commonwatt demo` shows how a first session is."
        program.answer(lines, lambda: table(("account", "debit", "credit"), rows, "lrr") if rows else empty)
        return
    if account in _NO_ACCOUNTS:
        raise AccountUnknown(
            f"There is no account {account!r}: change that nobody has taken stays in the account of its session, "
            "such as session:ID. `commonwatt session list --owed` names them.",
            account=account,
        )
    try:
        states = program.read(balance_states, account, at)
    except AccountAbove:
        below = program.read(_below, account, at)
        program.answer(below, wrapped(_below_text(account, below)))
        return
    now = [
        (state.name, amount_text(state.balance), amount_text(state.held), amount_text(state.available))
        for state in states
    ]
    then = [(state.name, amount_text(state.balance)) for state in states]
    heads = ("account", "balance", "held", "available")
    text = table(heads, now, "lrrr") if at is None else table(heads[:2], then, "lr")
    shown = [_state(state, past=at is not None) for state in states]
    program.answer(shown, text if states else f"{account} was never used.")


@books.command("journal")
@click.option("--search", "text", help="In memo, reference, key or an account's name.")
@click.option("--account", help="This account and all below it, such as `session`.")
@click.option("--asset", help="BTC, WH or a currency.")
@click.option("--reference", help="Exactly this reference.")
@click.option("--from", "since", type=MOMENT, help="From this instant.")
@click.option("--to", "until", type=MOMENT, help="Up to, not including, this instant.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="Postings at most.")
@click.option("--cursor", type=int, help="Where the page before ended.")
@click.option("--csv", "as_csv", is_flag=True, help="All that match as CSV, the oldest first.")
@with_program()
def show_journal(
    program: Program,
    text: str | None,
    account: str | None,
    asset: str | None,
    reference: str | None,
    since: Instant | None,
    until: Instant | None,
    limit: int,
    cursor: int | None,
    as_csv: bool,  # noqa: FBT001
) -> None:
    """Show postings, the newest first."""
    filters = JournalFilter(account, asset, since, until, text, reference)
    if as_csv:
        ctx = click.get_current_context()
        typed = ctx.get_parameter_source("limit") is ParameterSource.COMMANDLINE
        if typed or cursor is not None or program.as_json:
            raise click.UsageError("--csv prints all that match; leave --limit, --cursor and --json out.")
        program.read(_print_csv, filters)
        return
    page = program.read(journal, filters, cursor, limit)
    program.answer(page, lambda: _journal_text(page))


@books.command("check")
@with_program()
def check(program: Program) -> None:
    """Add everything up again and compare."""
    found = program.read(check_books)
    entries = counted(found.entries, "entry", "entries")
    said = f"All adds up: {counted(found.accounts, 'account')}, {counted(found.postings, 'posting')}, {entries}."
    program.answer(found, said)


def _print_csv(connection: Connection, filters: JournalFilter) -> None:
    from commonwatt.kit.web.comma_lists import csv_lines  # noqa: PLC0415 (the web is heavy, and only a file needs it)

    rows = (row for posting in export_journal(connection, filters) for row in rows_of(posting))
    for lines in csv_lines(HEADER, rows):
        sys.stdout.write(lines)


def _journal_text(page: JournalPage) -> str:
    """Write each posting's number, time and memo on a line, and its entries below."""
    if not page.items:
        return "No posting matches."
    rows = [row for posting in page.items for row in _lines(posting)]
    lines = iter(table(("no", "when", "account", "debit", "credit"), rows, "rllrr").split("\n"))
    text = [next(lines)]
    for posting in page.items:
        head = next(lines)
        text.append(wrapped(f"{head}  {_shortened(posting.memo)}".rstrip(), indent=" " * (len(head) + 2)))
        text += [next(lines) for _ in posting.entries]
    more = f"\n\nOlder ones: repeat with --cursor {page.next_cursor}" if page.next_cursor else ""
    return "\n".join(text) + more


def _lines(posting: Posting) -> Iterator[tuple[str, ...]]:
    yield (str(posting.number), instant_text(posting.at), "", "", "")
    for entry in posting.entries:
        units = entry.amount.units
        debit, credit = (amount_text(entry.amount), "") if units > 0 else ("", amount_text(-entry.amount))
        yield ("", "", _shortened(entry.account), debit, credit)


_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def _shortened(text: str) -> str:
    """Return a text with the end of each id in it, which is enough to name the thing in a command."""
    return _UUID.sub(lambda found: f"\N{HORIZONTAL ELLIPSIS}{short(found[0])}", text)


def _totals(lines: list[TrialLine]) -> list[tuple[str, str, str]]:
    """Return one row per asset with what its debits and its credits come to."""
    sums: dict[Asset, tuple[int, int]] = {}
    for line in lines:
        debit, credit = sums.get(line.debit.asset, (0, 0))
        sums[line.debit.asset] = (debit + line.debit.units, credit + line.credit.units)
    return [
        ("total", amount_text(Amount(asset, debit)), amount_text(Amount(asset, credit)))
        for asset, (debit, credit) in sums.items()
        if debit or credit
    ]


def _amount(amount: Amount) -> str:
    return amount_text(amount) if amount else ""


@dataclass(frozen=True, slots=True)
class _Below:
    """What the accounts below a name come to in one asset, told in their own direction."""

    account: str
    balance: Amount
    accounts: int


def _below(connection: Connection, account: str, at: Instant | None) -> list[_Below]:
    found: dict[Asset, tuple[int, int]] = {}
    for state in all_accounts(connection, account, at):
        units, count = found.get(state.balance.asset, (0, 0))
        found[state.balance.asset] = (units + state.balance.units, count + 1)
    return [_Below(account, Amount(asset, units), count) for asset, (units, count) in found.items()]


def _below_text(account: str, below: list[_Below]) -> str:
    sums = " and ".join(f"{amount_text(one.balance)} in {counted(one.accounts, 'account')}" for one in below)
    sums = sums or "nothing"
    return (
        f"{account} is a kind of account, not one: it has {sums}. `commonwatt books journal --account {account}` shows "
        f"what was booked there; name one as {account}:NAME."
    )


def _state(state: AccountState, *, past: bool) -> dict[str, object]:
    now = {} if past else {"held": state.held, "available": state.available}
    return {"account": state.name, "balance": state.balance, **now}
