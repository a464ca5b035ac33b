"""Leave a gap in the numbers of transactions, so that none of a lost timeline is given out a second time."""

from __future__ import annotations

from commonwatt.charging.numbers import count_on_after, last_number
from commonwatt.kernel import Instant
from commonwatt.kit.database import Work

FIRST = Instant.parse("2020-01-01T00:00:00Z")
"""From here one number is left for each second, more than any site begins transactions; they last until 2088."""
GAP = 1_000_000
"""So many are left out where our clock stands before what was given out already."""
NUMBER_MAX = 2**31 - 1
"""Many stations keep a transaction's number in 32 bits."""


def skip_numbers(work: Work) -> int:
    """Let the next transaction have a number that no station can hold yet; return it.

    What began after a backup is forgotten by its restore, and goes on at its station under the number it was given.
    By the time of the restore, not by the backup alone: the same one may be restored again.
    """
    last, at = last_number(work.sql), work.now.seconds - FIRST.seconds
    if not last < at < NUMBER_MAX:
        at = last + min(GAP, max(0, NUMBER_MAX - last) // 2)
    count_on_after(work.sql, at)
    return at + 1
