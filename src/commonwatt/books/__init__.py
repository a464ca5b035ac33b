"""Books: double-entry accounts over assets. Post, hold, capture, release; balances at any instant; one audit of all.

Reading order: `model/account` (which way each account grows), `model/posting`, `model/hold`, `store` (the tables),
`actions/`, `queries`, `checking`.
"""

from commonwatt.books.actions.capture import capture
from commonwatt.books.actions.hold import hold
from commonwatt.books.actions.post import post
from commonwatt.books.actions.release import release
from commonwatt.books.checking import BooksChecked, check_books
from commonwatt.books.model.account import KINDS, Kind, Side, kind_of
from commonwatt.books.model.hold import Hold, HoldState
from commonwatt.books.model.posting import Entry, Posting
from commonwatt.books.queries import (
    AccountState,
    JournalFilter,
    JournalPage,
    TrialLine,
    available,
    balance,
    balance_states,
    export_journal,
    journal,
    journal_after,
    list_accounts,
    trial_balance,
)

__all__ = [
    "KINDS",
    "AccountState",
    "BooksChecked",
    "Entry",
    "Hold",
    "HoldState",
    "JournalFilter",
    "JournalPage",
    "Kind",
    "Posting",
    "Side",
    "TrialLine",
    "available",
    "balance",
    "balance_states",
    "capture",
    "check_books",
    "export_journal",
    "hold",
    "journal",
    "journal_after",
    "kind_of",
    "list_accounts",
    "post",
    "release",
    "trial_balance",
]
