"""Tariffs as JSON and as forms: read exactly, refused with the place of what is wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from tests.tariffs.test_tally import tariffs

from commonwatt.kernel import BTC, EUR, Instant
from commonwatt.tariffs import Component, Element, Kind, Price, Restrictions, explain, parse_tariff, write_tariff
from commonwatt.tariffs.document import encode_tariff
from commonwatt.tariffs.errors import TariffInvalid
from commonwatt.tariffs.forms import form_from_tariff, span_seconds, tariff_from_form


def document(**more):
    component = {"kind": "ENERGY", "price": "0.45", "vat": 20}
    return {"name": "Yard", "asset": "EUR", "elements": [{"components": [component]}], **more}


def with_component(**more):
    return document(elements=[{"components": [{"kind": "ENERGY", "price": "0.45", **more}]}])


def element(vat, price=1):
    return {"components": [{"kind": "ENERGY", "price": price, "vat": vat}]}


def restricted(**limit):
    return document(elements=[{"components": [{"kind": "TIME", "price": 1}], "restrictions": limit}])


@settings(max_examples=200, deadline=None)
@given(tariffs(blocks=True))
def test_what_is_written_is_read_back(terms):
    again = parse_tariff(encode_tariff(terms))
    assert (again.elements, again.min_price, again.max_price) == (terms.elements, terms.min_price, terms.max_price)
    assert (again.timezone, again.vat_included, again.asset) == (terms.timezone, terms.vat_included, terms.asset)
    assert write_tariff(again) == write_tariff(terms)


@pytest.mark.parametrize("price", ["0.45", 0.45, b"0.45", "  0.450000 "])
def test_prices_are_read_exactly(price):
    if isinstance(price, bytes):
        found = parse_tariff(b'{"name":"x","asset":"EUR","elements":[{"components":[{"kind":"ENERGY","price":0.45}]}]}')
    else:
        found = parse_tariff(with_component(price=price))
    assert found.elements == (Element((Component(Kind.ENERGY, 450_000),)),)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"{", ""),
        (b'{"a":' * 2000, ""),
        (b" " * 300_000, ""),
        (b"\xff\xfe", ""),
        (document(elements=[]), "elements"),
        (document(elements="many"), "elements"),
        (document(elements=[{"components": []}]), "elements.0.components"),
        (document(elements=[{"components": [{"kind": "ENERGY"}]}]), "elements.0.components.0.price"),
        (document(elements=[{"components": [{"kind": "MINIMUM", "price": 1}]}]), "elements.0.components.0.kind"),
        (document(elements=[{"components": [{"kind": "FLAT", "price": 1}] * 2}]), "elements.0.components"),
        (document(elements=[{"components": [{"kind": "FLAT", "price": 1}]}] * 51), "elements"),
        (document(asset="EURO"), "asset"),
        (document(asset="WH"), "asset"),
        (document(asset="ABC"), "asset"),
        (document(currency="XXX", asset=None), "currency"),
        (document(currency=7, asset=None), "currency"),
        (document(name="x" * 101), "name"),
        (document(name="a\nb"), "name"),
        (document(timezone="Europe/Nowhere"), "timezone"),
        (document(timezone="../../etc/passwd"), "timezone"),
        (document(vat_included="yes"), "vat_included"),
        (document(surprise=1), "surprise"),
        (document(valid_from="tomorrow"), "valid_from"),
        (document(valid_from="2026-05-01T00:00:00"), "valid_from"),
        (document(valid_from=1777636800), "valid_from"),
        (document(valid_from="0001-01-01T00:00:00Z"), "valid_from"),
        (document(valid_to="9999-12-31T23:59:59-23:59"), "valid_to"),
        (document(valid_from="2026-05-02T00:00:00Z", valid_to="2026-05-01T00:00:00Z"), "valid_to"),
        (document(min_price={"net": 2, "gross": 1}), "min_price.gross"),
        (document(min_price={"net": 2}, max_price={"net": 1}), "max_price"),
        (document(elements=[element(10), element(20)], max_price={"excl_vat": 10}), "max_price.gross"),
        (with_component(price=-1), "elements.0.components.0.price"),
        (with_component(price="NaN"), "elements.0.components.0.price"),
        (with_component(price="Infinity"), "elements.0.components.0.price"),
        (with_component(price=float("nan")), "elements.0.components.0.price"),
        (with_component(price="1e400000000"), "elements.0.components.0.price"),
        (with_component(price="1e-40"), "elements.0.components.0.price"),
        (with_component(price="0.4500001"), "elements.0.components.0.price"),
        (with_component(price="9" * 60), "elements.0.components.0.price"),
        (with_component(price=True), "elements.0.components.0.price"),
        (with_component(price="cheap"), "elements.0.components.0.price"),
        (with_component(vat=101), "elements.0.components.0.vat"),
        (with_component(step_size=1.5), "elements.0.components.0.step_size"),
        (with_component(step_size=-1), "elements.0.components.0.step_size"),
        (restricted(start_time="24:00"), "elements.0.restrictions.start_time"),
        (restricted(start_time="9:00"), "elements.0.restrictions.start_time"),
        (restricted(start_time=900), "elements.0.restrictions.start_time"),
        (restricted(start_time="09:00", end_time="09:00"), "elements.0.restrictions.end_time"),
        (restricted(start_date="2026-02-30"), "elements.0.restrictions.start_date"),
        (restricted(start_date="2026-05-02", end_date="2026-05-02"), "elements.0.restrictions.end_date"),
        (restricted(min_kwh=2, max_kwh=2), "elements.0.restrictions.max_kwh"),
        (restricted(max_duration=0), "elements.0.restrictions.max_duration"),
        (restricted(min_kwh="0.0001"), "elements.0.restrictions.min_kwh"),
        (restricted(day_of_week=["FUNDAY"]), "elements.0.restrictions.day_of_week"),
        (restricted(reservation="RESERVATION"), "elements.0.restrictions.reservation"),
        (restricted(phase="moon"), "elements.0.restrictions.phase"),
    ],
)
def test_what_cannot_be_priced_is_refused_by_its_field(wrong, field):
    with pytest.raises(TariffInvalid) as caught:
        parse_tariff(wrong)
    assert caught.value.fields["field"] == field
    assert caught.value.detail.endswith(".")


def test_an_amount_without_vat_gets_the_rate_that_all_prices_share():
    """OCPI 2.2.1 lets Price.incl_vat away; a price of nothing has no say."""
    found = parse_tariff(document(elements=[element(20), element(0, price=0)], min_price={"excl_vat": 5}))
    assert found.min_price == Price(5_000_000, 6_000_000)
    found = parse_tariff(document(elements=[element(0)], min_price={"excl_vat": 5}))
    assert found.min_price == Price(5_000_000, 5_000_000)
    two = [element(10), element(20)]
    found = parse_tariff(document(elements=two, max_price={"excl_vat": 10, "incl_vat": 11.5}))
    assert found.max_price == Price(10_000_000, 11_500_000)


def test_a_form_makes_a_tariff():
    fields = {
        "name": "Yard",
        "energy": "0,45",
        "flat": "1",
        "idle": "0.10",
        "idle_after": "15m",
        "night_energy": "0.30",
        "night_from": "22:00",
        "night_to": "06:00",
        "vat": "20",
        "max": "60",
        "valid_from": "",
    }
    found = tariff_from_form(fields, timezone="Europe/Prague")
    assert found.asset == EUR
    assert found.vat_included
    assert found.elements == (
        Element((Component(Kind.ENERGY, 300_000, 200_000),), Restrictions(start_minute=22 * 60, end_minute=6 * 60)),
        Element((Component(Kind.FLAT, 1_000_000, 200_000), Component(Kind.ENERGY, 450_000, 200_000))),
        Element((Component(Kind.PARKING_TIME, 6_000_000, 200_000, 0),), Restrictions(min_parked_s=900)),
    )
    assert found.max_price == Price(50_000_000, 60_000_000)
    form = form_from_tariff(found)
    assert form is not None
    assert tariff_from_form(form).elements == found.elements
    ends = tariff_from_form({**fields, "valid_from": "2026-06-01T00:00:00Z", "valid_to": "2027-01-01T00:00:00Z"})
    again = tariff_from_form(form_from_tariff(ends))
    assert (again.valid_from, again.valid_to) == (ends.valid_from, ends.valid_to)


def test_a_form_may_hold_a_whole_document():
    assert tariff_from_form({"document": encode_tariff(parse_tariff(document()))}) == parse_tariff(document())


def test_a_document_without_a_zone_takes_the_one_it_is_read_with():
    assert parse_tariff(document(), timezone="Europe/Prague").timezone == "Europe/Prague"
    named = document(timezone="Asia/Tokyo")
    assert parse_tariff(named, timezone="Europe/Prague").timezone == "Asia/Tokyo"
    fields = {"document": json.dumps(document()), "timezone": "Europe/Vienna"}
    assert tariff_from_form(fields, timezone="Europe/Prague").timezone == "Europe/Vienna"
    assert tariff_from_form({"document": fields["document"]}, timezone="Europe/Prague").timezone == "Europe/Prague"
    assert tariff_from_form({**fields, "document": json.dumps(named)}).timezone == "Asia/Tokyo"


def test_what_a_form_cannot_say_is_not_forced_into_one():
    assert form_from_tariff(parse_tariff(restricted(max_kwh=3))) is None


def test_bitcoin_prices_and_spans():
    found = tariff_from_form({"name": "x", "currency": "btc", "energy": "0.00000600", "time": "0.00000060/h"})
    assert found.asset == BTC
    assert [component.price for component in found.elements[0].components] == [600_000, 60_000]
    assert [span_seconds(said, "f") for said in ("15", "15m", "1h30m", "90s", "2 h", "10min")] == [
        900,
        900,
        5400,
        90,
        7200,
        600,
    ]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "energy"),
        ({"name": "x"}, "energy"),
        ({"energy": "free"}, "energy"),
        ({"energy": "0.45", "currency": "EURO"}, "currency"),
        ({"energy": "0.45", "currency": "ABC"}, "currency"),
        ({"energy": "0.45", "vat": "200"}, "vat"),
        ({"energy": "0.45", "vat_included": "perhaps"}, "vat_included"),
        ({"energy": "0.45", "idle": "1/day"}, "idle"),
        ({"energy": "0.45", "idle": "1", "idle_after": "soon"}, "idle_after"),
        ({"energy": "0.45", "night_energy": "0.30"}, "night_from"),
        ({"energy": "0.45", "night_energy": "0.30", "night_from": "25:00", "night_to": "06:00"}, "night_from"),
        ({"energy": "0.45", "energy_step": "x"}, "energy_step"),
        ({"energy": "0.45", "valid_from": "soon"}, "valid_from"),
        ({"energy": "0.45", "min": "5", "max": "4"}, "max"),
        ({"energy": "0.45", "timezone": "Mars"}, "timezone"),
        ({"energy": "0.45", "discount": "1"}, "discount"),
    ],
)
def test_a_wrong_form_is_refused_by_its_field(fields, field):
    with pytest.raises(TariffInvalid) as caught:
        tariff_from_form(fields)
    assert caught.value.fields["field"] == field


def test_a_tariff_in_words():
    found = tariff_from_form(
        {"name": "x", "energy": "0.45", "idle": "0.10", "idle_after": "15m", "vat": "20", "max": "60"}
    )
    assert explain(found) == [
        "0.45 EUR per kWh, 20 % VAT included.",
        "6.00 EUR per hour connected without charging, 20 % VAT included, after 15 min without charging.",
        "At most 60.00 EUR per session, 50.00 EUR before VAT.",
    ]
    free = parse_tariff(with_component(price=0))
    assert explain(free) == ["Free per kWh."]
    assert explain(parse_tariff(document())) == ["0.45 EUR per kWh plus 20 % VAT."]


def test_restrictions_in_words():
    found = parse_tariff(
        restricted(start_time="09:00", end_time="18:30", day_of_week=["MONDAY"], min_kwh=1, max_kwh=20, min_power=11)
    )
    assert explain(found)[0] == (
        "1.00 EUR per hour of charging, from 09:00 to 18:30, on Monday, from 1 kWh to 20 kWh, at 11 kW and more."
    )


def test_validity_is_read():
    found = parse_tariff(document(start_date_time="2026-05-01T00:00:00Z", end_date_time="2026-06-01T02:00:00+02:00"))
    assert (found.valid_from, found.valid_to) == (
        Instant.parse("2026-05-01T00:00:00Z"),
        Instant.parse("2026-06-01T00:00:00Z"),
    )
