"""What payments writes into the books; the only place where it names accounts.

`rail:<name>` is the money in a backend, `fees` what routing has cost. A payout's amount is held on the account that
it comes from as soon as it is asked for, so it cannot be promised twice.
"""

from __future__ import annotations

from commonwatt.books import Entry, capture, hold, post, release
from commonwatt.kernel import BTC, Amount
from commonwatt.kit.database import Work
from commonwatt.payments.reports import Invoice, Payout


def receive(work: Work, invoice: Invoice, amount_msat: int, known_msat: int) -> None:
    """Book money that arrived on an invoice; `known_msat` of it was booked before."""
    if amount_msat <= 0:
        return
    key = f"invoice:{invoice.payment_hash}" + (f":{known_msat}" if known_msat else "")
    amount = Amount(BTC, amount_msat)
    entries = [Entry.debit(f"rail:{invoice.rail}", amount), Entry.credit(invoice.account, amount)]
    post(work, key, entries, f"Lightning payment received over {invoice.rail}", invoice.subject)


def reserve(work: Work, payout_id: str, account: str, rail: str, *, amount_msat: int, subject: str) -> str:
    """Hold a payout's amount and return the hold's id. Raises books' Overdrawn when the account has less."""
    memo = f"Lightning payment sent over {rail}"
    return hold(work, f"payout:{payout_id}", account, f"rail:{rail}", Amount(BTC, amount_msat), memo, subject).id


def spend(work: Work, payout: Payout, fee_msat: int) -> None:
    """Book a payout that arrived, and what the way there cost."""
    capture(work, f"payout-done:{payout.id}", payout.hold_id)
    if fee_msat > 0:
        fee = Amount(BTC, fee_msat)
        entries = [Entry.debit("fees", fee), Entry.credit(f"rail:{payout.rail}", fee)]
        post(work, f"payout-fee:{payout.id}", entries, "Routing fee", payout.subject)


def give_back(work: Work, payout: Payout) -> None:
    """Make the amount of a payout that failed available to its account again."""
    release(work, f"payout-failed:{payout.id}", payout.hold_id)
