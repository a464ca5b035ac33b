"""The owner's pages about stations and tags, over HTTP: what they show, who may what, how commands end, bad input."""

import re

import pytest
from tests.charging.pages_house import AUDITOR, CONFIG, HTML, OWNER, House

from commonwatt import stations
from commonwatt.charging import overview_page
from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.kit.pages.assets import BUILT
from commonwatt.kit.web import Paging
from commonwatt.members import Actor, Role
from commonwatt.members.lists import list_acts
from commonwatt.stations import AnswerInvalid, ConnectorStatus, Presence

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")


@pytest.fixture
def house(database, clock, ids):
    return House(database, clock, ids)


@pytest.fixture
def furnished(house):
    house.furnish()
    return house


def test_an_empty_list_says_where_a_charger_connects(house):
    page = house.open("/stations")
    assert "No station yet" in page
    assert "ws://testserver.local:8180/ocpp/" in page
    assert 'href="/start"' in page


def test_stations_are_searched_filtered_and_sorted_in_pages(furnished):
    for number in range(2, 6):
        furnished.act(stations.add_station, f"CP-{number}", f"Yard {9 - number}", with_password=False)
    assert rows(furnished.open("/stations", q="yard")) == ["CP-2", "CP-3", "CP-4", "CP-5"]
    assert rows(furnished.open("/stations", connected="yes")) == ["CP-1"]
    assert rows(furnished.open("/stations", state="rejected")) == []
    assert "No station matches" in furnished.open("/stations", state="rejected")
    first = furnished.open("/stations", sort="-name", limit=2)
    assert rows(first) == ["CP-2", "CP-3"]
    cursor = re.search(r"cursor=([\w-]+)", first)[1]
    assert rows(furnished.open("/stations", sort="-name", limit=2, cursor=cursor)) == ["CP-4", "CP-5"]
    furnished.open("/stations", 400, sort="-seen", cursor=cursor)
    furnished.open("/stations", 400, sort="secret_hash")
    furnished.open("/stations", 400, state="gone")


def rows(page):
    listed = page[page.index('id="list"') :]
    return re.findall(r'<th scope="row"[^>]*>(?:<span>)?<a href="/stations/([^"]+)"', listed)


def test_the_list_as_csv_follows_the_filter_and_runs_no_formula(furnished):
    furnished.act(stations.add_station, "CP-9", "=1+1", with_password=False)
    lines = furnished.open("/stations.csv", q="CP-9").splitlines()
    assert lines[0].startswith("identity,name,state,connected")
    assert lines[1].startswith("CP-9,'=1+1,admitted,false")
    assert len(lines) == 2


def test_a_station_is_added_with_a_password_that_is_shown_once(house):
    page = house.send("/stations/new", 200, identity="CP-7", name="Roof", with_password="yes", waiver="slow-start")
    password = re.search(r'data-copy="([a-z2-7]{20})"', page)[1]
    assert "ws://testserver.local:8180/ocpp/CP-7" in page
    assert password not in house.open("/stations/CP-7")
    with house.database.engine.connect() as sql:
        view = stations.find_station(sql, "CP-7")
        assert stations.secret_matches(password, stations.secret_hash_of(sql, "CP-7"))
    assert (view.name, view.waivers) == ("Roof", ("slow-start",))


@pytest.mark.parametrize(("identity", "status"), [("", 422), ("a/b", 422), ("x" * 60, 422), ("CP-1", 409)])
def test_an_identity_that_cannot_be_comes_back_to_the_form(furnished, identity, status):
    page = furnished.send("/stations/new", status, identity=identity, name="<b>Kept</b>")
    assert "error-summary" in page
    assert "&lt;b&gt;Kept" in page


def test_the_waiting_room_admits_and_rejects(furnished):
    for identity in ("NEW-1", "NEW-2"):
        furnished.act(stations.await_admission, identity)
    assert "Waiting to be admitted" in furnished.open("/stations")
    assert furnished.send("/stations/NEW-1/admit", back="list") == "/stations?done=admitted"
    assert furnished.send("/stations/NEW-2/reject") == "/stations/NEW-2?done=rejected"
    assert furnished.line.closed == ["NEW-2"]
    with furnished.database.engine.connect() as sql:
        states = [stations.find_station(sql, identity).state for identity in ("NEW-1", "NEW-2")]
    assert states == ["admitted", "rejected"]


