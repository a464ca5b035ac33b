"""Sums and a station's open sessions are found without walking the past, as `0004_indexes_of_sums.sql` beside says."""

from commonwatt.main.migrations.statements import run_beside

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes, and order that of a station's places anew."""
    run_beside(__file__)
