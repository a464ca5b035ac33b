"""The owner's pages about sessions and the first steps: filters, sums, the story, stopping."""

import json
import re

import pytest
from msgspec.structs import replace
from tests.charging.pages_house import AUDITOR, OWNER, SITE, House
from tests.german import words_of

from commonwatt import charging, stations
from commonwatt.charging.actions.pass_deadlines import pass_deadlines
from commonwatt.charging.period_sums import sums_by_day, sums_by_month
from commonwatt.charging.receipt import receipt_pdf
from commonwatt.charging.reports import StopReport
from commonwatt.charging.session_view import owner_context
from commonwatt.kit.pages.assets import BUILT

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
DAY_S = 86_400


@pytest.fixture
def house(database, clock, ids):
    house = House(database, clock, ids)
    house.furnish()
    return house


def ids_of(page):
    return re.findall(r'<th scope="row"[^>]*><a href="/sessions/([0-9a-f-]{36})"', page)


def test_an_empty_list_says_how_a_session_begins(house):
    assert "No sessions yet" in house.open("/sessions")
    assert "No session matches" in house.open("/sessions", status="ended")


def test_sessions_are_filtered_by_what_the_address_says(house, clock):
    old = house.charge()
    clock.step(seconds=3 * DAY_S)
    running = house.charge(stop=False)
    assert ids_of(house.open("/sessions")) == [running.id, old.id]
    assert ids_of(house.open("/sessions", status="ended")) == [old.id]
    assert ids_of(house.open("/sessions", until="2026-05-01")) == [old.id]
    assert ids_of(house.open("/sessions", since="2026-05-04")) == [running.id]
    assert ids_of(house.open("/sessions", station="CP-2")) == []
    assert ids_of(house.open("/sessions", q="04A2")) == [running.id, old.id]
    assert ids_of(house.open("/sessions", owed="yes")) == []
    first = house.open("/sessions", limit=1)
    cursor = re.search(r"cursor=([\w-]+)", first)[1]
    assert ids_of(house.open("/sessions", limit=1, cursor=cursor)) == [old.id]


def test_the_list_is_sorted_by_what_is_clicked_on_and_pages_in_that_order(house):
    charges = [house.charge(wh=wh) for wh in (3000, 1000, 2000)]
    most = [charges[0].id, charges[2].id, charges[1].id]
    assert ids_of(house.open("/sessions", sort="-energy")) == most
    assert ids_of(house.open("/sessions", sort="cost")) == most[::-1]
    assert ids_of(house.open("/sessions", sort="made")) == [charge.id for charge in charges]
    first = house.open("/sessions", sort="-energy", limit=2)
    assert 'aria-sort="descending"' in first
    cursor = re.search(r"cursor=([\w-]+)", first)[1]
    assert "sort=-energy" in re.search(r'href="([^"]*cursor=[^"]*)"', first)[1]
    assert ids_of(house.open("/sessions", sort="-energy", limit=2, cursor=cursor)) == most[2:]
    house.open("/sessions", 400, sort="made", cursor=cursor)
    rows = house.open("/sessions.csv", sort="-energy").splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == most


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-02-30"},
        {"since": "tomorrow"},
        {"until": "9999-12-31"},
        {"status": "x"},
        {"by": "year"},
        {"sort": "x"},
    ],
)
def test_a_filter_that_cannot_be_is_refused(house, query):
    house.open("/sessions", 400, **query)


def test_the_list_as_csv_has_whole_units_and_hides_tags_from_auditors(house):
    charge = house.charge(wh=5000)
    header, row = house.open("/sessions.csv", status="ended").splitlines()
    told = dict(zip(header.split(","), row.split(","), strict=True))
    assert (told["id"], told["id_tag"], told["energy_wh"], told["gross_units"]) == (
        charge.id,
        "04A2",
        "5000",
        "2100000",
    )
    house.box["actor"] = AUDITOR
    assert "04A2" not in house.open("/sessions.csv")
    assert ids_of(house.open("/sessions", q="04A2")) == [], "nobody finds a tag by guessing"


def test_days_and_months_add_up_to_what_was_charged(house, clock):
    house.charge(wh=5000)
    clock.step(seconds=DAY_S)
    house.charge(wh=2000)
    today = clock.now().utc().date()
    with house.database.engine.connect() as sql:
        days = sums_by_day(sql, SITE.zone, "EUR", today.replace(day=1), today)
        months = sums_by_month(sql, SITE.zone, "EUR", today)
    assert [(day.energy_wh, day.units, day.sessions) for day in days] == [(5000, 2_100_000, 1), (2000, 840_000, 1)]
    assert len(months) == 12
    assert (months[-1].energy_wh, months[-1].units, months[-1].sessions) == (7000, 2_940_000, 2)
    page = house.open("/sessions", by="month")
    assert "Energy and money, last 12 months" in page
    assert '"slot": "month"' in page
    assert "Energy and money, last 31 days" in house.open("/sessions")
    assert "2.94" in page


