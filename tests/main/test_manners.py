"""What a program may expect of the API by HTTP alone: heads, tags, addresses of what it made, and plain refusals."""

import json

import pytest
from structlog.testing import capture_logs
from tests.main.whole import SITE, build_whole

from commonwatt.charging.actions.offer_session import open_offer
from commonwatt.charging.rules import Rules
from commonwatt.charging.store import sessions, transactions
from commonwatt.kernel import Failed, Unknown
from commonwatt.main.asgi import TOPICS
from commonwatt.members import TERMINAL, create_token
from commonwatt.stations.actions.note_status import ConnectorStatus, note_status
from commonwatt.stations.store import station

STATION = "/api/v1/stations/TOWN-HALL"


@pytest.fixture
async def whole(tmp_path, clock, ids):
    whole = await build_whole(tmp_path, clock, ids)
    whole.client.cookies.clear()
    whole.client.headers["authorization"] = f"Bearer {whole.act(create_token, TERMINAL, 'All', ['*'], 3600).token}"
    yield whole
    await whole.house.stop()


def described(whole, path, method="get"):
    return whole.app.openapi_schema.to_schema()["paths"][path][method]["responses"]


@pytest.mark.parametrize("path", [STATION, "/api/v1/journal", "/healthz", "/sign-in", "/api/v1/openapi.json"])
def test_a_head_is_that_of_the_whole_answer(whole, path):
    whole_answer, head = whole.client.get(path), whole.client.head(path)
    assert (head.status_code, head.content) == (whole_answer.status_code, b"")
    for name in ("content-type", "content-length", "etag"):
        assert head.headers.get(name) == whole_answer.headers.get(name), name
    assert whole.client.head("/api/v1/stations/NOBODY").status_code == 404


@pytest.mark.parametrize("path", ["/live", "//live", "/api/v1/events", "/lnurl/pay/town-hall-1/callback"])
def test_what_has_no_end_or_makes_something_has_no_head(whole, path):
    assert whole.client.head(SITE.base_url + path).status_code == 405


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (STATION, "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/api/v1/sessions", "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/events", "GET, OPTIONS"),
    ],
)
def test_an_address_tells_its_methods_the_same_way_always(whole, path, methods):
    refused = whole.client.put(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)
    assert whole.client.options(path).headers["allow"] == methods


def test_a_guarded_change_follows_another_without_reading_in_between(whole):
    for path, change in ((STATION, {"name": "Hall"}), ("/api/v1/connectors/town-hall-1", {"label": "Left"})):
        tag = whole.client.get(path).headers["etag"]
        first = whole.client.patch(path, json=change, headers={"if-match": tag})
        assert first.status_code == 200, first.text
        assert first.headers["etag"] == whole.client.get(path).headers["etag"]
        field = next(iter(change))
        again = {"json": {field: "Other"}, "headers": {"if-match": first.headers["etag"]}}
        assert whole.client.patch(path, **again).status_code == 200
        assert whole.client.patch(path, **again).status_code == 412


def test_what_the_client_has_is_not_sent_again_and_that_is_described(whole):
    tag = whole.client.get(STATION).headers["etag"]
    assert whole.client.get(STATION, headers={"if-none-match": tag}).status_code == 304
    told = described(whole, "/api/v1/stations/{identity}")
    assert "content" not in told["304"]
    assert told["200"]["headers"]["ETag"]["schema"] == told["304"]["headers"]["ETag"]["schema"] == {"type": "string"}
    assert "ETag" in described(whole, "/api/v1/stations/{identity}", "patch")["200"]["headers"]


def test_what_was_made_says_where_it_is(whole):
    made = whole.client.post("/api/v1/stations", json={"identity": "SCHOOL"})
    assert made.headers["location"] == "/api/v1/stations/SCHOOL"
    assert whole.client.get(made.headers["location"]).json()["identity"] == "SCHOOL"
    tariff = whole.client.get("/api/v1/tariffs").json()["items"][0]
    body = {"name": "Night", "asset": "EUR", "elements": tariff["current"]["elements"]}
    tariff = whole.client.post("/api/v1/tariffs", json=body)
    assert whole.client.get(tariff.headers["location"]).json()["name"] == "Night"
    told = described(whole, "/api/v1/stations", "post")["201"]
    assert told["description"] == "It was made. `Location` says where."
    assert told["headers"]["Location"]["schema"] == {"type": "string"}
    assert described(whole, "/api/v1/tags", "post")["201"]["description"] == "It was made."


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("sessions?limit=2&limit=3", "limit"),
        ("rates?currency=xx", "currency"),
        ("rates/current?currency=eur", "currency"),
        ("sessions?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", "from"),
        ("transactions?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", "from"),
        ("payments?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", "from"),
        ("payments/sums?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", "from"),
        ("stations/TOWN-HALL/frames?from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z", "from"),
    ],
)
def test_what_can_find_nothing_is_refused(whole, path, field):
    answer = whole.client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_form_is_no_json(whole):
    refused = whole.client.post("/api/v1/stations", data={"identity": "SCHOOL"})
    assert (refused.status_code, refused.json()["slug"]) == (415, "unsupported-media")
    assert whole.client.get("/api/v1/stations/SCHOOL").status_code == 404
    plain = whole.client.post("/api/v1/stations", content=b'{"identity": "SCHOOL"}')
    assert plain.status_code == 201, "who says nothing of it is believed"


