"""What the books refuse, each with a page under `docs/problems`."""

from __future__ import annotations

from commonwatt.kernel import Broken, Missing, Refused


class KeyReused(Refused):
    """A write's key was used before for something else."""

    slug = "key-reused"
    title = "Idempotency key used before"


class Unbalanced(Refused):
    """What is credited does not equal what is debited in one of the assets, or nothing is moved at all."""

    slug = "unbalanced"
    title = "The entries do not balance"
    status = 422


class Overdrawn(Refused):
    """An account that must not be overdrawn holds less than was to be taken from it."""

    slug = "overdrawn"
    title = "The account does not hold that much"


class AccountUnknown(Refused):
    """An account's name belongs to none of the kinds that the books keep."""

    slug = "account-unknown"
    title = "No such kind of account"
    status = 422


class AccountAbove(Missing):
    """No account has this name, but the names of others begin with it: it is a kind, such as `rail`."""

    slug = "account-above"
    title = "This stands for several accounts"


class AmountImpossible(Refused):
    """An amount is not positive where it must be, or larger than the books can hold."""

    slug = "amount-impossible"
    title = "The amount cannot be booked"
    status = 422


class HoldEnded(Refused):
    """A hold was captured or released before."""

    slug = "hold-ended"
    title = "The hold has ended"


class HoldMissing(Missing):
    """There is no such hold."""

    slug = "hold-missing"
    title = "No such hold"


class BooksBroken(Broken):
    """What the accounts say is not what their entries add up to."""

    slug = "books-broken"
    title = "The books do not balance"
