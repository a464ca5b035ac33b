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


class WalletSilent(Unavailable):
    """The other side did not answer before any money was on its way."""

    slug = "wallet-silent"
    title = "The other side does not answer"


def fault_of(outcome: Failed | Unknown, *, moves: bool) -> WalletRefused | WalletWaits | WalletSilent:
    """Return what a wallet's outcome means for whoever asked; `moves` is whether money may be on its way by now."""
    reason = outcome.reason.rstrip(".")
    if isinstance(outcome, Failed):
        return WalletRefused(f"The wallet could not do this: {reason}. No money moved.", code=outcome.code)
    if not moves:
        return WalletSilent(f"No answer: {reason}. No money moved. Check the code, or try again in a moment.")
    return WalletWaits(f"Not finished yet: {reason}. Look at the history in a moment.")
