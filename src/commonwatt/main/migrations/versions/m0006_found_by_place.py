"""A station's sessions are found without its whole past, as `0006_found_by_place.sql` beside says."""

from commonwatt.main.migrations.statements import run_beside

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index sessions by their station, and by the rate that they have locked."""
    run_beside(__file__)
