"""Tokens and invitations know the member who answers for them, as `0002_root_of_tokens.sql` beside says."""

from commonwatt.main.migrations.statements import run_beside

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and follow who made what back to a member."""
    run_beside(__file__)
