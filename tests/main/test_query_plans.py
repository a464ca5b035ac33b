"""What pages and stations ask again and again is found by an index: its price is that of today, not of all the past."""

import pytest
from sqlalchemy import event, select

from commonwatt.books.queries import JournalFilter, journal
from commonwatt.charging import queries, store
from commonwatt.charging.actions.note_station import note_offline
from commonwatt.charging.queries import SessionFilter, list_sessions
from commonwatt.charging.station_view import sums_of
from commonwatt.kernel import Instant, SeededIds
from commonwatt.kit.database import Work, open_engine
from commonwatt.main.migrations import migrate
from commonwatt.payments import sum_payments
from commonwatt.tariffs import forget_rates

SPAN = (Instant(1), Instant(2))
OPEN_ONLY = ("INDEX ix_payments_invoices_check", "INDEX ix_payments_payouts_open", "INDEX ix_session_owed")
"""Partial indexes that hold only what has no end yet; to walk one is to walk what is under way now."""
ASKED = {
    "sessions of a span": lambda sql: queries.sum_sessions(sql, *SPAN),
    "costs of a span": lambda sql: queries.sum_gross(sql, *SPAN),
    "payments of a span": lambda sql: sum_payments(sql, *SPAN),
    "change that is owed": lambda sql: list_sessions(sql, SessionFilter(owed=True), limit=50),
    "change that is withheld": store.sum_withheld,
    "sessions with withheld change": store.withholding_charges,
    "sums of a station": lambda sql: sums_of(sql, "CP-1", SPAN[0], "EUR"),
    "sessions of a station": lambda sql: list_sessions(sql, SessionFilter(station="CP-1"), limit=5),
    "what occupies a station": lambda sql: store.active_charges(sql, "CP-1"),
    "what occupies a connector": lambda sql: store.active_charges(sql, "CP-1", 1),
    "a station's line is gone": lambda sql: note_offline(Work(sql, SPAN[0], SeededIds(1)), "CP-1"),
}


@pytest.fixture
def plans(tmp_path):
    """Run a question on a migrated database, and return SQLite's plan of each statement that it made."""
    engine = open_engine(tmp_path / "db.sqlite")
    migrate(engine)
    asked = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))

        def explain(question):
            asked.clear()
            question(connection)
            cursor = connection.connection.cursor()
            return [
                step[3]
                for statement, values in asked
                for step in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            ]

        yield explain
    engine.dispose()


@pytest.mark.parametrize("question", ASKED.values(), ids=ASKED.keys())
def test_no_question_walks_all_sessions_or_payments(plans, question):
    steps = plans(question)
    assert [step for step in steps if step.startswith(("SEARCH", "SCAN"))]
    assert [step for step in steps if step.startswith("SCAN") and not step.endswith(OPEN_ONLY)] == []


@pytest.mark.parametrize("question", ["what occupies a station", "a station's line is gone"])
def test_a_stations_past_sessions_are_not_walked(plans, question):
    (step,) = plans(ASKED[question])
    assert "station=? AND status=?" in step


@pytest.mark.parametrize("question", ["change that is owed", "sessions of a station"])
def test_the_newest_sessions_are_found_without_sorting_all(plans, question):
    assert not [step for step in plans(ASKED[question]) if "TEMP B-TREE" in step]


def test_the_journal_of_an_asset_reads_no_more_than_a_page(plans):
    steps = plans(lambda sql: journal(sql, JournalFilter(asset="BTC")))
    assert steps[:2] == ["SCAN books_write", "CORRELATED SCALAR SUBQUERY 1"]
    assert not [step for step in steps if step.startswith("SCAN books_entry") or "TEMP B-TREE FOR ORDER" in step]


def test_rates_that_a_session_has_locked_are_told_by_an_index_alone(plans):
    locked = select(store.sessions.c.rate_id).where(store.sessions.c.rate_id.is_not(None))
    steps = plans(lambda sql: forget_rates(Work(sql, SPAN[0], SeededIds(1)), locked))
    assert [step for step in steps if "session" in step] == [
        "SEARCH session USING COVERING INDEX ix_session_rate (rate_id>?)"
    ]


def test_sums_of_payments_are_read_from_the_index_alone(plans):
    """The page of payments adds up all that ever was unless told a span."""
    steps = plans(ASKED["payments of a span"])
    assert sum("COVERING INDEX" in step for step in steps) == 2


def test_a_reading_is_written_without_touching_an_index():
    values = store._UPDATE_METERED.partition(" WHERE ")[0]
    written = {word for word in values.replace(",", " ").split() if word in store.sessions.c}
    indexed = {column.name for index in store.sessions.indexes for column in index.columns}
    assert {"heard_ms", "energy_wh", "gross_units"} <= written
    assert not indexed & written
