"""Keep a part of an account's balance for somebody."""

from __future__ import annotations

from commonwatt.books.model.account import kind_of
from commonwatt.books.model.hold import Hold, reserve
from commonwatt.books.store import (
    claim_key,
    fetch_hold_by_number,
    forgotten_when_refused,
    open_accounts,
    save_standings,
    store_hold,
)
from commonwatt.kernel import Amount, digest_of
from commonwatt.kit.database import Work


def hold(work: Work, key: str, source: str, target: str, amount: Amount, memo: str, reference: str = "") -> Hold:
    """Reserve an amount of the source's balance for the target, once per key; nothing is booked yet.

    What is held is not available to other postings and holds until it is captured or released. The same key and
    content again answers with the hold as it stands by now.

    Raises KeyReused, Overdrawn, AccountUnknown or AmountImpossible; nothing is held then.
    """
    kind_of(target)
    kind_of(source)
    code = amount.asset.code
    digest = digest_of(["hold", source, target, code, amount.units, memo, reference])
    claim = claim_key(work, key, "hold", digest, memo, reference, None)
    if claim.repeated:
        return fetch_hold_by_number(work.sql, claim.number)
    opened = open_accounts(work.sql, [(source, code)])
    row = opened[source, code]
    made = Hold(work.new_id(), key, source, target, amount, memo, reference, work.now)
    with forgotten_when_refused(work.sql, claim):
        standing = reserve(source, amount, row.standing)
    save_standings(work.sql, opened, {(source, code): standing})
    store_hold(work.sql, made, claim.number, row.id)
    return made