def test_a_station_shows_its_connectors_prices_and_sessions(furnished):
    charge = furnished.charge(stop=False)
    page = furnished.open("/stations/CP-1")
    assert f'href="/sessions/{charge.id}"' in page
    assert "0.42" in page
    assert "Standard" in page
    assert '"zone": "UTC"' in page, "the chart of the last hours is there"
    assert "Did you mean CP-1?" in furnished.open("/stations/CP-2", 404)
    assert "Look at the list of stations" in furnished.open("/stations/NOBODY", 404)
    furnished.open("/stations/CP-1", 400, tab="secrets")


def test_a_station_that_lacks_the_password_that_is_asked_for_says_so(house, monkeypatch):
    house.act(stations.await_admission, "NEW-1")
    house.act(stations.note_heartbeat, [Presence("NEW-1", 1_000, None, None)])
    house.act(stations.admit_station, "NEW-1")
    page = house.open("/stations/NEW-1")
    assert "none, open for a trial" in page
    assert "Last heard" in page
    assert "never called" not in page
    monkeypatch.setattr(CONFIG.stations, "auth", "required")
    page = house.open("/stations/NEW-1")
    assert "It has no password, so it cannot connect" in page
    assert "open for a trial" not in page


def test_a_connector_without_a_price_says_so(house):
    house.act(stations.add_station, "CP-1", with_password=False)
    house.act(stations.ensure_connector, "CP-1", 1)
    assert "No price is set" in house.open("/stations/CP-1")


BUTTONS = [
    ("reset", {"type": "Soft"}, "Reset", {"type": "Soft"}),
    ("unlock", {"connector": "1"}, "UnlockConnector", {"connectorId": 1}),
    (
        "availability",
        {"connector": "2", "type": "Inoperative"},
        "ChangeAvailability",
        {"connectorId": 2, "type": "Inoperative"},
    ),
    ("start", {"connector": "1", "id_tag": "04A2"}, "RemoteStartTransaction", {"connectorId": 1, "idTag": "04A2"}),
    ("trigger", {"message": "MeterValues"}, "TriggerMessage", {"requestedMessage": "MeterValues"}),
    ("clear-cache", {}, "ClearCache", {}),
    ("read-configuration", {}, "GetConfiguration", {}),
    (
        "configure",
        {"key": "HeartbeatInterval", "value": "30"},
        "ChangeConfiguration",
        {"key": "HeartbeatInterval", "value": "30"},
    ),
    ("raw", {"action": "DataTransfer", "payload": '{"vendorId": "x"}'}, "DataTransfer", {"vendorId": "x"}),
]


@pytest.mark.parametrize(("verb", "form", "action", "payload"), BUTTONS)
def test_a_button_sends_its_call(furnished, verb, form, action, payload):
    there = furnished.send(f"/stations/CP-1/ask/{verb}", **form)
    assert furnished.line.sent == [("CP-1", action, payload)]
    assert f"sent={action}&outcome=answer&status=Accepted" in there
    assert "the station did it" in furnished.open(there)


WRONG = [
    ("reset", {"type": "Now"}),
    ("unlock", {"connector": "one"}),
    ("unlock", {"connector": "9999"}),
    ("start", {"connector": "1", "id_tag": "x" * 21}),
    ("start", {"connector": "1"}),
    ("trigger", {"message": "Everything"}),
    ("configure", {"key": "", "value": "1"}),
    ("configure", {"key": "K", "value": "v" * 501}),
    ("configure", {"key": "AuthorizationKey", "value": "•••"}),
    ("raw", {"action": "ChangeConfiguration", "payload": '{"key": "authorizationkey", "value": "•••"}'}),
    ("raw", {"action": "Reset", "payload": "[1]"}),
    ("raw", {"action": "Reset", "payload": "{" * 5000}),
    ("raw", {"action": "Re set", "payload": "{}"}),
    ("explode", {}),
]


