"""Book a posting."""

from __future__ import annotations

from collections.abc import Sequence

from commonwatt.books.model.posting import Entry, Posting, after, changes_of, checked_entries
from commonwatt.books.store import (
    claim_key,
    enter,
    fetch_posting,
    forgotten_when_refused,
    open_accounts,
    save_standings,
)
from commonwatt.kernel import digest_of
from commonwatt.kit.database import Work


def post(work: Work, key: str, entries: Sequence[Entry], memo: str, reference: str = "") -> Posting:
    """Book entries that sum to zero in every asset, once per key.

    `key` is the caller's own name for this write; the same key and content again answers with the posting of the first
    time, whatever the accounts hold by now. `memo` says for people what happened; `reference` names what it is about,
    such as a session's id. Accounts open when they are first used. Entries of zero are left out.

    Raises KeyReused, Unbalanced, Overdrawn, AccountUnknown or AmountImpossible; nothing is booked then.
    """
    kept = checked_entries(entries)
    said = ["post", [[entry.account, entry.amount.asset.code, entry.amount.units] for entry in kept], memo, reference]
    claim = claim_key(work, key, "post", digest_of(said), memo, reference, None)
    if claim.repeated:
        return fetch_posting(work.sql, claim.number)
    changes = changes_of(kept)
    opened = open_accounts(work.sql, changes)
    with forgotten_when_refused(work.sql, claim):
        standings = after({pair: row.standing for pair, row in opened.items()}, changes)
    save_standings(work.sql, opened, standings)
    enter(work, claim.number, kept, opened)
    return Posting(claim.number, key, work.now, memo, reference, kept)
