"""A station's sessions are found without its whole past, as `0006_found_by_place.sql` beside says."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index sessions by their station, and by the rate that they have locked."""
    for statement in Path(__file__).with_name("0006_found_by_place.sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
