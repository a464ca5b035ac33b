"""The owner's pages about tariffs: made with a preview, changed by versions, assigned, retired; bad input, roles."""

import re

import pytest
from tests.charging.pages_house import AUDITOR, House

from commonwatt.kernel import EUR
from commonwatt.kit.pages.assets import BUILT
from commonwatt.kit.web import Site
from commonwatt.tariffs import Component, Element, Kind, Rate, Tariff, create_tariff, history, store_rate
from commonwatt.tariffs.model.tariff import Restrictions
from commonwatt.tariffs.pages import _draft

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
FORM = {"name": "Yard", "currency": "EUR", "energy": "0,42", "flat": "0.50", "idle": "0.05", "idle_after": "30"}


@pytest.fixture
def house(database, clock, ids):
    return House(database, clock, ids)


@pytest.fixture
def priced(house):
    place = house.send("/tariffs/new", **FORM, vat="21", save="yes")
    return house, re.search(r"/tariffs/([0-9a-f-]{36})", place)[1]


def test_an_empty_list_says_what_a_tariff_is_for(house):
    page = house.open("/tariffs")
    assert "No tariff yet" in page
    assert "No price of bitcoin in EUR is known yet" in page
    assert "No tariff matches" in house.open("/tariffs", q="night")


def test_a_tariff_is_made_and_holds_everywhere_when_asked(house):
    house.send("/tariffs/new", **FORM, everywhere="yes", save="yes")
    assert "every charge point" in house.open("/tariffs")
    assert "error-summary" in house.send("/tariffs/new", 409, **FORM, save="yes")
    house.send("/tariffs/new", **{**FORM, "name": "Another"}, save="yes")
    assert "Not assigned" in house.open("/tariffs")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"energy": "cheap"}, "energy"),
        ({"name": ""}, "name"),
        ({"energy": "", "flat": "", "idle": ""}, "energy"),
        ({"currency": "EURO"}, "currency"),
        ({"vat": "2100"}, "vat"),
        ({"idle_after": "a while"}, "idle_after"),
        ({"valid_from": "2001-01-01T00:00:00Z"}, "valid_from"),
        ({"document": "{"}, "document"),
        ({"night_energy": "0.2"}, "night_from"),
    ],
)
def test_a_form_with_a_mistake_comes_back_with_what_was_typed(house, wrong, field):
    page = house.send("/tariffs/new", 422, **{**FORM, **wrong}, save="yes")
    assert "error-summary" in page
    assert f'href="#f-{field}"' in page or field == "document"
    assert 'value="0.50"' in page or not {**FORM, **wrong}["flat"]
    assert "No tariff yet" in house.open("/tariffs")


@pytest.mark.parametrize(
    ("typed", "instant"),
    [("2030-06-01T08:30", "2030-06-01T06:30:00.000Z"), ("2030-06-01T08:30:00Z", "2030-06-01T08:30:00.000Z")],
)
def test_a_day_of_the_form_is_by_the_clock_of_the_site(typed, instant):
    site = Site("Hilltop", "http://localhost:8080", timezone="Europe/Prague")
    assert _draft({**FORM, "valid_from": typed}, site).valid_from.iso() == instant


@pytest.mark.parametrize("typed", ["0001-01-01T00:00", "9999-12-31T23:59", "2030-02-30T08:00", "soon", "2030"])
def test_a_day_that_cannot_be_comes_back_as_it_was_typed(house, typed):
    page = house.send("/tariffs/new", 422, **FORM, valid_from=typed, save="yes")
    assert 'href="#f-valid_from"' in page
    assert f'value="{typed}"' in page


def test_the_preview_is_what_the_bill_would_be(house, clock):
    rate = Rate("", "EUR", 60_000_000_000, clock.now(), ("fixed",))
    house.act(store_rate, rate)
    piece = house.send("/tariffs/preview", 200, **FORM)
    assert "13.10" in piece, "30 kWh for 0.42 and a start of 0.50"
    assert "17.60" in piece, "and 90 of 120 minutes parked for 0.05"
    assert "21,833" in piece
    assert "<html" not in piece
    assert "is no number" in house.send("/tariffs/preview", 200, energy="x")
    shown = house.send("/tariffs/new", 200, **FORM, preview="yes")
    assert "13.10" in shown
    assert "No tariff yet" in house.open("/tariffs")


