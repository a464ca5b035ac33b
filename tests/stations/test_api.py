"""Stations over HTTP: who may, what is shown, and how a command's ends are told apart."""

import pytest
from litestar.testing import TestClient

from commonwatt import stations
from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.kit.database import Work
from commonwatt.kit.web import Live, Site, build_app, encode_cursor
from commonwatt.members import DEPENDENCIES, EXCEPTION_HANDLERS, Actor, Role
from commonwatt.stations import ConnectorStatus, FrameRow
from commonwatt.stations.api import ROUTES


class Line:
    """Answers every command as told."""

    outcome = Done({"status": "Accepted"})

    def __init__(self):
        self.sent, self.closed = [], []

    async def send(self, identity, action, payload, *, patience_s=None):
        assert patience_s is not None, "a person waits for it"
        self.sent.append((identity, action, payload))
        return self.outcome

    async def disconnect(self, identity, _reason):
        self.closed.append(identity)


class As:
    """Lets every request come from one actor."""

    def __init__(self, app, box):
        self.app, self.box = app, box

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope["user"] = self.box["actor"]
        await self.app(scope, receive, send)


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def asking():
    return {"actor": Actor("member/1", "Ann", Role.OPERATOR)}


@pytest.fixture
def client(database, clock, ids, line, asking):
    site = Site("Test", "http://testserver.local")
    given = {"line": line, **DEPENDENCIES}
    app = build_app(ROUTES, site=site, database=database, clock=clock, ids=ids, live=Live(), dependencies=given)
    app.exception_handlers.update(EXCEPTION_HANDLERS)
    app.asgi_handler = As(app.asgi_handler, asking)
    with database.engine.connect() as connection, connection.begin():
        work = Work(connection, clock.now(), ids)
        stations.add_station(work, "CP-1", "Garage", with_password=False)
        stations.note_connected(work, "CP-1", "10.0.0.7", "ocpp1.6")
        stations.note_status(work, [ConnectorStatus("CP-1", 1, "Available", "NoError")])
        stations.record_frames(work, [FrameRow("CP-1", 1, "in", "call", "Authorize", "1", '{"idTag":"04A2"}')])
    with TestClient(app) as client:
        yield client


def test_a_station_as_programs_see_it(client):
    shown = client.get("/api/v1/stations/CP-1").json()
    assert (shown["identity"], shown["name"], shown["connected"]) == ("CP-1", "Garage", True)
    assert shown["connected_since"] == "2026-05-01T12:00:00.000Z"
    assert shown["connectors"][0]["state"] == "Available"
    assert "secret_hash" not in shown


def test_a_space_inside_an_identity_is_written_as_in_any_address(client):
    assert client.post("/api/v1/stations", json={"identity": "CP 1"}).status_code < 300
    assert client.get("/api/v1/stations/CP%201").json()["identity"] == "CP 1"
    refused = client.post("/api/v1/stations", json={"identity": "CP 1 "})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "station-identity-invalid")


def test_stations_are_added_listed_and_removed(client, line):
    made = client.post("/api/v1/stations", json={"identity": "CP-2"}).json()
    assert len(made["password"]) == 20
    page = client.get("/api/v1/stations?limit=1").json()
    assert [item["identity"] for item in page["items"]] == ["CP-1"]
    rest = client.get("/api/v1/stations", params={"cursor": page["next_cursor"]}).json()
    assert [item["identity"] for item in rest["items"]] == ["CP-2"]
    assert client.post("/api/v1/stations", json={"identity": "CP-2"}).status_code == 409
    assert client.delete("/api/v1/stations/CP-2").status_code == 204
    assert line.closed == ["CP-2"]
    assert client.get("/api/v1/stations/CP-2").json()["type"].endswith("station-missing")


@pytest.mark.parametrize("place", ["stations", "connectors", "stations/CP-1/frames"])
def test_the_cursor_of_another_list_is_refused(client, place):
    foreign = encode_cursor(("CP-1",) if place.endswith("frames") else (7,))
    refused = client.get(f"/api/v1/{place}", params={"cursor": foreign})
    assert (refused.status_code, refused.json()["field"]) == (400, "cursor")


def test_connectors_are_listed_and_renamed(client):
    assert [item["name"] for item in client.get("/api/v1/connectors").json()["items"]] == ["cp-1-1"]
    changed = client.patch("/api/v1/connectors/cp-1-1", json={"name": "garage", "label": "Left"}).json()
    assert (changed["name"], changed["label"], changed["online"]) == ("garage", "Left", True)
    assert client.get("/api/v1/connectors/cp-1-1").status_code == 404


def test_connectors_are_found_by_the_state_that_is_shown(client, database, clock, ids):
    def names(status):
        return [item["name"] for item in client.get("/api/v1/connectors", params={"status": status}).json()["items"]]

    assert (names("Available"), names("Offline")) == (["cp-1-1"], [])
    with database.engine.connect() as connection, connection.begin():
        stations.note_disconnected(Work(connection, clock.now(), ids), "CP-1")
    assert (names("Available"), names("Offline")) == ([], ["cp-1-1"])


