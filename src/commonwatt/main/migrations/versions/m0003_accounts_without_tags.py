"""Accounts of local users are named by the tag's record, not by the card, as `0003_accounts_without_tags.sql` says.

A posting's key answers for its content, account names too; so the digests of those that were renamed are made anew.
"""

from alembic import op

from commonwatt.kernel import digest_of
from commonwatt.main.migrations.statements import run_beside

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_POSTINGS = """SELECT number, memo, reference FROM books_write WHERE kind = 'post' AND number IN (
SELECT e.number FROM books_entry e JOIN books_account a ON a.id = e.account_id WHERE a.kind = 'member')"""
_LINES = """SELECT a.name, a.asset, e.units FROM books_entry e JOIN books_account a ON a.id = e.account_id
WHERE e.number = ? ORDER BY e.line"""


def upgrade() -> None:
    """Rename in place: balances, entries and keys stay."""
    run_beside(__file__)
    connection = op.get_bind()
    for number, memo, reference in connection.exec_driver_sql(_POSTINGS).all():
        lines = [list(line) for line in connection.exec_driver_sql(_LINES, (number,))]
        digest = digest_of(["post", lines, memo, reference])
        connection.exec_driver_sql("UPDATE books_write SET digest = ? WHERE number = ?", (digest, number))
