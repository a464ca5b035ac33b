"""What an owner reads when his input does not work: in German on a German page, beside the field."""

import pytest
from tests.charging.pages_house import House
from tests.german import GERMAN, words_of

from commonwatt.kit.pages.assets import BUILT

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")


@pytest.fixture
def house(database, clock, ids):
    house = House(database, clock, ids)
    house.tariff = house.furnish()
    return house


def told(house, path, status, **form):
    send = house.client.post if form else house.client.get
    more = {"data": form, "follow_redirects": False} if form else {}
    answer = send(path, headers=GERMAN, **more)
    assert answer.status_code == status, answer.text
    return words_of(answer.text)


def test_a_station_that_cannot_be_added(house):
    said = told(house, "/stations/new", 422, identity="???", name="Hof")
    assert "Eine Kennung hat 1 bis 48 Buchstaben, Ziffern oder Zeichen" in said
    assert "Es gibt schon eine Station CP-1;" in told(house, "/stations/new", 409, identity="CP-1", name="Hof")
    assert "Keine Station heißt NOBODY." in told(house, "/stations/NOBODY", 404)


def test_a_tag_that_cannot_be_added(house):
    assert "Die Karte 04A2 ist schon bekannt." in told(house, "/tags", 409, id_tag="04A2", holder="Ada")
    for wrong in ("x" * 50, "Grün"):
        said = told(house, "/tags", 422, id_tag=wrong, holder="Ada")
        assert "Eine Karte hat 1 bis 20 druckbare Zeichen ohne Umlaute und Akzente" in said


@pytest.mark.parametrize(
    ("typed", "german"),
    [
        ({"energy": "0,3x"}, "ist keine Zahl. Schreiben Sie sie wie 0.45."),
        ({"energy": "-1"}, "liegt außerhalb der Grenzen: 0 bis "),
        ({}, "Nennen Sie mindestens einen Preis"),
        ({"energy": "0.40", "idle": "0.10", "idle_after": "soon"}, "ist keine Zeitspanne."),
        ({"energy": "0.40", "currency": "GOLD"}, "ist keine Währung."),
        ({"document": "{"}, "Das ist kein JSON"),
        ({"document": "[]"}, "Ein Tarif ist ein JSON-Objekt"),
    ],
)
def test_the_tariff_editor_says_what_is_wrong(house, typed, german):
    assert german in told(house, "/tariffs/new", 422, name="Nacht", **typed)


def test_a_need_on_the_overview_is_translated(house):
    house.line.is_connected = lambda _identity: False
    assert "No exchange rate" not in told(house, "/overview", 200)
