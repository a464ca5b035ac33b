"""Change may be withheld after a backup was restored, as `0005_withheld_change.sql` beside says."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give sessions the instant since which their change is withheld."""
    for statement in Path(__file__).with_name("0005_withheld_change.sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
