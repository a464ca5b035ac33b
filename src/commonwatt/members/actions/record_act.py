"""Writes down every administrative act: who, what, when, from where."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import insert

from commonwatt.kit.database import Work
from commonwatt.kit.web import plain
from commonwatt.members.model.actor import SYSTEM, Actor
from commonwatt.members.store import audit


def record_act(work: Work, actor: Actor | None, act: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Add an act to the audit log, in the transaction of the act itself, so that neither is ever without the other.

    `act` is verb and noun ("admit station"), `subject` what it is about ("station/CP-1"), `detail` JSON values of ours.
    Never put a secret into the detail. Acts are never changed or removed. Who listens hears that something was done and
    reads the log as it may see it.
    """
    who = actor or SYSTEM
    work.sql.execute(
        insert(audit).values(
            at_ms=work.now.ms,
            actor=who.id,
            actor_name=who.name[:80],
            address=who.address[:60],
            act=act[:60],
            subject=subject[:120],
            detail=json.dumps(plain(detail or {}), sort_keys=True, ensure_ascii=False),
        )
    )
    work.tell("audit", "act", act=act, actor=who.name)
