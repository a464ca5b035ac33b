"""Lets go of old exchange rates; those that somebody has locked stay for ever, because they explain a bill."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, delete

from commonwatt.kit.database import Work
from commonwatt.tariffs.store import rates

KEPT_MS = 30 * 24 * 3600 * 1000


def forget_rates(work: Work, locked: Select[Any]) -> int:
    """Delete the rates older than 30 days but those whose ids `locked` selects; return how many went."""
    old = rates.c.made_ms < work.now.ms - KEPT_MS
    return work.sql.execute(delete(rates).where(old, rates.c.id.not_in(locked))).rowcount
