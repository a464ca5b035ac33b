"""The first tables, as `0001_first_tables.sql` beside says."""

from commonwatt.main.migrations.statements import run_beside

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table and index."""
    run_beside(__file__)