def test_a_session_tells_its_story_its_bill_and_its_facts(house):
    charge = house.charge(wh=5000)
    page = house.open(f"/sessions/{charge.id}")
    for words in ("A tag of yours was shown", "The station began", "First energy", "the cable was unplugged", "Billed"):
        assert words in page
    assert "2.10" in page
    assert f'href="/r/{charge.id}"' in page
    assert "/stop" not in page
    assert charge.secret not in page, "the driver's link is the driver's alone"
    with house.database.engine.connect() as sql:
        told = owner_context(sql, charge, house.clock.now(), "UTC")
    assert [event["kind"] for event in told["events"]] == ["tagged", "began", "energy", "stopped", "billed"]
    house.open("/sessions/nonsense", 404)


def test_where_the_change_goes_is_shown_to_who_may_see_whose_it_is(house):
    charge = house.charge()
    assert "Change goes to" not in house.open(f"/sessions/{charge.id}")
    house.act(lambda work: charging.store.save_charges(work, [replace(charge, address="ada@wallet.example")]))
    assert "ada@wallet.example" in house.open(f"/sessions/{charge.id}")
    house.box["actor"] = AUDITOR
    page = house.open(f"/sessions/{charge.id}")
    assert "wallet.example" not in page
    assert "Change goes to" not in page


def test_who_may_not_see_whose_change_it_is_reads_no_address_in_its_list_either(house):
    charge = house.charge()
    session = replace(charge.session, paid_msat=9_000_000)
    owing = replace(charge, address="ada@wallet.example", progress=replace(charge.progress, session=session))
    house.act(lambda work: charging.store.save_charges(work, [owing]))
    assert "ada@wallet.example" in house.open("/owed")
    assert "ada@wallet.example" in house.open("/owed", format="csv")
    house.box["actor"] = AUDITOR
    page = house.open("/owed")
    assert charge.id in page
    assert "its driver's Lightning address" in words_of(page), "it does not go to whoever opens the link"
    for text in (page, house.open("/owed", format="csv")):
        assert "wallet.example" not in text


def test_a_receipt_is_printed_in_its_reader_s_words(house, monkeypatch):
    charge = house.charge(wh=5000)
    printed = []

    def keep(words):
        printed.append(json.loads(words))
        return receipt_pdf(words)

    monkeypatch.setattr("commonwatt.charging.pages.receipt_pdf", keep)
    for language in ("en", "de", "fr", "cs"):
        answer = house.client.get(f"/r/{charge.id}.pdf", headers={"accept-language": language})
        assert (answer.headers["content-type"], answer.content[:5]) == ("application/pdf", b"%PDF-"), answer.text
    english, german, *_ = printed
    assert [words["title"] for words in printed] == ["Receipt", "Beleg", "Reçu", "Doklad"]
    assert english["blocks"][1][-1] == ["Total", "2.10 EUR", True]
    assert english["blocks"][1][0][0].startswith("Energy, 5.00")
    assert german["blocks"][1][-1][1] == "2,10 EUR"


def test_a_running_session_is_stopped_once_and_by_whom_is_kept(house):
    charge = house.charge(stop=False)
    assert f'action="/sessions/{charge.id}/stop"' in house.open(f"/sessions/{charge.id}")
    house.box["actor"] = AUDITOR
    assert f'action="/sessions/{charge.id}/stop"' not in house.open(f"/sessions/{charge.id}")
    house.send(f"/sessions/{charge.id}/stop", 403)
    house.box["actor"] = OWNER
    assert house.send(f"/sessions/{charge.id}/stop") == f"/sessions/{charge.id}?done=stop"
    house.send(f"/sessions/{charge.id}/stop")
    page = house.open(f"/sessions/{charge.id}")
    assert "Asked to stop" in page
    assert "Ann stopped it" in page


def test_a_charge_billed_without_its_last_report_says_so_and_what_came_late(house):
    charge = house.charge(wh=5000, stop=False)
    house.send(f"/sessions/{charge.id}/stop")
    house.clock.step(seconds=100)
    house.act(pass_deadlines)
    page = house.open(f"/sessions/{charge.id}")
    assert "Ann stopped it. The charge point did not report the end; its last reading counts." in page
    assert "after the bill was posted" not in page
    late = StopReport("CP-1", charge.session.transaction_id, 1000 + 5700, house.clock.now(), "Remote")
    house.clock.step(seconds=60)
    house.act(charging.stop_transaction, late)
    assert "0.700\u202fkWh more after the bill was posted" in house.open(f"/sessions/{charge.id}")


def test_a_session_that_is_over_cannot_be_stopped(house):
    house.send(f"/sessions/{house.charge().id}/stop", 409)
    house.send("/sessions/nonsense/stop", 404)


def test_the_first_steps_follow_the_data(database, clock, ids):
    house = House(database, clock, ids)
    assert done(house) == [False, False, False, False, False]
    house.act(stations.await_admission, "NEW-1")
    assert done(house) == [False, True, False, False, False]
    assert "Open the waiting room" in house.open("/start")
    house.furnish()
    assert done(house) == [True, True, True, False, False]
    assert house.client.get("/guide", follow_redirects=False).headers["location"] == "/start"
    assert "All steps are done" not in house.open("/start")


def done(house):
    return ["Done" in card for card in house.open("/start").split('<section class="card row spread')[1:]]