def test_one_tariff_tells_what_a_charge_would_cost(priced):
    house, tariff_id = priced
    page = house.open(f"/tariffs/{tariff_id}", energy_kwh="10,5", minutes="60", parked="60")
    assert "6.41" in page, "4.41 of energy, 0.50 of the start, 30 min for 0.05"
    for wrong in ("-1", "1e9", "NaN", "many"):
        assert "is no number from 0" in house.open(f"/tariffs/{tariff_id}", energy_kwh=wrong)
    house.open("/tariffs/nonsense", 404)


NIGHT = {"name": "Night", "energy": "0.60", "night_energy": "0.20", "night_from": "22:00", "night_to": "06:00"}


def test_a_cost_is_told_for_the_hour_at_which_it_begins(house):
    place = house.send("/tariffs/new", **NIGHT, save="yes")
    there = place.partition("?")[0]
    now = house.open(there, energy_kwh="10")
    assert "6.00" in now
    assert 'name="start" type="datetime-local" value="2026-05-01T12:00"' in now
    assert "For a session that begins on" in now
    assert "12:00:00" in now
    night = house.open(there, energy_kwh="10", start="2026-05-02T23:00")
    assert "2.00" in night
    assert "23:00:00" in night
    assert "is no moment" in house.open(there, start="soon")


def test_the_preview_begins_when_asked(house):
    day = house.send("/tariffs/preview", 200, **NIGHT)
    assert "18.00" in day
    assert "12:00:00" in day
    assert "(UTC)" in day
    night = house.send("/tariffs/preview", 200, **NIGHT, start="2026-05-01T22:30")
    assert "6.00" in night
    assert "22:30:00" in night
    wrong = house.send("/tariffs/preview", 200, **NIGHT, start="soon")
    assert "is no moment" in wrong
    assert "18.00" in wrong, "from now"
    page = house.send("/tariffs/new", 200, **NIGHT, start="2026-05-01T22:30", preview="yes")
    assert 'type="datetime-local" value="2026-05-01T22:30"' in page


def test_a_number_that_cannot_be_read_is_quoted_as_it_was_typed(house):
    page = house.send("/tariffs/new", 422, **{**FORM, "energy": "1,234.56"}, save="yes")
    assert "&#39;1,234.56&#39; is no number" in page
    page = house.send("/tariffs/new", 422, **{**FORM, "time": "1,234.56/h"}, save="yes")
    assert "&#39;1,234.56&#39; is no number" in page


def test_a_document_that_lacks_a_field_hears_which(house):
    document = '{"elements": [{"components": [{"kind": "ENERGY"}]}], "asset": "EUR", "name": "A"}'
    page = house.send("/tariffs/new", 422, name="A", document=document, save="yes")
    assert "The field elements.0.components.0.price is missing." in page
    page = house.send("/tariffs/new", 422, name="A", document='{"elements": []}', save="yes")
    assert "The field asset is missing." in page


def test_a_place_is_told_with_since_when_it_holds(priced):
    house, tariff_id = priced
    house.furnish()
    house.send(f"/tariffs/{tariff_id}/assign", place="CP-1/2")
    page = re.sub("<[^>]+>", "", house.open(f"/tariffs/{tariff_id}"))
    assert "Garage, connector 2 since 12:00" in page


def test_a_change_is_a_new_version_and_the_old_one_stays(priced, clock):
    house, tariff_id = priced
    form = house.open(f"/tariffs/{tariff_id}/edit")
    assert 'name="idle" type="text" value="0.05"' in form, "per minute, as the form's unit says"
    assert 'value="30"' in form
    expected = re.search(r'name="expected" value="([^"]+)"', form)[1]
    clock.step(seconds=60)
    house.send(f"/tariffs/{tariff_id}/edit", **{**FORM, "energy": "0.50"}, expected=expected, save="yes")
    with house.database.engine.connect() as sql:
        prices = [version.tariff.elements[0].components[1].price for version in history(sql, tariff_id)]
    assert prices == [500_000, 420_000]
    page = house.send(f"/tariffs/{tariff_id}/edit", 412, **FORM, expected=expected, save="yes")
    assert "got version 2 after you read it" in page


