"""The books over HTTP: filters, pages, CSV, and what a bad question is answered."""

import csv
import io

import pytest
from litestar.exceptions import NotAuthorizedException
from litestar.testing import TestClient

from commonwatt.books import Entry, hold, post
from commonwatt.books.api import routes
from commonwatt.kernel import BTC, EUR, Amount
from commonwatt.kit.database import Work
from commonwatt.kit.web import Live, Site, build_app


def book(work: Work) -> None:
    for count in range(5):
        lines = [Entry.debit("rail:a", Amount(BTC, 1000)), Entry.credit(f"session:{count}", Amount(BTC, 1000))]
        post(work, f"in{count}", lines, f"=Paid {count}", f"session/{count}")
    lines = [Entry.debit("member:04:A2", Amount(EUR, 4_200_000)), Entry.credit("revenue", Amount(EUR, 4_200_000))]
    post(work, "bill", lines, "Bill")
    hold(work, "h", "session:1", "owed", Amount(BTC, 300), "Change")


@pytest.fixture
def client(database, clock, ids):
    site = Site("Test", "http://testserver.local")
    app = build_app(routes([]), site=site, database=database, clock=clock, ids=ids, live=Live())
    with TestClient(app) as client, database.engine.connect() as connection:
        with connection.begin():
            book(Work(connection, clock.now(), ids))
        yield client


def test_the_journal_in_pages(client):
    numbers, cursor = [], ""
    while cursor is not None:
        page = client.get("/api/v1/journal", params={"limit": 4, **({"cursor": cursor} if cursor else {})}).json()
        numbers += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert numbers == [6, 5, 4, 3, 2, 1]


def test_a_posting_as_programs_see_it(client):
    page = client.get("/api/v1/journal?reference=session/3").json()
    assert page["items"] == [
        {
            "number": 4,
            "at": "2026-05-01T12:00:00.000Z",
            "memo": "=Paid 3",
            "reference": "session/3",
            "key": "in3",
            "hold_id": None,
            "entries": [
                {"account": "rail:a", "amount": {"asset": "BTC", "units": 1000, "text": "1 sat"}},
                {"account": "session:3", "amount": {"asset": "BTC", "units": -1000, "text": "\u22121 sat"}},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("account=member", [6]),
        ("asset=EUR", [6]),
        ("search=paid", [5, 4, 3, 2, 1]),
        ("from=2026-05-01T12:00:00Z&asset=EUR", [6]),
        ("from=2026-05-01T14:00:00%2B02:00&asset=EUR", [6]),
        ("to=2026-05-01T12:00:00Z", []),
    ],
)
def test_filters(client, query, numbers):
    assert [item["number"] for item in client.get(f"/api/v1/journal?{query}").json()["items"]] == numbers


def test_csv_has_a_row_per_entry_and_no_formula(client):
    answer = client.get("/api/v1/journal?format=csv&account=session")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 10
    assert rows[1] == {
        "number": "1",
        "at": "2026-05-01T12:00:00.000Z",
        "account": "session:0",
        "asset": "BTC",
        "debit_units": "",
        "credit_units": "1000",
        "memo": "'=Paid 0",
        "reference": "session/0",
        "key": "in0",
    }


def test_accounts_and_balances(client):
    names, cursor = [], ""
    while cursor is not None:
        page = client.get("/api/v1/accounts", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        names += [item["account"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert names == ["member:04:A2", "rail:a", "revenue", *(f"session:{count}" for count in range(5))]
    (one,) = client.get("/api/v1/accounts/session:1/balance").json()["balances"]
    assert (one["balance"]["units"], one["held"]["units"], one["available"]["units"]) == (1000, 300, 700)
    (tag,) = client.get("/api/v1/accounts/member:04:A2/balance").json()["balances"]
    assert tag["balance"]["text"] == "4.20 EUR"
    (past,) = client.get("/api/v1/accounts/session:1/balance?at=2026-05-01T11:00:00Z").json()["balances"]
    assert past["balance"]["units"] == 0
    assert client.get("/api/v1/accounts/session:never/balance").json()["balances"] == []


def test_the_trial_balance_balances(client):
    items = client.get("/api/v1/trial-balance").json()["items"]
    for code in ("BTC", "EUR"):
        lines = [line for line in items if line["debit"]["asset"] == code]
        assert sum(line["debit"]["units"] for line in lines) == sum(line["credit"]["units"] for line in lines) > 0


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("journal?from=yesterday", "bad-request"),
        ("journal?asset=SATS", "bad-request"),
        ("journal?asset=eur", "bad-request"),
        ("journal?format=xml", "bad-request"),
        ("journal?limit=0", "bad-request"),
        ("journal?limit=501", "bad-request"),
        ("journal?cursor=WyJhIl0", "bad-request"),
        ("journal?search=" + "x" * 201, "bad-request"),
        ("accounts?cursor=WzFd", "bad-request"),
        ("accounts/Revenue/balance", "account-unknown"),
        ("accounts/revenue/balance?at=x", "bad-request"),
    ],
)
def test_bad_questions(client, path, slug):
    answer = client.get(f"/api/v1/{path}")
    assert answer.json()["slug"] == slug
    assert 400 <= answer.status_code < 500


def test_an_unchanged_answer_is_not_sent_again(client):
    tag = client.get("/api/v1/journal").headers["etag"]
    assert client.get("/api/v1/journal", headers={"If-None-Match": tag}).status_code == 304


def test_every_route_is_behind_the_guards(database, clock, ids):
    def nobody(_connection, _handler):
        raise NotAuthorizedException

    site = Site("Test", "http://testserver.local")
    app = build_app(routes([nobody]), site=site, database=database, clock=clock, ids=ids, live=Live())
    with TestClient(app) as client:
        for path in ("journal", "journal?format=csv", "accounts", "accounts/revenue/balance", "trial-balance"):
            assert client.get(f"/api/v1/{path}").status_code == 401


def test_a_kind_is_no_account_and_says_which_there_are(client):
    answer = client.get("/api/v1/accounts/rail/balance")
    assert (answer.status_code, answer.json()["slug"]) == (404, "account-above")
    assert "rail:a." in answer.json()["detail"]
    many = client.get("/api/v1/accounts/session/balance").json()["detail"]
    assert "session:0, session:1" in many
    assert client.get("/api/v1/accounts/revenue/balance").json()["balances"]
    assert client.get("/api/v1/accounts/vat/balance").json()["balances"] == []


@pytest.mark.parametrize("path", ["journal?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", "journal?format=xml"])
def test_what_can_find_nothing_is_refused(client, path):
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 400
    assert answer.json()["detail"] in {
        "`from` lies after `to`, so nothing can be between them.",
        "format: It must be json or csv.",
    }
