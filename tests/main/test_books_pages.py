"""The owner's pages of the books: the file has the journal's own columns, the past has its own balances."""

import csv
import io

import pytest
from tests.main.whole import build_whole

from commonwatt.books import Entry, hold, list_accounts, post
from commonwatt.books.export import HEADER
from commonwatt.charging import add_tag
from commonwatt.kernel import BTC, EUR, Amount
from commonwatt.members import Role


def pay(work, key, units, account):
    lines = [Entry.debit("rail:sandbox", Amount(BTC, units)), Entry.credit(account, Amount(BTC, units))]
    post(work, key, lines, "=cmd|paid", "session/s1")


@pytest.fixture
async def whole(tmp_path, clock, ids):
    built = await build_whole(tmp_path, clock, ids)
    built.act(pay, "first", 1000, "session:s1")
    clock.step(seconds=3600)
    built.act(pay, "second", 500, "session:s1")
    built.act(pay, "third", 70, "session:s2")
    built.act(hold, "h", "session:s1", "owed", Amount(BTC, 300), "Change")
    return built


def test_the_file_of_the_page_is_the_file_of_the_api(whole):
    page, api = whole.open("/journal", format="csv"), whole.client.get("/api/v1/journal?format=csv")
    assert page.text == api.text
    assert page.headers["content-disposition"] == 'attachment; filename="journal.csv"'
    rows = list(csv.DictReader(io.StringIO(page.text)))
    assert tuple(rows[0]) == HEADER
    assert [row["debit_units"] or row["credit_units"] for row in rows] == ["1000", "1000", "500", "500", "70", "70"]
    assert {row["memo"] for row in rows} == {"'=cmd|paid"}
    assert len(whole.open("/journal", format="csv", account="session:s2").text.splitlines()) == 3


def test_the_accounts_of_a_past_moment_hold_what_they_held_then(whole, clock):
    def listed(at=None):
        with whole.house.database.engine.connect() as sql:
            states = list_accounts(sql, at=at)
        return {state.name: (state.balance.units, state.held.units) for state in states}

    assert listed() == {"rail:sandbox": (1570, 0), "session:s1": (1500, 300), "session:s2": (70, 0)}
    assert listed(clock.now().plus(seconds=-3600)) == {"rail:sandbox": (1000, 0), "session:s1": (1000, 0)}
    assert listed(clock.now().plus(seconds=-3601)) == {}
    past = whole.open("/accounts", at="2026-05-01T14:30").text
    assert "session:s1" in past
    assert "session:s2" not in past
    assert "session:s2" in whole.open("/accounts").text
    then, now = (
        list(csv.DictReader(io.StringIO(whole.open("/accounts", format="csv", at=at).text)))
        for at in ("2026-05-01T14:30", "")
    )
    assert {row["held_units"] for row in then} == {""}, "of the past only the balance is known"
    assert "" not in {row["held_units"] for row in now}
    assert "session:s1" not in whole.open("/accounts", at="2026-05-01T11:00:00Z").text


def test_a_card_stands_nowhere_in_the_books_and_its_holder_only_for_those_who_may_see_it(whole):
    tag_id = whole.act(add_tag, "04A2B3C4", "Neighbour Nina")
    lines = [Entry.debit(f"member:{tag_id}", Amount(EUR, 900)), Entry.credit("revenue", Amount(EUR, 900))]
    whole.act(post, "bill:s9", lines, "Charge at CP-1, connector 1", "session/s9")
    for role, sees in ((Role.OWNER, True), (Role.OPERATOR, True), (Role.AUDITOR, False)):
        whole.sign_in(role)
        pages = [whole.open("/journal").text, whole.open("/accounts", prefix="member").text]
        files = [whole.open("/journal", format="csv").text, whole.open("/accounts", format="csv").text]
        answers = [whole.client.get(f"/api/v1/{name}?account=member").text for name in ("journal", "accounts")]
        assert [("Neighbour Nina" in page) for page in pages] == [sees, sees]
        assert not [text for text in (*pages, *files, *answers) if "04A2B3C4" in text]
        assert all(tag_id in text for text in (*pages, *files, *answers))
    whole.sign_in(Role.OWNER)
    assert f"/journal?account=member%3A{tag_id}" in whole.open("/tags", q="nina").text
    (row,) = csv.DictReader(io.StringIO(whole.open("/tags", format="csv", q="nina").text))
    assert row["account"] == f"member:{tag_id}"
