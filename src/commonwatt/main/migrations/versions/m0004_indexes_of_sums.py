"""Sums and a station's open sessions are found without walking the past, as `0004_indexes_of_sums.sql` beside says."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes, and order that of a station's places anew."""
    for statement in Path(__file__).with_name("0004_indexes_of_sums.sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
