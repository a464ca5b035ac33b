"""The web kit refuses well: every error is a problem, foreign pages change nothing, nobody takes more than a share."""

from dataclasses import dataclass

import pytest
from litestar import Request, get, post
from litestar.testing import TestClient

from commonwatt.kernel import BTC, EUR, Amount, Broken, Instant, Refused, WattHour
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.kit.web import (
    Behaviour,
    IfMatch,
    Live,
    Page,
    Paging,
    Site,
    build_app,
    check_match,
    csrf_token,
    csv_answer,
    etag_of,
    once,
    page_of,
    tagged,
)
from commonwatt.kit.web.encoding import plain
from commonwatt.kit.web.idempotency import IdempotencyKey
from commonwatt.kit.web.paging import decode_cursor, encode_cursor

SITE = Site("Test", "http://localhost:8080")


@dataclass(frozen=True)
class Thing:
    at: Instant
    price: Amount
    energy: WattHour


THING = Thing(Instant(0), Amount(EUR, 4_200_000), WattHour(5))
MADE = []


@get("/api/v1/thing", sync_to_thread=False)
def read_thing() -> Thing:
    return THING


@get("/api/v1/tagged", sync_to_thread=False)
def read_tagged(request: Request, if_match: IfMatch = None) -> dict:
    check_match(if_match, etag_of({"a": 1}))
    return tagged(request, {"a": 1})


@get("/api/v1/numbers")
async def numbers(paging: Paging) -> Page[int]:
    start = paging.after[0] + 1 if paging.after else 0
    rows = list(range(start, 5))[: paging.limit + 1]
    return page_of(rows, paging, lambda n: n, lambda n: (n,))


@get("/refused", sync_to_thread=False)
def refuse() -> None:
    raise Refused("The tariff ended yesterday.", tariff="t1")


@get("/broken", sync_to_thread=False)
def break_it() -> None:
    raise KeyError("secret detail")


@get("/token", sync_to_thread=False)
def token(request: Request) -> str:
    return csrf_token(request)


@post("/change")
async def change(request: Request) -> str:
    return str(dict(await request.form()).get("name", ""))


@get("/list.csv", sync_to_thread=False)
def list_csv() -> None:
    return csv_answer("list", ["name", "when"], [("=1+1", Instant(0)), ("Ünï", None)])


@dataclass
class Order:
    name: str
    count: int


def make(work, name):
    MADE.append(name)
    work.sql.exec_driver_sql("SELECT 1")
    return {"name": name, "price": Amount(BTC, 1500)}


@post("/api/v1/orders")
async def order(data: Order, database: object, idempotency_key: IdempotencyKey | None) -> dict:
    return await database.write(once, idempotency_key, make, data.name)


@pytest.fixture
def database(clock, ids):
    """A database with the kit's own tables: the kit knows no feature."""
    engine = open_engine(None)
    create_tables(engine)
    database = Database(engine, clock, ids, inline=True)
    yield database
    database.close()


ROUTES = [read_thing, read_tagged, numbers, refuse, break_it, token, change, list_csv, order]


def build(database, clock, ids, **behaviour):
    return build_app(
        ROUTES,
        site=SITE,
        database=database,
        clock=clock,
        ids=ids,
        live=Live(),
        behaviour=Behaviour(hosts=("testserver.local",), **behaviour),
    )


@pytest.fixture
def client(database, clock, ids):
    MADE.clear()
    with TestClient(build(database, clock, ids), base_url="http://testserver.local:8080") as client:
        yield client


def test_our_words_have_one_form_in_json(client):
    answer = client.get("/api/v1/thing").json()
    assert answer == {
        "at": "1970-01-01T00:00:00.000Z",
        "price": {"asset": "EUR", "units": 4_200_000, "text": "4.20 EUR"},
        "energy": 5,
    }


def test_plain_goes_through_any_nesting():
    assert plain({"x": [THING], "y": (Instant(0),)})["x"][0]["energy"] == 5


