"""Tokens and invitations know the member who answers for them, as `0002_root_of_tokens.sql` beside says."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and follow who made what back to a member."""
    for statement in Path(__file__).with_name("0002_root_of_tokens.sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
