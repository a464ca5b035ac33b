"""What a restored database owes may have been paid since its backup: that change is withheld until the owner looked."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect

from commonwatt.charging import withhold_change
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
        return withhold_change(Work(connection, now, RandomIds()))