def test_only_waivers_that_there_are_can_be_granted(client):
    granted = client.patch("/api/v1/stations/CP-1", json={"waivers": ["slow-start"]})
    assert granted.json()["waivers"] == ["slow-start"]
    refused = client.patch("/api/v1/stations/CP-1", json={"waivers": ["slow-start", "be-free"]})
    assert (refused.status_code, refused.json()["waiver"]) == (422, "be-free")
    assert client.get("/api/v1/stations/CP-1").json()["waivers"] == ["slow-start"]


def test_frames_are_found_by_their_time(client):
    def found(**query):
        return len(client.get("/api/v1/stations/CP-1/frames", params=query).json()["items"])

    assert found(**{"from": "1970-01-01T00:00:00Z", "to": "1970-01-01T00:00:01Z"}) == 1
    assert found(**{"from": "1970-01-01T00:00:01Z"}) == 0
    assert found(to="1970-01-01T00:00:00Z") == 0


def test_an_answer_of_the_station_is_the_result(client, line):
    answer = client.post("/api/v1/stations/CP-1/commands/Reset", json={"type": "Soft"})
    assert (answer.status_code, answer.json()) == (200, {"result": {"status": "Accepted"}})
    assert line.sent == [("CP-1", "Reset", {"type": "Soft"})]


def test_a_command_without_a_body_has_no_fields(client, line):
    assert client.post("/api/v1/stations/CP-1/commands/ClearCache").status_code == 200
    assert line.sent == [("CP-1", "ClearCache", {})]


@pytest.mark.parametrize(
    ("outcome", "status", "slug"),
    [
        (Failed("NotSupported: no such thing", "callerror"), 502, "station-callerror"),
        (stations.AnswerInvalid("status: odd", payload={"status": "é"}), 502, "station-answer-invalid"),
        (Failed("gone", "offline"), 409, "station-offline"),
        (Failed("16 wait", "busy"), 503, "station-busy"),
        (Failed("PropertyConstraintViolation: type", "invalid"), 422, "station-command-invalid"),
        (Unknown("The station did not answer Reset within 30 s."), 504, "station-timeout"),
    ],
)
def test_each_bad_end_of_a_command_is_told_apart(client, line, outcome, status, slug):
    line.outcome = outcome
    answer = client.post("/api/v1/stations/CP-1/commands/Reset", json={"type": "Soft"})
    assert answer.status_code == status
    assert answer.json()["type"].endswith(slug)
    if slug == "station-callerror":
        assert (answer.json()["code"], answer.json()["description"]) == ("NotSupported", "no such thing")
    if slug == "station-answer-invalid":
        assert answer.json()["answer"] == '{"status":"é"}'


@pytest.mark.parametrize(
    ("outcome", "detail"),
    [
        (
            Failed('PropertyConstraintViolation: type: "X" is not one of "Hard" or "Soft"', "invalid"),
            'type is "X". It must be one of: Hard, Soft. Nothing was sent; correct the command.',
        ),
        (Failed("NotSupported: no such thing", "callerror"), "CP-1 answered Reset with NotSupported: no such thing."),
        (
            stations.AnswerInvalid('PropertyConstraintViolation: status: "Odd" is not one of "Accepted" or "Rejected"'),
            'answered Reset, but against the standard. status is "Odd". It must be one of: Accepted, Rejected. It may',
        ),
    ],
)
def test_a_refused_command_is_told_in_whole_sentences_that_name_the_field(client, line, outcome, detail):
    line.outcome = outcome
    answer = client.post("/api/v1/stations/CP-1/commands/Reset", json={"type": "X"}).json()
    assert detail in answer["detail"]
    assert answer["detail"].endswith(".")
    assert answer.get("field") == ("type" if outcome.code == "invalid" else None)


def test_a_command_to_nobody_is_not_sent(client, line):
    assert client.post("/api/v1/stations/NOBODY/commands/Reset", json={}).status_code == 404
    assert line.sent == []


def test_the_dots_of_a_password_do_not_become_the_password(client, line):
    change = {"key": "AuthorizationKey", "value": "•••"}
    refused = client.post("/api/v1/stations/CP-1/commands/ChangeConfiguration", json=change)
    assert (refused.status_code, refused.json()["slug"]) == (422, "station-command-invalid")
    assert line.sent == []


def test_auditors_read_without_id_tags_and_change_nothing(client, asking):
    assert "04A2" in client.get("/api/v1/stations/CP-1/frames").text
    asking["actor"] = Actor("member/2", "Bob", Role.AUDITOR)
    frames = client.get("/api/v1/stations/CP-1/frames")
    assert frames.status_code == 200
    assert "04A2" not in frames.text
    assert client.post("/api/v1/stations/CP-1/reject").status_code == 403
    assert client.post("/api/v1/stations/CP-1/commands/Reset", json={}).status_code == 403
    asking["actor"] = None
    assert client.get("/api/v1/stations").status_code == 401


def test_a_rejected_station_is_cut_off(client, line):
    assert client.post("/api/v1/stations/CP-1/reject").status_code == 204
    assert client.get("/api/v1/stations?state=rejected").json()["items"][0]["identity"] == "CP-1"
    assert line.closed == ["CP-1"]
    assert client.post("/api/v1/stations/CP-1/admit").status_code == 204
    assert len(client.post("/api/v1/stations/CP-1/password").json()["password"]) == 20
    assert client.patch("/api/v1/stations/CP-1", json={"waivers": ["slow-start"]}).json()["waivers"] == ["slow-start"]
