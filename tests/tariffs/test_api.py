"""Tariffs over HTTP, as a program with a token sees them."""

from __future__ import annotations

import pytest
from litestar.di import Provide
from litestar.testing import TestClient

from commonwatt.kernel import Missing
from commonwatt.kit.web import Behaviour, Live, Site, build_app, encode_cursor
from commonwatt.members import DEPENDENCIES, EXCEPTION_HANDLERS, TERMINAL, Identify, create_token
from commonwatt.tariffs import Rate, store_rate
from commonwatt.tariffs.api import ROUTES

DOCUMENT = {
    "name": "Yard",
    "asset": "EUR",
    "vat_included": True,
    "elements": [{"components": [{"kind": "ENERGY", "price": 0.45, "vat": 20}]}],
}


def check_place(_sql, station, _connector):
    if station == "NOPE":
        raise Missing(f"No station is called {station}.")


@pytest.fixture
async def token(database):
    async def make(*scopes):
        made = await database.write(create_token, TERMINAL, "test", list(scopes), None)
        return {"Authorization": f"Bearer {made.token}"}

    return make


@pytest.fixture
def app(database, clock, ids):
    site = Site("Test", "http://tariffs.localhost", timezone="Europe/Prague")
    return build_app(
        ROUTES,
        site=site,
        database=database,
        clock=clock,
        ids=ids,
        live=Live(),
        dependencies={**DEPENDENCIES, "check_place": Provide(lambda: check_place, sync_to_thread=False)},
        behaviour=Behaviour(middleware=[Identify(database, site)], exception_handlers=EXCEPTION_HANDLERS),
    )


@pytest.fixture
async def client(app, token):
    writer = await token("tariffs:write")
    with TestClient(app, base_url="http://tariffs.localhost") as client:
        client.headers.update(writer)
        yield client


async def test_a_tariff_from_its_making_to_its_end(client, clock):
    made = client.post("/api/v1/tariffs", json=DOCUMENT).json()
    assert made["elements"][0]["components"][0]["price"] == "0.45"
    assert made["explained"] == ["0.45 EUR per kWh, 20 % VAT included."]
    place = {"tariff_id": made["id"], "station": "CP-1"}
    assert client.post("/api/v1/tariffs/assignments", json=place).json()["station"] == "CP-1"
    held = client.get("/api/v1/tariffs/in-force", params={"station": "CP-1", "connector": 1}).json()
    assert held["version"] == made["version"]
    began = clock.now()
    clock.step(seconds=60)
    dearer = {**DOCUMENT, "elements": [{"components": [{"kind": "ENERGY", "price": "0.50", "vat": 20}]}]}
    assert client.post(f"/api/v1/tariffs/{made['id']}/versions", json=dearer).status_code == 201
    at = {"station": "CP-1", "connector": 1, "at": began.iso()}
    assert client.get("/api/v1/tariffs/in-force", params=at).json()["version"] == made["version"]
    versions = client.get(f"/api/v1/tariffs/{made['id']}/versions").json()["items"]
    assert [(one["number"], one["made_by"]) for one in versions] == [(2, "test"), (1, "test")]
    refused = client.delete(f"/api/v1/tariffs/{made['id']}")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "tariff-in-use")
    client.post("/api/v1/tariffs/assignments", json={**place, "tariff_id": None})
    assert client.delete(f"/api/v1/tariffs/{made['id']}").status_code == 204
    assert client.get("/api/v1/tariffs").json()["items"] == []
    assert len(client.get("/api/v1/tariffs", params={"retired": "true"}).json()["items"]) == 1
    history = client.get("/api/v1/tariffs/assignments", params={"station": "CP-1"}).json()["items"]
    assert [each["tariff_id"] for each in history] == [None, made["id"]]


