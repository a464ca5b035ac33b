"""The codes of currencies, against the ones that CLDR says people pay with."""

from __future__ import annotations

from datetime import date

from babel.core import get_global
from babel.numbers import get_territory_currencies, list_currencies

from commonwatt.kernel import Asset, is_currency
from commonwatt.kernel.currency import CURRENCIES

DAY = date(2026, 2, 1)


def test_every_currency_that_is_tender_somewhere_is_known():
    tender = {code for place in get_global("territory_currencies") for code in get_territory_currencies(place, DAY)}
    assert tender - CURRENCIES <= {"BGN"}, "add these, or say here since when nobody pays with them"
    assert CURRENCIES - set(list_currencies()) == set()


def test_three_letters_are_not_a_currency():
    assert all(is_currency(code) for code in ("EUR", "CZK", "CHF", "XOF"))
    assert not any(is_currency(code) for code in ("ABC", "EURO", "eur", "", "XXX", "XTS", "XAU", "DEM", "BTC", "WH"))
    assert all(Asset.of(code).scale == 6 for code in CURRENCIES)
