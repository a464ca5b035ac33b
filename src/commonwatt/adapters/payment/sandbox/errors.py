"""What the sandbox wallet could not do; each slug has its page under docs/problems."""

from __future__ import annotations

from commonwatt.kernel import Failed, Refused, Unavailable, Unknown


class WalletRefused(Refused):
    """The sandbox wallet could not do what it was asked to; no money moved."""

    slug = "wallet-refused"
    title = "The sandbox wallet could not do this"


class WalletWaits(Unavailable):
    """The other side did not answer, or the money is still on its way."""

    slug = "wallet-waits"
    title = "The other side has not answered yet"


def fault_of(outcome: Failed | Unknown) -> WalletRefused | WalletWaits:
    """Return what a wallet's outcome means for whoever asked."""
    if isinstance(outcome, Failed):
        return WalletRefused(f"The wallet could not do this: {outcome.reason}. No money moved.", code=outcome.code)
    return WalletWaits(f"Not finished yet: {outcome.reason}. Look at the history in a moment.")
