"""Lists of the owner's pages as files: the page leads to them, and they are harmless in a spreadsheet."""

import csv
import io

import pytest
from tests.main.whole import build_whole

from commonwatt import charging
from commonwatt.books import Entry, post
from commonwatt.kernel import BTC, Amount
from commonwatt.kit.database.outbox import outbox
from commonwatt.members import TERMINAL, Role, create_token


def furnish(work):
    charging.add_tag(work, "04A2", "=cmd|x")
    create_token(work, TERMINAL, "=meter", ["stations:read", "books:read"])
    for number in range(600):
        lines = [Entry.debit("rail:a", Amount(BTC, 1)), Entry.credit(f"session:{number}", Amount(BTC, 1))]
        post(work, f"k{number}", lines, "Paid")
    row = {"kind": "x", "payload": "{}", "state": "dead", "attempts": 3, "made_ms": 1, "due_ms": 2, "error": "=1+1"}
    work.sql.execute(outbox.insert().values(**row))


@pytest.fixture
async def whole(tmp_path, clock, ids):
    built = await build_whole(tmp_path, clock, ids)
    built.act(furnish)
    return built


def rows(answer):
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize("page", ["/people", "/tokens", "/tags", "/jobs", "/accounts"])
def test_each_list_leads_to_its_file(whole, page):
    shown = whole.open(page).text
    assert any(f'href="{page}{end}"' in shown for end in (".csv", "?format=csv"))


def test_the_files_hold_the_lists(whole):
    assert [one["role"] for one in rows(whole.open("/people.csv"))] == ["owner"]
    (token,) = rows(whole.open("/tokens.csv"))
    assert (token["name"], token["scopes"]) == ("'=meter", "books:read stations:read")
    assert rows(whole.open("/tags", format="csv", q="04a2"))[0]["holder"] == "'=cmd|x"
    assert len(rows(whole.open("/tags", format="csv"))) == 4
    (job,) = rows(whole.open("/jobs", format="csv", state="dead"))
    assert (job["attempts"], job["error"]) == ("3", "'=1+1")
    accounts = rows(whole.open("/accounts", format="csv"))
    assert len(accounts) == 601
    assert list(accounts[0].values()) == ["rail:a", "BTC", "600", "0", "2026-05-01T12:00:00.000Z"]
    assert rows(whole.open("/accounts", format="csv", at="2026-05-01T11:00:00Z")) == []


def test_who_may_not_see_a_list_gets_no_file_of_it(whole):
    whole.sign_in(Role.AUDITOR)
    whole.open("/tokens.csv", 403)
    whole.open("/tags", 403, format="csv")
    assert len(rows(whole.open("/people.csv"))) == 2