async def test_a_repeated_request_happens_once(client):
    key = {"Idempotency-Key": "one"}
    first = client.post("/api/v1/tariffs", json=DOCUMENT, headers=key).json()
    assert client.post("/api/v1/tariffs", json=DOCUMENT, headers=key).json() == first
    other = client.post("/api/v1/tariffs", json={**DOCUMENT, "name": "Street"}, headers=key)
    assert other.status_code == 409
    assert len(client.get("/api/v1/tariffs").json()["items"]) == 1


async def test_two_programs_do_not_undo_each_other(client):
    made = client.post("/api/v1/tariffs", json=DOCUMENT).json()
    address = f"/api/v1/tariffs/{made['id']}"
    tag = {"If-Match": client.get(address).headers["etag"]}
    assert client.post(f"{address}/versions", json=DOCUMENT, headers=tag).status_code == 201
    late = client.post(f"{address}/versions", json=DOCUMENT, headers=tag)
    assert late.status_code == 412


async def test_a_tariff_that_was_read_can_be_edited_and_sent_back(client, clock):
    made = client.post("/api/v1/tariffs", json=DOCUMENT).json()
    clock.step(seconds=60)
    read = client.get(f"/api/v1/tariffs/{made['id']}").json()["current"]
    read["elements"][0]["components"][0]["price"] = "0.50"
    changed = client.post(f"/api/v1/tariffs/{made['id']}/versions", json=read).json()
    assert changed["valid_from"] == clock.now().iso()
    assert changed["explained"] == ["0.50 EUR per kWh, 20 % VAT included."]


async def test_a_preview_bills_by_the_same_arithmetic(client, database, clock):
    made = client.post("/api/v1/tariffs", json=DOCUMENT).json()
    use = {"energy_wh": 30_000, "duration_s": 3600}
    found = client.get(f"/api/v1/tariffs/{made['id']}/preview", params=use).json()
    assert found["gross"] == {"asset": "EUR", "units": 13_500_000, "text": "13.50 EUR"}
    assert "bitcoin" not in found
    rate = Rate("", "EUR", 60_000_000_000, clock.now(), ("a", "b"))
    await database.write(store_rate, rate)
    draft = client.post("/api/v1/tariffs/preview", json={**use, "tariff": DOCUMENT}).json()
    assert draft["bitcoin"]["units"] == 22_500_000
    assert draft["lines"][0]["quantity"] == 30_000


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "now", "2026-05-01"])
async def test_a_preview_far_from_this_age_is_refused(client, start):
    made = client.post("/api/v1/tariffs", json=DOCUMENT).json()
    use = {"energy_wh": 1, "duration_s": 1, "start": start}
    assert client.get(f"/api/v1/tariffs/{made['id']}/preview", params=use).status_code == 422


