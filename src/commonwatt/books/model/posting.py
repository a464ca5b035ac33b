"""Entries and postings: what is taken here is given there, asset by asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commonwatt.books.errors import AmountImpossible, Overdrawn, Unbalanced
from commonwatt.books.model.account import Side, kind_of
from commonwatt.kernel import Amount, Asset, Instant

UNITS_MAX = 1 << 62
"""Amounts and balances stay below this in either direction: twice the msat that will ever exist."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a posting: a positive amount is a debit, a negative one a credit."""

    account: str
    amount: Amount

    @classmethod
    def debit(cls, account: str, amount: Amount) -> Entry:
        """Debit an account: what we own or spend grows, what we owe or earn shrinks."""
        return cls(account, amount)

    @classmethod
    def credit(cls, account: str, amount: Amount) -> Entry:
        """Credit an account: what we owe or earn grows, what we own or spend shrinks."""
        return cls(account, -amount)


@dataclass(frozen=True, slots=True)
class Posting:
    """What was booked in one act, never changed afterwards. `number` counts up and names it for people."""

    number: int
    key: str
    at: Instant
    memo: str
    reference: str
    entries: tuple[Entry, ...]
    hold_id: str | None = None
    """The hold that was captured by it, when there was one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands: its debits less its credits, and how much of its balance is held for somebody."""

    units: int = 0
    held: int = 0


def checked_entries(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries that move something; those of zero are left out.

    Raises Unbalanced when an asset does not sum to zero or nothing is left, AccountUnknown for a name of no kind,
    AmountImpossible beyond what the books can hold.
    """
    sums: dict[str, int] = {}
    for entry in entries:
        kind_of(entry.account)
        units = entry.amount.units
        if not -UNITS_MAX < units < UNITS_MAX:
            msg = f"{units} {entry.amount.asset.code} is more than the books can hold."
            raise AmountImpossible(msg, account=entry.account)
        sums[entry.amount.asset.code] = sums.get(entry.amount.asset.code, 0) + units
    for code, rest in sums.items():
        if rest:
            msg = f"The debits exceed the credits by {rest} units of {code}; nothing was booked."
            raise Unbalanced(msg, asset=code, rest=rest)
    kept = tuple(entry for entry in entries if entry.amount.units)
    if not kept:
        raise Unbalanced("The posting moves nothing; nothing was booked.")
    return kept


def changes_of(entries: Sequence[Entry]) -> dict[tuple[str, str], int]:
    """Add the entries up by account and asset code."""
    changes: dict[tuple[str, str], int] = {}
    for entry in entries:
        pair = (entry.account, entry.amount.asset.code)
        changes[pair] = changes.get(pair, 0) + entry.amount.units
    return changes


def after(
    standings: Mapping[tuple[str, str], Standing], changes: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], Standing]:
    """Return where the changed accounts stand afterwards; an account without a standing begins at zero.

    Raises Overdrawn when an account that must not be overdrawn loses more than it has available.
    """
    result = {}
    for pair, change in changes.items():
        standing = standings.get(pair) or Standing()
        units = standing.units + change
        if not -UNITS_MAX < units < UNITS_MAX:
            msg = f"The balance of {pair[0]} would be more than the books can hold."
            raise AmountImpossible(msg, account=pair[0])
        kind = kind_of(pair[0])
        if not kind.overdraft and change * kind.side < 0 and units * kind.side < standing.held:
            free = standing.units * kind.side - standing.held
            msg = f"{pair[0]} has {free} units of {pair[1]} available, {-change * kind.side} were to be taken."
            raise Overdrawn(msg, account=pair[0], asset=pair[1], available=free)
        result[pair] = Standing(units, standing.held)
    return result


def told(account: str, asset: Asset, units: int) -> Amount:
    """Tell debits less credits in the account's own direction."""
    return Amount(asset, units if kind_of(account).side is Side.DEBIT else -units)