def test_a_price_that_ends_still_ends_after_its_change(house, clock):
    ends = clock.now().plus(seconds=30 * 86_400)
    until = ends.utc().replace(tzinfo=None).isoformat()
    place = house.send("/tariffs/new", **FORM, valid_to=until, save="yes")
    tariff_id = re.search(r"/tariffs/([0-9a-f-]{36})", place)[1]
    clock.step(seconds=60)
    form = house.open(f"/tariffs/{tariff_id}/edit")
    assert re.search(r'name="valid_from"[^>]*value=""', form), "it holds already: a change begins now"
    shown = re.search(r'name="valid_to"[^>]*value="([^"]+)"', form)[1]
    expected = re.search(r'name="expected" value="([^"]+)"', form)[1]
    house.send(f"/tariffs/{tariff_id}/edit", **FORM, valid_to=shown, expected=expected, save="yes")
    with house.database.engine.connect() as sql:
        assert [version.tariff.valid_to for version in history(sql, tariff_id)] == [ends, ends]


def test_a_tariff_beyond_the_form_is_edited_as_its_document(house):
    element = Element((Component(Kind.ENERGY, 300_000),), Restrictions(weekdays=(5, 6)))
    fancy = Tariff("", "", "Weekend", EUR, (element, Element((Component(Kind.ENERGY, 400_000),))))
    tariff_id = house.act(create_tariff, fancy).id
    page = house.open(f"/tariffs/{tariff_id}/edit")
    document = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1]
    assert "weekdays" in document
    assert "day_of_week" in document or "weekdays" in document


def test_a_document_without_a_zone_is_by_the_clock_of_its_tariff(house):
    """The form sends the zone along, and a form that does not leaves the tariff by its own clock."""
    document = '{"name": "A", "asset": "EUR", "elements": [{"components": [{"kind": "ENERGY", "price": 1}]}]}'
    element = Element((Component(Kind.ENERGY, 300_000),), Restrictions(weekdays=(5, 6)))
    far = Tariff("", "", "A", EUR, (element, Element((Component(Kind.ENERGY, 400_000),))), timezone="Asia/Tokyo")
    tariff_id = house.act(create_tariff, far).id
    assert 'name="timezone" value="Asia/Tokyo"' in house.open(f"/tariffs/{tariff_id}/edit")
    house.send(f"/tariffs/{tariff_id}/edit", document=document, save="yes")
    with house.database.engine.connect() as sql:
        assert [version.tariff.timezone for version in history(sql, tariff_id)] == ["Asia/Tokyo", "Asia/Tokyo"]
    site = Site("Hilltop", "http://localhost:8080", timezone="Europe/Prague")
    assert _draft({"document": document}, site).timezone == "Europe/Prague"


def test_a_tariff_is_assigned_taken_away_and_retired(priced):
    house, tariff_id = priced
    house.furnish()
    page = house.open(f"/tariffs/{tariff_id}")
    assert '<option value="CP-1/2">' in page
    house.send(f"/tariffs/{tariff_id}/assign", place="CP-1/2")
    assert "connector 2" in house.open(f"/tariffs/{tariff_id}")
    there = house.send(f"/tariffs/{tariff_id}/retire")
    assert there == f"/tariffs/{tariff_id}?done=in-use"
    page = house.open(there)
    assert "The tariff was not retired: it still holds at Garage, connector 2." in page
    assert f'action="/tariffs/{tariff_id}/unassign"' in page
    house.send(f"/tariffs/{tariff_id}/unassign", place="CP-1/2")
    assert "was not retired" not in house.open(there), "it holds nowhere now"
    house.send(f"/tariffs/{tariff_id}/retire")
    assert "Yard" not in house.open("/tariffs")
    assert "Yard" in house.open("/tariffs", retired="yes")
    house.send(f"/tariffs/{tariff_id}/assign", 409, place="*")


@pytest.mark.parametrize("place", ["", "/1", "CP-1/x", "CP-1/99999", "x" * 70])
def test_a_place_that_cannot_be_is_refused(priced, place):
    house, tariff_id = priced
    house.send(f"/tariffs/{tariff_id}/assign", 400, place=place)


def test_auditors_read_prices_and_change_none(priced):
    house, tariff_id = priced
    house.box["actor"] = AUDITOR
    assert "/tariffs/new" not in house.open("/tariffs")
    main = house.open(f"/tariffs/{tariff_id}")
    assert f"/tariffs/{tariff_id}/retire" not in main
    assert "13.10" in main
    for place in ("assign", "unassign", "retire", "edit"):
        house.send(f"/tariffs/{tariff_id}/{place}", 403, place="*")
    house.send("/tariffs/new", 403, **FORM)
    house.open("/tariffs/new", 403)
