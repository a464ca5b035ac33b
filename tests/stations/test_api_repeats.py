"""Writes over HTTP that come twice, or after somebody else's: done once, and nobody undoes what others set."""

import pytest
from sqlalchemy import text
from tests.stations.test_api import asking, client, line  # noqa: F401 (fixtures)

from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.members import lists
from commonwatt.stations import AnswerInvalid

KEY = {"Idempotency-Key": "k1"}


def acts(database):
    with database.engine.connect() as sql:
        return [act.act for act in lists.list_acts(sql, lists.Paging(50))]


@pytest.mark.parametrize(
    ("place", "body"),
    [("/api/v1/stations", {"identity": "CP-2"}), ("/api/v1/stations/CP-1/password", None)],
)
def test_a_repeated_write_with_a_password_is_done_once_and_shows_it_once(client, database, place, body):  # noqa: F811
    first, again = (client.post(place, json=body, headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code) == (first.status_code, first.status_code)
    password = first.json()["password"]
    assert len(password) == 20
    assert again.json() == {**first.json(), "password": None, "shown_before": ["password"]}
    assert len(acts(database)) == 1
    with database.engine.connect() as sql:
        assert password not in str(sql.execute(text("SELECT * FROM idempotency_answer")).all())


@pytest.mark.parametrize("verb", ["admit", "reject"])
def test_a_repeated_decision_is_one_act(client, database, verb):  # noqa: F811
    for _ in range(2):
        assert client.post(f"/api/v1/stations/CP-1/{verb}", headers=KEY).status_code == 204
    assert len(acts(database)) == 1


def command(client, **more):  # noqa: F811
    return client.post("/api/v1/stations/CP-1/commands/Reset", json={"type": "Soft", **more}, headers=KEY)


def test_a_repeated_command_is_sent_once(client, line):  # noqa: F811
    line.outcome = Done({"configurationKey": [{"key": "AuthorizationKey", "value": "hunter2"}]})
    first, again = command(client), command(client)
    assert first.json() == again.json()
    assert "hunter2" not in again.text
    assert len(line.sent) == 1
    other = command(client, more=1)
    assert (other.status_code, other.json()["slug"]) == (409, "key-reused")


@pytest.mark.parametrize(
    "outcome",
    [Failed("gone", "offline"), Failed("wait", "busy"), Failed("type", "invalid")],
)
def test_a_command_that_was_not_sent_may_be_repeated_with_its_key(client, line, outcome):  # noqa: F811
    line.outcome = outcome
    assert command(client).status_code >= 400
    line.outcome = Done({"status": "Accepted"})
    assert command(client).json() == {"result": {"status": "Accepted"}}
    assert command(client).json() == {"result": {"status": "Accepted"}}
    assert len(line.sent) == 2


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Unknown("The station did not answer."), 504),
        (Failed("InternalError: half of it", "callerror"), 502),
        (AnswerInvalid("status: odd", payload={"status": "Perhaps"}), 502),
    ],
)
def test_a_command_of_which_nobody_knows_is_not_sent_again(client, line, outcome, status):  # noqa: F811
    line.outcome = outcome
    assert command(client).status_code == status
    line.outcome = Done({"status": "Accepted"})
    again = command(client)
    assert (again.status_code, again.json()["slug"]) == (409, "key-under-way")
    assert len(line.sent) == 1


def test_two_writers_of_a_station_do_not_undo_each_other(client, database, clock):  # noqa: F811
    def tag():
        return {"If-Match": client.get("/api/v1/stations/CP-1").headers["etag"]}

    known = tag()
    with database.engine.begin() as sql:
        sql.execute(text("UPDATE station SET seen_ms = 5, drift_ms = 7"))
    assert tag() != known
    assert client.patch("/api/v1/stations/CP-1", json={"name": "Yard"}, headers=known).status_code == 200, "alive only"
    late = client.patch("/api/v1/stations/CP-1", json={"name": "Court", "waivers": ["slow-start"]}, headers=known)
    assert (late.status_code, late.json()["slug"]) == (412, "changed")
    shown = client.get("/api/v1/stations/CP-1").json()
    assert (shown["name"], shown["waivers"]) == ("Yard", [])
    for said in (tag(), {"If-Match": "*"}, {}):
        assert client.patch("/api/v1/stations/CP-1", json={"name": "Court"}, headers=said).status_code == 200
    assert client.patch("/api/v1/stations/CP-1", json={"name": "X"}, headers={"If-Match": '"x"'}).status_code == 412
    assert client.patch("/api/v1/stations/NO", json={"name": "X"}, headers=known).status_code == 404


def test_two_writers_of_a_connector_do_not_undo_each_other(client):  # noqa: F811
    known = {"If-Match": client.get("/api/v1/connectors/cp-1-1").headers["etag"]}
    assert client.patch("/api/v1/connectors/cp-1-1", json={"label": "Left"}, headers=known).status_code == 200
    late = client.patch("/api/v1/connectors/cp-1-1", json={"label": "Right"}, headers=known)
    assert late.status_code == 412
    assert client.get("/api/v1/connectors/cp-1-1").json()["label"] == "Left"
