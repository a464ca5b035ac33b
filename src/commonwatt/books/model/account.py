"""The kinds of account: which way each grows, and which must never be overdrawn.

A debit is a positive number, a credit a negative one; all entries of a posting sum to zero in each asset. What we own
or spend grows by debits, what we owe or earn grows by credits. A person never sees that sign: a balance is always told
in the account's own direction, so that 100 of credit left for a session reads as 100.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from commonwatt.books.errors import AccountUnknown


class Side(IntEnum):
    """The direction in which a kind of account grows, as a factor for its entries."""

    DEBIT = 1
    """What we own or spend: Lightning nodes, claims on members, fees."""
    CREDIT = -1
    """What we owe or earn: drivers' credit, change owed, revenue, VAT."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of account, named by the first part of its path."""

    prefix: str
    side: Side
    overdraft: bool
    """Whether the balance may go below zero, told in the account's own direction."""
    says: str


KINDS = {
    kind.prefix: kind
    for kind in (
        Kind("rail", Side.DEBIT, True, "money in a payment backend, since the books began"),
        Kind("bank", Side.DEBIT, True, "money in a bank account"),
        Kind("session", Side.CREDIT, False, "what a driver paid for a session and has not used yet"),
        Kind("owed", Side.CREDIT, False, "change and refunds that nobody has claimed yet"),
        Kind(
            "member", Side.DEBIT, True, "what a local user owes for charging on account, by the id of the tag's record"
        ),
        Kind("revenue", Side.CREDIT, True, "sales without VAT"),
        Kind("vat", Side.CREDIT, True, "VAT that was collected, of all rates together"),
        Kind("rounding", Side.CREDIT, True, "what divisions left over, in either direction"),
        Kind("fees", Side.DEBIT, True, "routing fees that payments out have cost"),
        Kind("loss", Side.DEBIT, True, "energy or money that was given and will not be paid"),
        Kind("exchange", Side.CREDIT, True, "the two sides of a change from one asset into another"),
        Kind("opening", Side.CREDIT, True, "what was there when the books began"),
        Kind("energy", Side.DEBIT, True, "energy that a station has delivered"),
        Kind("grid", Side.CREDIT, True, "energy that was drawn for it"),
    )
}
"""Every kind of account that there is. A new one is one line here."""

NAME_MAX = 160
_NAME = re.compile(r"([a-z][a-z-]*)(?::[^ ](?:.*[^ ])?)?")
"""What follows the colon is another feature's own name, such as a station's identity: no space at its ends."""


@lru_cache(maxsize=4096)
def kind_of(account: str) -> Kind:
    """Return the kind of an account's path, `session:0198c0de` or `revenue`.

    Raises AccountUnknown for a name that is malformed or of no known kind: a slip in a name must not open an account.
    """
    match = _NAME.fullmatch(account) if len(account) <= NAME_MAX and account.isprintable() else None
    kind = KINDS.get(match[1]) if match else None
    if kind is None:
        msg = (
            f"{account[:NAME_MAX]!r} names no account. Names are paths like 'revenue' or 'session:<id>', "
            f"and begin with one of: {', '.join(KINDS)}."
        )
        raise AccountUnknown(msg, account=account[:NAME_MAX])
    return kind
