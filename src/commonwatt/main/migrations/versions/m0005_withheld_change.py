"""Change may be withheld after a backup was restored, as `0005_withheld_change.sql` beside says."""

from commonwatt.main.migrations.statements import run_beside

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give sessions the instant since which their change is withheld."""
    run_beside(__file__)