async def test_a_connector_that_cannot_be_is_refused(client):
    for number in ("-1", "65", "1000", str(1 << 70), "one"):
        answer = client.get("/api/v1/tariffs/in-force", params={"station": "CP-1", "connector": number})
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v1/tariffs", {**DOCUMENT, "elements": []}, 422),
        ("/api/v1/tariffs", {**DOCUMENT, "valid_from": "2020-01-01T00:00:00Z"}, 422),
        ("/api/v1/tariffs", [1], 400),
        ("/api/v1/tariffs/none/versions", DOCUMENT, 404),
        ("/api/v1/tariffs/preview", {"energy_wh": 1, "duration_s": 1}, 422),
        ("/api/v1/tariffs/preview", {"energy_wh": -1, "duration_s": 1, "tariff": DOCUMENT}, 422),
        ("/api/v1/tariffs/preview", {"energy_wh": 1, "duration_s": 1, "tariff": DOCUMENT, "start": "now"}, 422),
        ("/api/v1/tariffs/assignments", {"tariff_id": "none"}, 404),
        ("/api/v1/tariffs/assignments", {"tariff_id": None, "connector": 1}, 422),
        ("/api/v1/tariffs/assignments", {"tariff_id": None, "since": "soon"}, 422),
    ],
)
async def test_what_is_wrong_is_a_problem(client, path, body, status):
    answer = client.post(path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["detail"]


async def test_a_broken_body_is_refused(client):
    assert client.post("/api/v1/tariffs", content=b"{").status_code == 400
    assert client.post("/api/v1/tariffs", content=b"x" * 1_100_000).status_code == 413


async def test_only_who_may_reads_and_writes(client, token):
    assert client.get("/api/v1/tariffs", headers={"Authorization": ""}).status_code == 401
    reader = await token("tariffs:read")
    assert client.get("/api/v1/tariffs", headers=reader).status_code == 200
    assert client.post("/api/v1/tariffs", json=DOCUMENT, headers=reader).status_code == 403
    stranger = await token("books:read")
    assert client.get("/api/v1/rates", headers=stranger).status_code == 403


async def test_rates_are_shown_with_their_sources(client, database, clock):
    assert client.get("/api/v1/rates/current").status_code == 503
    rate = await database.write(
        store_rate, Rate("", "EUR", 60_000_000_000, clock.now(), ("a", "b"), ("c: far from the others",))
    )
    shown = client.get("/api/v1/rates/current").json()
    assert (shown["id"], shown["price"]["text"], shown["dropped"]) == (
        rate.id,
        "60000.00 EUR",
        ["c: far from the others"],
    )
    assert client.get("/api/v1/rates").json()["items"] == [shown]


@pytest.mark.parametrize("place", ["tariffs", "rates"])
async def test_the_cursor_of_another_list_is_refused(client, place):
    refused = client.get(f"/api/v1/{place}", params={"cursor": encode_cursor((7,))})
    assert (refused.status_code, refused.json()["field"]) == (400, "cursor")


async def test_lists_go_on_by_cursor(client, clock):
    for name in ("A", "B", "C"):
        clock.step(seconds=1)
        client.post("/api/v1/tariffs", json={**DOCUMENT, "name": name})
    first = client.get("/api/v1/tariffs", params={"limit": 2}).json()
    rest = client.get("/api/v1/tariffs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["name"] for row in first["items"] + rest["items"]] == ["C", "B", "A"]
    assert rest["next_cursor"] is None


async def test_a_repeated_name_is_refused(client):
    made = client.post("/api/v1/tariffs", json=DOCUMENT).json()
    again = client.post("/api/v1/tariffs", json={**DOCUMENT, "name": "YARD"})
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "tariff-name-taken")
    assert client.get("/api/v1/tariffs").json()["items"][0]["id"] == made["id"]


async def test_a_document_without_a_zone_is_by_the_clock_of_the_site_then_of_its_tariff(client, clock):
    """No tariff of OCPI names a zone; its hours are those of the place."""
    assert client.post("/api/v1/tariffs", json=DOCUMENT).json()["timezone"] == "Europe/Prague"
    far = client.post("/api/v1/tariffs", json={**DOCUMENT, "name": "Far", "timezone": "Asia/Tokyo"}).json()
    assert far["timezone"] == "Asia/Tokyo"
    clock.step(seconds=60)
    address = f"/api/v1/tariffs/{far['id']}/versions"
    unzoned = {**DOCUMENT, "name": "Far"}
    assert client.post(address, json=unzoned).json()["timezone"] == "Asia/Tokyo"
    assert client.post(address, json={**unzoned, "timezone": "UTC"}).json()["timezone"] == "UTC"
    use = {"energy_wh": 1, "duration_s": 1, "tariff": DOCUMENT}
    assert client.post("/api/v1/tariffs/preview", json=use).json()["tariff"]["timezone"] == "Europe/Prague"
    newer = client.post("/api/v1/tariffs/preview", json={**use, "tariff_id": far["id"]}).json()
    assert newer["tariff"]["timezone"] == "UTC"


async def test_a_tariff_holds_and_is_taken_away_only_where_a_station_is(client):
    made = client.post("/api/v1/tariffs", json=DOCUMENT).json()
    for tariff_id in (made["id"], None):
        answer = client.post("/api/v1/tariffs/assignments", json={"tariff_id": tariff_id, "station": "NOPE"})
        assert answer.status_code == 404