@pytest.mark.parametrize(("verb", "form"), WRONG)
def test_what_is_no_command_is_never_sent(furnished, verb, form):
    furnished.send(f"/stations/CP-1/ask/{verb}", 422, **form)
    assert furnished.line.sent == []


ENDS = [
    (Done({"status": "Rejected"}), "declined (Rejected)"),
    (Done({"status": "Scheduled"}), "when the session there has ended"),
    (Done({"status": "RebootRequired"}), "from its next start on"),
    (Done({"status": "NotSupported"}), "does not know this"),
    (Failed("InternalError: boom", "callerror"), "could not (InternalError)"),
    (AnswerInvalid("status: odd", payload={"status": "Perhaps"}), "nobody knows what it did"),
    (Failed("gone", "offline"), "has no connection"),
    (Failed("16 wait", "busy"), "other commands still wait"),
    (Failed("type: wrong", "invalid"), "against the standard"),
    (Unknown("no answer"), "It may still have been carried out"),
    (Done({"status": "<script>"}), "the station did it"),
]


@pytest.mark.parametrize(("outcome", "words"), ENDS)
def test_each_end_of_a_command_reads_differently(furnished, outcome, words):
    furnished.line.outcome = outcome
    assert words in furnished.open(furnished.send("/stations/CP-1/ask/reset", type="Soft"))


def test_messages_are_found_by_their_day(furnished):
    row = stations.FrameRow("CP-1", furnished.clock.now().ms, "in", "call", "Heartbeat", "day-1", "[]")
    furnished.act(stations.record_frames, [row])
    today = furnished.clock.now().iso()[:10]
    shown = furnished.open("/stations/CP-1/messages.csv", since=today, until=today)
    assert "day-1" in shown
    assert "day-1" not in furnished.open("/stations/CP-1/messages.csv", since="2030-01-01")
    assert "No message matches" in furnished.open("/stations/CP-1", tab="messages", since="2030-01-01")
    furnished.open("/stations/CP-1", 400, tab="messages", since="tomorrow")


def test_a_station_is_renamed_waived_and_removed(furnished):
    assert furnished.send("/stations/CP-1/rename", name="Barn") == "/stations/CP-1?done=renamed"
    furnished.send("/stations/CP-1/waivers", waiver="wh-means-kwh")
    furnished.send("/stations/CP-1/connectors/1", name="barn-left", label="left")
    page = furnished.open("/stations/CP-1", tab="settings")
    assert 'value="Barn"' in page
    assert 'value="barn-left"' in page
    furnished.send("/stations/CP-1/connectors/1", 409, name="cp-1-2", label="")
    furnished.send("/stations/CP-1/connectors/7", 404, name="x", label="")
    assert re.search(r'data-copy="[a-z2-7]{20}"', furnished.send("/stations/CP-1/password", 200))
    assert furnished.send("/stations/CP-1/remove") == "/stations?done=removed"
    assert furnished.line.closed == ["CP-1"]
    furnished.open("/stations/CP-1", 404)


def test_a_password_is_made_once_however_often_its_page_is_loaded_anew(furnished):
    for path, asking, tab, form in (
        ("/stations/new", "/stations/new", "", {"identity": "CP-9", "with_password": "yes"}),
        ("/stations/CP-1/password", "/stations/CP-1", "settings", {}),
    ):
        once = re.search(r'name="once" value="(\w+)"', furnished.open(asking, tab=tab))[1]
        assert re.search(r'data-copy="[a-z2-7]{20}"', furnished.send(path, 200, once=once, **form))
        again = furnished.send(path, 200, once=once, **form)
        assert "The password was made and shown before." in again
        assert not re.search(r'data-copy="[a-z2-7]{20}"', again)
    acts = [act.act for act in furnished.act(lambda work: list_acts(work.sql, Paging()))]
    assert (acts.count("add station"), acts.count("set password")) == (1, 1)