def test_refused_is_a_problem_with_its_fields(client):
    answer = client.get("/refused")
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert body["type"] == "http://localhost:8080/problems/refused"
    assert body["detail"] == "The tariff ended yesterday."
    assert body["tariff"] == "t1"
    assert body["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"


def test_a_browser_gets_a_page_that_escapes(client):
    answer = client.get("/nowhere/<script>", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>" not in answer.text


def test_an_api_path_answers_with_json_even_to_a_browser(client):
    answer = client.get("/api/v1/nowhere", headers={"accept": "text/html"})
    assert answer.json()["slug"] == "no-such-page"


def test_the_unforeseen_tells_nothing_but_its_reference(client):
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["slug"] == Broken.slug
    assert "secret detail" not in answer.text
    assert answer.json()["instance"]


def test_wrong_method_and_wrong_fields_are_named(client):
    assert client.delete("/refused").json()["slug"] == "method-not-allowed"
    wrong = client.post("/api/v1/orders", json={"name": "x", "count": "many"}).json()
    assert wrong["slug"] == "bad-request"
    assert wrong["errors"][0]["field"] == "count"
    assert client.post("/api/v1/orders", content=b"{", headers={"content-type": "application/json"}).status_code == 400


def test_a_body_that_is_too_large_is_refused(client):
    answer = client.post("/api/v1/orders", json={"name": "x" * 1_100_000, "count": 1})
    assert (answer.status_code, answer.json()["slug"]) == (413, "too-large")


def test_every_answer_is_wrapped_securely(client):
    for path in ("/refused", "/nowhere", "/api/v1/thing"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in headers


def test_https_sites_ask_to_stay_https(database, clock, ids):
    site = Site("Test", "https://charge.example")
    app = build_app(ROUTES, site=site, database=database, clock=clock, ids=ids, live=Live())
    with TestClient(app) as client:
        assert "max-age" in client.get("/refused").headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost:8080"}, 201),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost:8080"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://evil.example", "authorization": "Bearer cw_x"}, 201),
    ],
)
def test_only_our_own_pages_change_things(client, headers, status):
    assert client.post("/change", data={"name": "a"}, headers=headers).status_code == status


def test_a_signed_in_browser_repeats_the_page_s_token(client):
    client.cookies.set("cw_session", "secret")
    assert client.post("/change", data={"name": "a"}).json()["slug"] == "foreign-request"
    assert client.post("/change", data={"name": "a", "csrf": "0" * 64}).status_code == 403
    told = client.get("/token").text
    assert len(told) == 64
    assert client.post("/change", data={"name": "a", "csrf": told}).text == "a"
    assert client.post("/change", data={"name": "b"}, headers={"x-csrf-token": told}).text == "b"


def test_lists_are_walked_by_cursor(client):
    seen, cursor = [], None
    while True:
        page = client.get("/api/v1/numbers", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [0, 1, 2, 3, 4]
    assert client.get("/api/v1/numbers", params={"limit": 0}).status_code == 400
    assert client.get("/api/v1/numbers", params={"limit": 501}).status_code == 400


@pytest.mark.parametrize("cursor", ["x", "%%%", "e30", "W10", "WzEuNV0", "A" * 4000, encode_cursor((1 << 70,)), "é"])
def test_foreign_cursors_are_refused(client, cursor):
    assert client.get("/api/v1/numbers", params={"cursor": cursor}).json()["field"] == "cursor"


def test_a_cursor_fits_its_list():
    assert decode_cursor(encode_cursor((5, "a")), (int, str)) == (5, "a")
    with pytest.raises(Refused, match="another list"):
        decode_cursor(encode_cursor((5, "a")), (str, str))


def test_entity_tags_save_bytes_and_stop_lost_updates(client):
    first = client.get("/api/v1/tagged")
    tag = first.headers["etag"]
    assert client.get("/api/v1/tagged", headers={"if-none-match": f"W/{tag}"}).status_code == 304
    assert client.get("/api/v1/tagged", headers={"if-match": tag}).status_code == 200
    assert client.get("/api/v1/tagged", headers={"if-match": '"old"'}).json()["slug"] == "changed"


def test_the_same_key_does_a_thing_once(client):
    keyed = {"idempotency-key": "k1"}
    first = client.post("/api/v1/orders", json={"name": "x", "count": 1}, headers=keyed)
    again = client.post("/api/v1/orders", json={"name": "x", "count": 1}, headers=keyed)
    assert first.json() == again.json() == {"name": "x", "price": {"asset": "BTC", "units": 1500, "text": "1.5 sat"}}
    assert MADE == ["x"]
    other = client.post("/api/v1/orders", json={"name": "y", "count": 1}, headers=keyed)
    assert (other.status_code, other.json()["slug"]) == (409, "key-reused")
    assert client.post("/api/v1/orders", json={"name": "x", "count": 1}).status_code == 201
    assert MADE == ["x", "x"]
    assert client.post("/api/v1/orders", json={}, headers={"idempotency-key": "x" * 201}).status_code == 400


def test_a_spreadsheet_runs_no_formula(client):
    answer = client.get("/list.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="list.csv"'
    assert answer.text == "name,when\r\n'=1+1,1970-01-01T00:00:00.000Z\r\nÜnï,\r\n"


def test_health_and_metrics(client, database, clock, ids):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json()["parts"] == {"database": "ok"}
    assert "commonwatt_http_request_seconds_count" in client.get("/metrics").text

    async def down() -> str:
        raise OSError("no route")

    with TestClient(build(database, clock, ids, checks={"node": down})) as other:
        answer = other.get("/readyz")
        assert answer.status_code == 503
        assert "no route" in answer.json()["parts"]["node"]


def test_the_api_is_described_offline(client):
    schema = client.get("/api/v1/openapi.json").json()
    assert "/api/v1/thing" in schema["paths"]
    thing = schema["components"]["schemas"]["Thing"]["properties"]
    assert thing["at"]["format"] == "date-time"
    refused = schema["paths"]["/api/v1/thing"]["get"]["responses"]
    assert {"400", "429", "503"} <= set(refused)
    assert set(refused["400"]["content"]) == {"application/problem+json"}
    order = schema["paths"]["/api/v1/orders"]["post"]
    assert "409" in order["responses"]
    (key,) = [one for one in order["parameters"] if one["in"] == "header"]
    assert key["name"] == "Idempotency-Key"
    assert key["description"]
    page = client.get("/api/v1/reference").text
    assert "/api/v1/orders" in page
    assert "<script" not in page
    assert "cdn" not in page


@pytest.mark.parametrize(
    "bad", ["localhost:8080", "ftp://x", "http://", "http://x/y", "http://x/", "https://x?y", "http://x#y"]
)
def test_a_site_has_a_usable_address(bad):
    with pytest.raises(ValueError, match="base_url"):
        Site("x", bad)


def test_a_site_has_a_real_zone():
    with pytest.raises(ValueError, match="timezone"):
        Site("x", "http://localhost", timezone="Mars/Olympus")
