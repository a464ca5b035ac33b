"""After a backup was restored no change leaves by itself: what it calls owed may have been paid since it was made.

The sessions that are meant are those whose change may still grow or be claimed: they are not over, or owe change, or
have a payment in either direction whose end the backup does not know.
"""

from __future__ import annotations

import json

from sqlalchemy import func, select

from commonwatt.charging import store
from commonwatt.charging.charge import SAT_MSAT, Kind
from commonwatt.charging.model.session import Status
from commonwatt.kit.database import Work
from commonwatt.members import TERMINAL, record_act
from commonwatt.payments import PaymentFilter, Stage, list_invoices

_ALL = 1_000_000_000
_MAY_COME = (Stage.DRAFTED, Stage.OPEN, Stage.ACCEPTED)


def withhold_change(work: Work) -> int:
    """Withhold the change of every session that may have been paid it since; return of how many."""
    columns = store.sessions.c
    over = columns.status.in_([Status.ENDED.value, Status.CANCELLED.value])
    open_or_owing = ~over | (columns.held_msat > 0) | (columns.owed_msat >= SAT_MSAT)
    claimed = select(store.claims.c.session_id).where(store.claims.c.state == "paying")
    awaited = {
        invoice.subject.removeprefix("session/")
        for stage in _MAY_COME
        for invoice in list_invoices(work.sql, PaymentFilter(state=stage.value), _ALL)
    }
    paid_late = select(func.json_each(json.dumps(sorted(awaited))).table_valued("value").c.value)
    statement = select(columns.id).where(
        columns.kind == Kind.PREPAID.value, open_or_owing | columns.id.in_(claimed) | columns.id.in_(paid_late)
    )
    found = list(work.sql.execute(statement).scalars())
    store.save_withheld(work, found, work.now)
    if found:
        record_act(work, TERMINAL, "withhold change", "sessions", {"sessions": len(found)})
    return len(found)
