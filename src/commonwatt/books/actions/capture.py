"""Take what was held, all or a part."""

from __future__ import annotations

from commonwatt.books.model.hold import captured, transfer
from commonwatt.books.model.posting import Posting, Standing, after, changes_of
from commonwatt.books.store import (
    claim_key,
    end_hold,
    enter,
    fetch_hold,
    fetch_posting,
    forgotten_when_refused,
    open_accounts,
    save_standings,
)
from commonwatt.kernel import Amount, digest_of
from commonwatt.kit.database import Work


def capture(work: Work, key: str, hold_id: str, amount: Amount | None = None) -> Posting:
    """Book `amount` of a hold (all of it, when None) from its source to its target, and release the rest; once per key.

    The posting bears the hold's memo and reference.

    Raises HoldMissing, HoldEnded when it was captured or released under another key, AmountImpossible for nothing or
    more than was held, KeyReused; nothing is booked then.
    """
    held = fetch_hold(work.sql, hold_id)
    taken = held.amount if amount is None else amount
    digest = digest_of(["capture", hold_id, taken.asset.code, taken.units])
    claim = claim_key(work, key, "capture", digest, held.memo, held.reference, hold_id)
    if claim.repeated:
        return fetch_posting(work.sql, claim.number)
    with forgotten_when_refused(work.sql, claim):
        done = captured(held, taken)
    entries = transfer(held.source, held.target, taken)
    changes = changes_of(entries)
    opened = open_accounts(work.sql, changes)
    standings = {pair: row.standing for pair, row in opened.items()}
    source = held.source, held.amount.asset.code
    standings[source] = Standing(standings[source].units, standings[source].held - held.amount.units)
    with forgotten_when_refused(work.sql, claim):
        standings = after(standings, changes)
    save_standings(work.sql, opened, standings)
    enter(work, claim.number, entries, opened)
    end_hold(work, done)
    return Posting(claim.number, key, work.now, held.memo, held.reference, entries, hold_id)
