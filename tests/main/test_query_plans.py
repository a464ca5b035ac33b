"""What pages and stations ask again and again is found by an index: its price is that of today, not of all the past."""

import pytest
from sqlalchemy import event

from commonwatt.charging import queries, store
from commonwatt.charging.actions.note_station import note_offline
from commonwatt.kernel import Instant, SeededIds
from commonwatt.kit.database import Work, open_engine
from commonwatt.main.migrations import migrate
from commonwatt.payments import sum_payments

SPAN = (Instant(1), Instant(2))
OPEN_ONLY = ("INDEX ix_payments_invoices_check", "INDEX ix_payments_payouts_open")
"""Partial indexes that hold only what has no end yet; to walk one is to walk what is under way now."""
ASKED = {
    "sessions of a span": lambda sql: queries.sum_sessions(sql, *SPAN),
    "costs of a span": lambda sql: queries.sum_gross(sql, *SPAN),
    "payments of a span": lambda sql: sum_payments(sql, *SPAN),
    "change that is withheld": store.sum_withheld,
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
    assert any(step.startswith("SEARCH") for step in steps)
    assert [step for step in steps if step.startswith("SCAN") and not step.endswith(OPEN_ONLY)] == []


@pytest.mark.parametrize("question", ["what occupies a station", "a station's line is gone"])
def test_a_stations_past_sessions_are_not_walked(plans, question):
    (step,) = plans(ASKED[question])
    assert "station=? AND status=?" in step


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
