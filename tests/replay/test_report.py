"""The account of a replay: right to the msat, or every difference named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.replay.test_plan import past

from commonwatt.main.replay.cli import report_text
from commonwatt.main.replay.past import BadRow
from commonwatt.main.replay.plan import make_plan
from commonwatt.main.replay.report import Replayed, make_report

PLAN = make_plan([past(2, "A", 0, 60), past(3, "A", 100, 60), past(4, "B", 0, 60, energy_wh=0)])
ONE = Replayed("s2", "A", "ended", 1_000, 5_000, 1_000, 4_000, 3_330, 667, 3)
TWO = Replayed("s3", "A", "ended", 1_000, 6_000, 2_000, 4_000, 3_330, 667, 3)
NONE = Replayed("s4", "B", "cancelled", 0, 0, 0, 0, 0, 0, 0)
LINES = {2: "s2", 3: "s3", 4: "s4"}
BOOKS = {"revenue": 6_660, "vat": 1_334, "rounding": 6, "energy": 2_000}


def account(*sessions, books=BOOKS, spent=8_000, lines=LINES, anomalies=()):
    bad = (BadRow(9, "repeats line 2"),)
    return make_report(PLAN.charges, lines, {one.session: one for one in sessions}, books, spent, bad, anomalies)


def test_a_right_one():
    report = account(ONE, TWO, NONE)
    assert report.balanced
    assert report.faults == ()
    assert report.unpaid == 1
    total = report.total
    assert (total.charges, total.energy_wh, total.paid_msat) == (3, 2_000, 11_000)
    assert total.paid_msat == total.cost_msat + total.change_msat + total.rounding_msat
    assert [(one.name, one.charges, one.balanced) for one in report.stations] == [("A", 2, True), ("B", 1, True)]
    text = report_text(report)
    assert "the sums below have every msat" in text
    assert "Balanced to the last msat" in text
    assert "line 9: repeats line 2" in text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"paid_msat": 5_001}, "line 2: 5001 msat came in"),
        ({"change_msat": 999}, "line 2: 5000 msat came in"),
        ({"billed_msat": 4_001}, "4001 msat were billed"),
        ({"energy_wh": 999}, "1000 Wh were recorded, 999 Wh were billed"),
        ({"status": "charging"}, "its session is charging"),
        ({"station": "B"}, "was replayed at B"),
        ({"left_msat": 1}, "1 msat are still locked or owed"),
    ],
)
def test_one_msat_or_wh_too_few_is_a_fault(changes, fault):
    report = account(replace(ONE, **changes), TWO, NONE)
    assert not report.balanced
    assert any(fault in one for one in report.faults)
    assert "NOT BALANCED" in report_text(report)


@pytest.mark.parametrize("account_name", ["revenue", "vat", "rounding", "energy"])
def test_the_books_must_say_the_same(account_name):
    report = account(ONE, TWO, NONE, books={**BOOKS, account_name: BOOKS[account_name] + 1})
    assert len(report.faults) == 1
    assert "on the books" in report.faults[0]


def test_the_drivers_purse_must_say_the_same():
    assert "purse" in account(ONE, TWO, NONE, spent=7_999).faults[0]


def test_missing_and_additional_sessions_are_faults():
    assert "line 4: no session was made for it" in account(ONE, TWO).faults
    extra = account(ONE, TWO, NONE, replace(ONE, session="s9"))
    assert "session s9 belongs to no line" in extra.faults


def test_a_session_that_a_crash_undid_is_counted_and_no_fault():
    report = account(ONE, TWO, NONE, replace(NONE, session="s9"))
    assert (report.balanced, report.lapsed) == (True, 1)
    assert not account(ONE, TWO, NONE, replace(NONE, session="s9", left_msat=1)).balanced


def test_what_was_noted_on_the_way_is_a_fault():
    assert account(ONE, TWO, NONE, anomalies=["A: StartTransaction: refused"]).faults == (
        "A: StartTransaction: refused",
    )
