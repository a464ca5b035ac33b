"""The owner's pages name places as programs and the terminal do: stations that exist, whatever their identity."""

import pytest
from tests.charging.pages_house import House

from commonwatt.kit.pages.assets import BUILT
from commonwatt.tariffs import assignment_history, list_tariffs

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")


@pytest.fixture
def house(database, clock, ids):
    house = House(database, clock, ids)
    house.furnish()
    return house


def test_a_tariff_is_assigned_to_stations_that_exist_only(house):
    tariff = house.act(lambda work: list_tariffs(work.sql, work.now)[0].id)
    path = f"/tariffs/{tariff}/assign"
    house.send(path, place="CP-1/2")
    assert "Did you mean CP-1?" in house.send(path, 404, place="CP-11")
    house.send(path, 404, place="nowhere/1")
    places = {(row.station, row.connector) for row in house.act(lambda work: assignment_history(work.sql))}
    assert places == {("", 0), ("CP-1", 2)}


def test_an_identity_with_a_space_inside_has_pages(house):
    made = house.send("/stations/new", 200, identity="CP 7")
    assert "/ocpp/CP%207" in made
    assert "CP 7" in house.open("/stations/CP%207")
    assert "spaces inside" in house.send("/stations/new", 422, identity="CP/7")
