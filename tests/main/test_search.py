"""The palette's search: everything by a piece of its name or id, and nobody finds what he may not read."""

from hashlib import sha256

import pytest
from tests.charging.pages_house import AUDITOR, OWNER, House

from commonwatt.kit.pages.assets import BUILT
from commonwatt.members import Actor
from commonwatt.payments.actions.request_invoice import Order, draft_invoice

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
PROGRAM = Actor("token/1", "report", scopes=frozenset({"sessions:read"}))


@pytest.fixture
def house(database, clock, ids):
    house = House(database, clock, ids)
    house.furnish()
    return house


def find(house, words, actor=OWNER):
    house.box["actor"] = actor
    answer = house.client.get("/search", params={"q": words})
    assert answer.status_code == 200, answer.text
    return [hit["href"] for hit in answer.json()["items"]]


def test_things_are_found_by_name_number_and_id(house):
    charge = house.charge()
    assert "/stations/CP-1" in find(house, "gara")
    assert find(house, "cp-1-2") == ["/stations/CP-1"]
    assert find(house, charge.id) == [f"/sessions/{charge.id}"]
    assert find(house, charge.id[-12:]) == [f"/sessions/{charge.id}"]
    assert [href for href in find(house, "standard") if href.startswith("/tariffs/")]
    assert find(house, "x") == []
    assert find(house, "nothing like it") == []


def hits(house, words, **headers):
    return house.client.get("/search", params={"q": words}, headers=headers).json()["items"]


def test_what_is_found_says_what_it_is_where_when_and_how_much(house):
    charge = house.charge()
    assert hits(house, charge.id) == [
        {
            "href": f"/sessions/{charge.id}",
            "kind": "Session",
            "label": "Garage, connector 1",
            "hint": "Finished, 1 May 2026, 12:00:00, 2.10 EUR",
        }
    ]
    assert hits(house, "cp-1-2")[0] == {
        "href": "/stations/CP-1",
        "kind": "Connector",
        "label": "Garage, connector 2",
        "hint": "cp-1-2, Free",
    }
    assert [hit["hint"] for hit in hits(house, "Garage") if hit["kind"] == "Station"] == ["CP-1, Online"]
    assert {"kind": "Tariff", "label": "Standard", "hint": "In force"}.items() <= hits(house, "standard")[0].items()


def test_what_is_found_is_told_in_the_language_of_the_reader(house):
    charge = house.charge()
    (hit,) = hits(house, charge.id, **{"accept-language": "de"})
    assert (hit["kind"], hit["label"]) == ("Ladevorgang", "Garage, Anschluss 1")
    assert hit["hint"].startswith("Fertig, 01.05.2026, 12:00:00, 2,10")


def test_payments_are_told_by_what_they_are_for(house):
    order = Order("sandbox", "session/1", "session:1", 100_000, "Charging at Garage", None, 600, False, None)
    payment_hash = sha256(house.act(draft_invoice, order)).hexdigest()
    (hit,) = hits(house, payment_hash)
    assert (hit["kind"], hit["label"]) == ("Payment", "Charging at Garage")
    assert hit["hint"] == "Being made, 1 May 2026, 12:00:00, 100 sats"


def test_each_reader_finds_what_he_may_read(house):
    charge = house.charge()
    assert find(house, "04A2") == [f"/sessions/{charge.id}"]
    assert find(house, "04A2", AUDITOR) == [], "a tag is not found by guessing"
    assert find(house, "gara", PROGRAM) == []
    assert find(house, charge.id, PROGRAM) == [f"/sessions/{charge.id}"]