def test_what_is_too_large_is_told_as_described(whole):
    assert whole.client.post("/api/v1/tariffs", json={"name": "x" * 1_100_000}).status_code == 413


@pytest.mark.parametrize(
    "topics", ["nope", "station/NOPE", "session/xyz", "station/", "payment/1", "overview/x", "session"]
)
@pytest.mark.parametrize("with_token", [True, False])
def test_nobody_listens_to_what_is_never_told(whole, topics, with_token):
    if not with_token:
        del whole.client.headers["authorization"]
    assert whole.client.get("/api/v1/events", params={"topics": f"jobs,{topics}"}).status_code == 404


def test_every_topic_is_described(whole):
    (topics,) = whole.app.openapi_schema.to_schema()["paths"]["/api/v1/events"]["get"]["parameters"]
    assert topics["required"]
    for topic in TOPICS | {"station/<identity>", "session/<id>", "connector/<name>"}:
        assert f"`{topic}`" in topics["description"]
    assert "404" in described(whole, "/api/v1/events")


def test_the_balance_and_the_journal_are_described(whole):
    assert whole.client.get("/api/v1/accounts/nonsense/balance").status_code == 422
    assert "text/csv" in described(whole, "/api/v1/journal")["200"]["content"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/sessions", {"connector": "nowhere", "amount_msat": 5_000_000}),
        ("/api/v1/tariffs/assignments", {"tariff_id": "none"}),
    ],
)
def test_what_is_named_in_a_body_and_not_there_is_told_as_described(whole, path, body):
    assert whole.client.post(path, json=body).status_code == 404


@pytest.mark.parametrize(
    ("outcome", "status"), [(Failed("GenericError: no", "callerror"), 502), (Unknown("No answer in time."), 504)]
)
def test_what_a_station_could_not_do_is_no_trouble_of_ours(whole, monkeypatch, outcome, status):
    async def send(*_args, **_kwargs):
        return outcome

    monkeypatch.setattr(whole.house.hub, "send", send)
    with capture_logs() as told:
        answer = whole.client.post(f"{STATION}/commands/Reset", json={"type": "Soft"})
    assert answer.status_code == status, answer.text
    assert [line["log_level"] for line in told] == ["info"]
    assert {"502", "504"} <= set(described(whole, "/api/v1/stations/{identity}/commands/{action}", "post"))


def test_bodies_tell_their_bounds(whole):
    schemas = json.dumps(whole.app.openapi_schema.to_schema()["components"]["schemas"])
    wish = next(one for name, one in json.loads(schemas).items() if name.endswith("OfferWish"))["properties"]
    assert wish["amount_msat"]["minimum"] == 1
    assert all(one.get("description") for one in wish.values())
    token = next(one for name, one in json.loads(schemas).items() if name.endswith("TokenWish"))["properties"]
    assert "sessions:read" in token["scopes"]["description"]
    assert all(one.get("description") for one in token.values())


def test_a_transaction_whose_session_is_over_does_not_run(whole):
    now = whole.house.clock.now().ms

    def leave(work):
        work.sql.execute(station.update().values(connected_ms=now, protocol="ocpp1.6"))
        note_status(work, [ConnectorStatus("TOWN-HALL", 1, "Available", "NoError")])
        charge = open_offer(work, "town-hall-1", 5_000_000, None, Rules())
        work.sql.execute(sessions.update().values(status="ended", transaction_id=1))
        rows = [{"id": 1, "session_id": charge.id}, {"id": 2, "session_id": None}]
        for row in rows:
            told = {"station": "TOWN-HALL", "connector": row["id"], "id_tag": "X", "authorisation": "Accepted"}
            work.sql.execute(transactions.insert().values(**row, **told, meter_start_wh=0, started_ms=1, received_ms=1))

    whole.act(leave)
    one = whole.client.get("/api/v1/transactions/1").json()
    assert (one["running"], one["reason"], one["stop_time"]) == (False, "unreported", None)
    listed = {row["id"]: row for row in whole.client.get("/api/v1/transactions").json()["items"]}
    assert (listed[1]["running"], listed[1]["reason"]) == (False, "unreported")
    assert (listed[2]["running"], listed[2]["reason"]) == (True, None)
    running = whole.client.get("/api/v1/transactions?running=true").json()["items"]
    assert [row["id"] for row in running] == [2]