def test_messages_are_searched_paged_and_exported(furnished):
    page = furnished.open("/stations/CP-1", tab="messages", limit=2)
    assert page.count('class="frame"') == 2
    cursor = re.search(r"cursor=([\w-]+)", page)[1]
    assert furnished.open("/stations/CP-1", tab="messages", limit=2, cursor=cursor).count('class="frame"') == 1
    assert "No message matches" in furnished.open("/stations/CP-1", tab="messages", q="Heartbeat")
    assert len(furnished.open("/stations/CP-1/messages.csv").splitlines()) == 4
    furnished.open("/stations/CP-1", 400, tab="messages", cursor="nonsense")


def test_the_configuration_offers_a_change_of_what_may_be_written(furnished):
    page = furnished.open("/stations/CP-1", tab="configuration")
    assert page.count("/ask/configure") == 1
    assert "read only" in page


def test_the_dots_of_a_password_are_not_offered_as_its_new_value(furnished):
    told = [stations.Setting("AuthorizationKey", "hunter2-hunter2", readonly=False)]
    furnished.act(stations.remember_configuration, "CP-1", told)
    page = furnished.open("/stations/CP-1", tab="configuration")
    assert "hunter2" not in page
    assert 'value="•••"' not in page
    assert "it can no longer connect" in page
    assert 'value="60"' in page, "what is no password is there to be changed"


def test_the_sheet_opens_a_page_for_cameras_and_pays_for_wallets(furnished):
    assert furnished.open("/stations/CP-1/sheet").count('class="qr-sheet') == 2
    one = furnished.open("/stations/CP-1/sheet", connector=2)
    assert "<span>http://testserver.local/c/</span><wbr><span>cp-1-2</span>" in one, "an address breaks only there"
    assert "Connector 2" in one
    assert 'href="/stations/CP-1"' in one, "there is a way back"
    assert "cp-1-1" not in one
    assert furnished.open("/stations/qr", names="cp-1-1").count('class="qr-sheet') == 1


ASKS = re.compile(r'action="(/stations/[^"]*/ask/[^"]*)"')


@pytest.mark.parametrize("tab", ["overview", "configuration", "commands"])
def test_a_station_that_is_away_is_offered_no_command_and_says_why(furnished, tab):
    assert ASKS.search(furnished.open("/stations/CP-1", tab=tab))
    furnished.act(stations.add_station, "CP-8", "Roof", with_password=False)
    page = furnished.open("/stations/CP-8", tab=tab)
    assert "It has never called, so nothing can be sent to it yet." in page
    assert ASKS.search(page) is None


def test_a_station_that_waits_can_be_admitted_or_rejected_and_nothing_else(furnished):
    furnished.act(stations.await_admission, "NEW-1")
    page = furnished.open("/stations/NEW-1")
    assert "It waits to be admitted." in page
    assert ASKS.search(page) is None
    assert "Admit station" in page
    assert "Reject station" in page
    assert 'action="/stations/NEW-1/reject"' in page


def test_auditors_see_no_id_tag_and_change_nothing(furnished):
    furnished.box["actor"] = AUDITOR
    for path in ("/stations/CP-1", "/stations/CP-1?tab=messages", "/stations/CP-1/messages.csv"):
        assert "04A2" not in furnished.open(path)
    assert "No message matches" in furnished.open("/stations/CP-1", tab="messages", q="04A2")
    posts = re.findall(r'method="post" action="(/stations[^"]*)"', furnished.open("/stations/CP-1", tab="settings"))
    assert posts == []
    for place in ("/stations/CP-1/reject", "/stations/CP-1/ask/reset", "/stations/CP-1/remove", "/stations/new"):
        furnished.send(place, 403, type="Soft")
    furnished.open("/tags", 403)


