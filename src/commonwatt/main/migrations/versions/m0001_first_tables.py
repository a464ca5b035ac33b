"""The first tables, as `0001_first_tables.sql` beside says."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table and index."""
    for statement in Path(__file__).with_name("0001_first_tables.sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
