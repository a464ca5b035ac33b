"""What a restored database owes may have been paid since its backup: that change is withheld until the owner looked.

Numbers of transactions that were given out since are not given out again.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect

from commonwatt.charging import skip_numbers, withhold_change
from commonwatt.kernel import Instant, RandomIds
from commonwatt.kit.database import Work, open_engine
from commonwatt.main.migrations import migrate


def withhold_in(path: Path, now: Instant) -> int:
    """Bring a database that nobody serves up to date and withhold its change; return of how many sessions."""
    engine = open_engine(path)
    try:
        return _withhold(engine, now)
    finally:
        engine.dispose()


def _withhold(engine: Engine, now: Instant) -> int:
    if inspect(engine).has_table("alembic_version"):
        migrate(engine)
    if not inspect(engine).has_table("session"):
        return 0
    with engine.begin() as connection:
        work = Work(connection, now, RandomIds())
        skip_numbers(work)
        return withhold_change(work)