def test_who_is_not_signed_in_is_led_to_the_sign_in(furnished):
    furnished.box["actor"] = None
    answer = furnished.client.get("/stations/CP-1?tab=messages", headers=HTML, follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?next=/stations/CP-1%3Ftab%3Dmessages"
    furnished.box["actor"] = Actor("token/1", "meter", None, frozenset({"tariffs:read"}))
    furnished.open("/stations", 403)


def test_a_form_without_its_token_and_a_foreign_page_change_nothing(furnished):
    furnished.client.cookies.set("cw_session", "secret")
    furnished.send("/stations/CP-1/remove", 403)
    furnished.client.cookies.clear()
    foreign = {**HTML, "origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    assert furnished.client.post("/stations/CP-1/remove", data={"a": "b"}, headers=foreign).status_code == 403
    assert "Garage" in furnished.open("/stations/CP-1")


def test_every_act_is_in_the_audit_log(furnished):
    furnished.send("/stations/CP-1/ask/start", connector="1", id_tag="04A2")
    furnished.send("/tags/04A2/block")
    with furnished.database.engine.connect() as sql:
        acts = [(row.act, row.actor) for row in sql.exec_driver_sql("SELECT act, actor FROM audit ORDER BY id")]
        told = sql.exec_driver_sql("SELECT detail FROM audit WHERE act LIKE 'send %'").scalar_one()
    assert acts[-2:] == [("send RemoteStartTransaction", OWNER.id), ("block tag", OWNER.id)]
    assert "04A2" not in told


def test_tags_are_added_blocked_and_removed(furnished):
    assert furnished.send("/tags", id_tag=" 0B1C ", holder="Ben") == "/tags?done=added"
    assert 'href="/sessions?q=0B1C"' in furnished.open("/tags", q="Ben")
    assert "Ben" not in furnished.open("/tags", q="Ada")
    assert "is known already" in furnished.send("/tags", 409, id_tag="0B1C", holder="Eve")
    assert "error-summary" in furnished.send("/tags", 422, id_tag="x" * 21, holder="Eve")
    there = re.search(r"/tags/[0-9a-f-]{36}", furnished.open("/tags", q="Ben"))[0]
    furnished.send(f"{there}/block")
    assert "Blocked" in furnished.open("/tags", q="Ben")
    furnished.send(f"{there}/unblock")
    furnished.send(f"{there}/remove")
    furnished.send(f"{there}/remove", 404)


@pytest.mark.parametrize("id_tag", ["AB/12", "..", ".", "%2F", "A?B#C", "a b"])
def test_every_tag_that_can_be_added_can_be_blocked_and_removed(furnished, id_tag):
    furnished.send("/tags", id_tag=id_tag, holder="Ben")
    there = re.search(r"/tags/[0-9a-f-]{36}", furnished.open("/tags", q="Ben"))[0]
    furnished.send(f"{there}/block")
    assert "Blocked" in furnished.open("/tags", q="Ben")
    furnished.send(f"{there}/remove")
    assert "Ben" not in furnished.open("/tags", q=id_tag)


def test_owners_of_other_roles_than_auditor_command(furnished):
    furnished.box["actor"] = Actor("member/3", "Cy", Role.OPERATOR)
    furnished.send("/stations/CP-1/ask/reset", type="Hard")
    assert furnished.line.sent == [("CP-1", "Reset", {"type": "Hard"})]


def test_the_overview_shows_who_charges_and_says_what_it_leaves_out(furnished, monkeypatch):
    monkeypatch.setattr(overview_page, "CARDS_MAX", 1)
    charge = furnished.charge(stop=False)
    furnished.act(stations.note_status, [ConnectorStatus("CP-1", 3, "Available", "NoError")])
    page = furnished.open("/overview")
    assert f'href="/sessions/{charge.id}"' in page, "who charges comes first"
    assert "2 more connectors are not shown here." in page
    assert "1 session runs" in page


def test_what_needs_somebody_leads_to_where_it_is_mended(furnished):
    furnished.act(stations.note_boot, stations.Boot("CP-1", "Vendor", "Model"))
    furnished.act(stations.note_disconnected, "CP-1")
    link = re.search(r'A station is offline.*?href="([^"]+)"', furnished.open("/overview"), re.DOTALL)[1]
    assert "CP-1" in furnished.open(link.replace("&amp;", "&"))


def test_earned_today_is_what_the_chart_below_shows(furnished):
    furnished.charge(wh=5000)
    furnished.charge(wh=2000, stop=False)
    page = furnished.open("/overview")
    assert re.search(r"Earned today.*?2\.94.*?EUR", page, re.DOTALL), "5 kWh and the 2 kWh that still run, at 0.42"
    assert "2.94" in re.search(r'id="overview-chart".*', page, re.DOTALL)[0]
