"""Holds: a part of an account's balance is kept for somebody, then captured, whole or in part, or released.

held ──capture──> captured
 └────release───> released
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from commonwatt.books.errors import AmountImpossible, HoldEnded, Overdrawn
from commonwatt.books.model.account import kind_of
from commonwatt.books.model.posting import UNITS_MAX, Entry, Standing
from commonwatt.kernel import Amount, Instant


class HoldState(StrEnum):
    """How far a hold has come."""

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Hold:
    """`amount` of the source's balance is kept for the target; `captured` is what the target got in the end."""

    id: str
    key: str
    source: str
    target: str
    amount: Amount
    memo: str
    reference: str
    made: Instant
    state: HoldState = HoldState.HELD
    captured: Amount | None = None


def reserve(source: str, amount: Amount, standing: Standing) -> Standing:
    """Return where the source stands with the amount held.

    Raises AmountImpossible unless it is positive, Overdrawn when less is available on an account that must not be
    overdrawn.
    """
    if not 0 < amount.units < UNITS_MAX - standing.held:
        msg = f"A hold of {amount.units} units of {amount.asset.code} is not possible; it must be positive."
        raise AmountImpossible(msg, account=source)
    kind = kind_of(source)
    free = standing.units * kind.side - standing.held
    if not kind.overdraft and free < amount.units:
        msg = f"{source} has {free} units of {amount.asset.code} available, {amount.units} were to be held."
        raise Overdrawn(msg, account=source, asset=amount.asset.code, available=free)
    return Standing(standing.units, standing.held + amount.units)


def captured(hold: Hold, amount: Amount | None) -> Hold:
    """Return the hold after `amount` of it (all, when None) went to the target; the rest is free again.

    Raises HoldEnded when it is not held any more, AmountImpossible for nothing or more than was held.
    """
    _require_held(hold)
    taken = hold.amount if amount is None else amount
    if taken.asset.code != hold.amount.asset.code or not 0 < taken.units <= hold.amount.units:
        msg = (
            f"{taken.units} units of {taken.asset.code} cannot be captured from a hold of "
            f"{hold.amount.units} of {hold.amount.asset.code}; release it to take nothing."
        )
        raise AmountImpossible(msg, hold=hold.id)
    return replace(hold, state=HoldState.CAPTURED, captured=taken)


def released(hold: Hold) -> Hold:
    """Return the hold after all of it is free again. Raises HoldEnded when it is not held any more."""
    _require_held(hold)
    return replace(hold, state=HoldState.RELEASED)


def transfer(source: str, target: str, amount: Amount) -> tuple[Entry, Entry]:
    """Take an amount from the source, in the direction that empties it, and book the opposite at the target."""
    taken = Entry(source, Amount(amount.asset, -amount.units * kind_of(source).side))
    return taken, Entry(target, -taken.amount)


def _require_held(hold: Hold) -> None:
    if hold.state is not HoldState.HELD:
        msg = f"The hold was {hold.state} before; it can be neither captured nor released again."
        raise HoldEnded(msg, hold=hold.id, state=str(hold.state))
