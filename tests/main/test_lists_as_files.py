"""Lists of the owner's pages as files: the page leads to them, and they are harmless in a spreadsheet."""

import csv
import io
import re

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


@pytest.mark.parametrize("page", ["/people", "/tokens", "/tags", "/jobs", "/accounts", "/tariffs"])
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


SORTS = {
    "/people": ["joined", "name", "role", "seen"],
    "/tokens": ["name", "used", "expires"],
    "/tags": ["holder", "tag", "state", "made"],
    "/jobs": ["number", "made", "state", "due", "attempts"],
    "/accounts": ["account", "balance", "held"],
}


def heads(page):
    """Return what stands first in each row of a list."""
    listed = page[page.index('id="list"') :].split("</section>")[0]
    return [re.sub("<[^>]+>", "", head).strip() for head in re.findall(r'<th scope="row".*?</th>', listed, re.DOTALL)]


def walk(whole, page, sort):
    """Return the whole list, read two rows at a time."""
    found, cursor = [], {}
    while True:
        text = whole.open(page, sort=sort, limit=200 if page == "/accounts" else 2, **cursor).text
        found += heads(text)
        following = re.search(r"cursor=([\w-]+)[^>]*rel=\"next\"", text)
        if not following:
            return found
        cursor = {"cursor": following[1]}


def more(work):
    for number, name in enumerate(("Öl", "ode", "Ube", "Über")):
        create_token(work, TERMINAL, name, ["stations:read"], 3600 * (9 - number) if number else None)
        charging.add_tag(work, f"AA{number}", name)
        row = {"kind": "x", "payload": "{}", "state": "done", "attempts": number, "made_ms": number, "due_ms": 9}
        work.sql.execute(outbox.insert().values(**row, error=""))


def test_lists_are_sorted_by_what_their_heads_offer(whole):
    whole.act(more)
    whole.sign_in(Role.AUDITOR)
    whole.sign_in(Role.OWNER)
    for page, sorts in SORTS.items():
        first = whole.open(page).text
        for sort in sorts:
            assert f"sort={sort}" in first, (page, sort)
            forth, back = walk(whole, page, sort), walk(whole, page, f"-{sort}")
            assert back == forth[::-1], (page, sort)
            assert len(forth) > 2
        whole.open(page, 400, sort="secret")
    assert walk(whole, "/tokens", "name") == ["=meter", "ode", "Ube", "Öl", "Über"]
    assert walk(whole, "/tokens", "expires")[:3] == ["Über", "Ube", "ode"]
    assert walk(whole, "/accounts", "-balance")[0] == "rail:a"


def test_lists_are_searched_and_the_file_follows(whole):
    whole.act(more)
    assert heads(whole.open("/tokens", q="_").text) == []
    assert "No token matches" in whole.open("/tokens", q="_").text
    assert heads(whole.open("/tokens", q="books:").text) == ["=meter"]
    assert [one["name"] for one in rows(whole.open("/tokens.csv", q="ube", sort="name"))] == ["Ube"]
    assert "Nobody matches" in whole.open("/people", q="nobody").text
    assert len(rows(whole.open("/people.csv", q="owner"))) == 1
    assert len(rows(whole.open("/accounts", format="csv", asset="EUR"))) == 0
    assert "No account matches" in whole.open("/accounts", asset="EUR").text
    whole.open("/jobs", 400, format="pdf")


def test_tariffs_come_as_a_file(whole):
    found = rows(whole.open("/tariffs.csv"))
    assert found
    assert {one["currency"] for one in found} == {"EUR"}
    assert any(one["holds_at"] == "*" for one in found)
    assert all("per kWh" in one["prices"] or "/kWh" in one["prices"] for one in found)
    assert rows(whole.open("/tariffs.csv", q="no such tariff")) == []
