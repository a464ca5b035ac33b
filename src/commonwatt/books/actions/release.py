"""Give back what was held."""

from __future__ import annotations

from commonwatt.books.model.hold import Hold, released
from commonwatt.books.model.posting import Standing
from commonwatt.books.store import (
    claim_key,
    end_hold,
    fetch_hold,
    forgotten_when_refused,
    open_accounts,
    save_standings,
)
from commonwatt.kernel import digest_of
from commonwatt.kit.database import Work


def release(work: Work, key: str, hold_id: str) -> Hold:
    """Make all of a hold available to its source again; once per key.

    Raises HoldMissing, HoldEnded when it was captured or released under another key, KeyReused.
    """
    held = fetch_hold(work.sql, hold_id)
    claim = claim_key(work, key, "release", digest_of(["release", hold_id]), held.memo, held.reference, hold_id)
    if claim.repeated:
        return held
    with forgotten_when_refused(work.sql, claim):
        done = released(held)
    source = held.source, held.amount.asset.code
    opened = open_accounts(work.sql, [source])
    standing = opened[source].standing
    save_standings(work.sql, opened, {source: Standing(standing.units, standing.held - held.amount.units)})
    end_hold(work, done)
    return done
