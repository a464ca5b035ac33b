"""The database: one writer that groups what waits into one commit, readers on their own connections, the outbox.

Reading order: `schema` (the tables' common roof), `work` (what an action gets), `engine` (how SQLite is opened),
`writer` (how a write happens), `outbox` (events and effects, stored with the state that caused them),
`jobs` (what runs them), `ordering` and `searching` (lists in pages).
"""

from commonwatt.kit.database.engine import open_engine
from commonwatt.kit.database.jobs import Every, Handler, Jobs, Lane, Reaction
from commonwatt.kit.database.ordering import Ordering, SortColumn, by_text
from commonwatt.kit.database.outbox import Effect, Event, Job, count_dead, is_awaited, outbox
from commonwatt.kit.database.schema import create_tables, metadata
from commonwatt.kit.database.searching import mentions
from commonwatt.kit.database.work import Note, Work
from commonwatt.kit.database.writer import Database

__all__ = [
    "Database",
    "Effect",
    "Event",
    "Every",
    "Handler",
    "Job",
    "Jobs",
    "Lane",
    "Note",
    "Ordering",
    "Reaction",
    "SortColumn",
    "Work",
    "by_text",
    "count_dead",
    "create_tables",
    "is_awaited",
    "mentions",
    "metadata",
    "open_engine",
    "outbox",
]
