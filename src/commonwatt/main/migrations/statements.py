"""The statements of a migration: the SQL file beside it, which a person can read and run by hand."""

from __future__ import annotations

from pathlib import Path

from alembic import op


def run_beside(migration: str) -> None:
    """Run the SQL beside a migration (its `__file__`, `m0001_first_tables.py`): `0001_first_tables.sql`."""
    path = Path(migration)
    for statement in path.with_name(path.stem.removeprefix("m") + ".sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
