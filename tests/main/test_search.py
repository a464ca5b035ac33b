"""The palette's search: everything by a piece of its name or id, and nobody finds what he may not read."""

import pytest
from tests.charging.pages_house import AUDITOR, OWNER, House

from commonwatt.kit.pages.assets import BUILT
from commonwatt.members import Actor

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


def test_each_reader_finds_what_he_may_read(house):
    charge = house.charge()
    assert find(house, "04A2") == [f"/sessions/{charge.id}"]
    assert find(house, "04A2", AUDITOR) == [], "a tag is not found by guessing"
    assert find(house, "gara", PROGRAM) == []
    assert find(house, charge.id, PROGRAM) == [f"/sessions/{charge.id}"]
