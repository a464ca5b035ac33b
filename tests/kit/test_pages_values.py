"""How values read: units, digits, the unknown, languages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.kernel import BTC, EUR, Amount, Asset, Instant, WattHour
from commonwatt.kit.pages import values
from commonwatt.kit.pages.page import Page, rendering
from commonwatt.kit.web import Site

NOW = Instant.parse("2026-05-01T12:00:00Z")
SITE = Site("Hilltop", "http://localhost:8080", timezone="Europe/Prague")


def plain(text: str) -> str:
    """Drop the markup and write every kind of space as a space."""
    return re.sub(r"[\u00a0\u202f\u2009]", " ", re.sub(r"<[^>]+>", "", str(text)))


@pytest.fixture(autouse=True)
def english():
    with rendering(Page(NOW, SITE)):
        yield


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (4_203_100, "4.20 EUR"),
        (-1_500_000, "\u22121.50 EUR"),
        (0, "0.00 EUR"),
        (3_400, "0.0034 EUR"),
        (1, "0.000001 EUR"),
        (-9_999, "\u22120.0100 EUR"),
        (1_234_567_890_000, "1,234,567.89 EUR"),
    ],
)
def test_money(units, text):
    assert plain(values.money(Amount(EUR, units))) == text


@pytest.mark.parametrize(
    ("msat", "text"),
    [(6_113_400, "6,113 sats"), (9_500, "9.5 sats"), (1, "0.001 sats"), (1_000, "1 sats"), (0, "0 sats")],
)
def test_sats(msat, text):
    assert plain(values.money(Amount(BTC, msat))) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Amount(BTC, 136_118), "136.118 sats"),
        (Amount(BTC, -114_384), "\u2212114.384 sats"),
        (Amount(BTC, 9_000_000), "9,000 sats"),
        (Amount(BTC, 1), "0.001 sats"),
        (Amount(BTC, 0), "0 sats"),
        (Amount(EUR, 240_100), "0.240100 EUR"),
        (Amount(EUR, -4_203_111), "\u22124.203111 EUR"),
        (Amount(EUR, 5_000_000), "5.00 EUR"),
        (Amount(EUR, 100_000_000), "100.00 EUR"),
        (Amount(Asset.of("JPY"), 512_000_000), "512 JPY"),
        (Amount(Asset.of("WH"), 84_250), "84,250 Wh"),
    ],
)
def test_the_books_are_told_to_the_last_unit(amount, text):
    assert plain(values.booked(amount)) == text


@given(st.lists(st.integers(min_value=-(10**9), max_value=10**9), max_size=5))
def test_what_the_books_show_adds_up(parts):
    shown = [plain(values.booked_text(Amount(BTC, part))) for part in (*parts, sum(parts))]
    read = [round(float(text.removesuffix(" sats").replace(",", "").replace("\u2212", "-")) * 1000) for text in shown]
    assert sum(read[:-1]) == read[-1]


def test_money_has_its_exact_value_on_hover_and_the_sats_beside():
    shown = values.money(Amount(EUR, 4_203_111), Amount(BTC, 6_113_401))
    assert plain(shown) == "4.20 EUR 6,113 sats"
    assert "4.203111 EUR" in shown
    assert "6,113,401 msat" in shown


def test_a_currency_without_decimals_shows_none():
    assert plain(values.money(Amount(Asset.of("JPY"), 512_000_000))) == "512 JPY"


@pytest.mark.parametrize(
    ("wh", "text"),
    [(0, "0 kWh"), (1, "1 Wh"), (99, "99 Wh"), (100, "0.100 kWh"), (9_020, "9.02 kWh"), (84_250, "84.2 kWh"),
     (123_456, "123 kWh"), (999_999, "1000 kWh"), (1_234_567, "1.23 MWh"), (-4_000, "\u22124.00 kWh")],
)  # fmt: skip
def test_energy(wh, text):
    assert plain(values.energy(wh)).replace(",", "") == text


@given(st.integers(min_value=1, max_value=10**12))
def test_what_is_not_zero_never_reads_as_zero(number):
    for text in (values.energy_text(number), values.power_text(number), values.money_text(Amount(EUR, number))):
        assert re.search(r"[1-9]", text)


def test_quantities_of_the_kernel_are_taken_too():
    assert plain(values.energy(WattHour(9_020))) == "9.02 kWh"


def test_the_unknown_is_a_dash_with_its_reason():
    shown = values.energy(None, "no reading since 13:40")
    assert plain(shown).startswith("\u2014")
    assert 'title="no reading since 13:40"' in shown
    assert "0" not in plain(shown).replace("13:40", "")


def test_a_hostile_reason_is_escaped():
    assert "<script>" not in values.energy(None, "<script>alert(1)</script>")
    assert 'title="&#34;' in values.unknown('"onmouseover="alert(1)')


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-240_000, "4 min ago"),
        (-400, "now"),
        (-30_000, "30 s ago"),
        (-7_200_000, "2 h ago"),
        (180_000, "in 3 min"),
        (-90_000_000, "30 Apr 2026, 13:00:00"),
    ],
)
def test_instants_are_relative_within_the_day(ms, text):
    shown = values.instant(Instant(NOW.ms + ms))
    assert plain(shown).startswith(text)
    assert "2026-0" in shown


def test_instants_are_told_in_the_zone_of_the_site():
    assert plain(values.date(NOW)) == "1 May 2026, 14:00:00"
    assert "data-zone=" in values.date(NOW)
    assert plain(values.clock(NOW.ms)) == "14:00"


@pytest.mark.parametrize(
    ("ms", "text"),
    [(-8_000, "13:59"), (-43_200_000, "02:00"), (-50_400_000, "00:00"), (-50_401_000, "30 Apr 2026, 23:59:59")],
)
def test_what_began_today_is_told_by_the_clock(ms, text):
    assert plain(values.since(Instant(NOW.ms + ms))) == text


def test_what_never_began_is_a_dash_with_its_reason():
    assert plain(values.since(None, "it has never called")) == "\u2014 it has never called"
    assert plain(values.unknown()) == "\u2014 not known"


@pytest.mark.parametrize("language", ["en", "de", "fr", "cs"])
def test_no_language_knows_morning_and_afternoon(language):
    with rendering(Page(NOW, SITE, language=language)):
        assert plain(values.clock(NOW)) == "14:00"
        assert "14:00:00" in plain(values.date(NOW))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (42, "42 s"), (720, "12 min"), (3600, "1 h"), (3900, "1 h 05 min"), (273_600, "3 d 4 h")],
)
def test_spans(seconds, text):
    assert plain(values.duration(seconds)) == text


@pytest.mark.parametrize(
    ("part", "of", "text"),
    [
        (0, 7, "0 %"),
        (1, 300, "< 1 %"),
        (2, 3, "67 %"),
        (999, 1000, "99 %"),
        (5, 5, "100 %"),
        (None, 5, "\u2014 not known"),
        (1, 0, "\u2014 not known"),
    ],
)
def test_shares(part, of, text):
    assert plain(values.percent(part, of)).replace("&lt;", "<") == text


@pytest.mark.parametrize(("ms", "text"), [(23, "23 ms"), (-1_200, "\u22121.2 s"), (0, "0 ms")])
def test_short_spans(ms, text):
    assert plain(values.milliseconds(ms)) == text


def test_prices_keep_the_decimals_they_have():
    assert plain(values.price(Amount(EUR, 420_000), "kWh")) == "0.42 EUR/kWh"
    assert plain(values.price(Amount(EUR, 421_500), "kWh")) == "0.4215 EUR/kWh"
    assert plain(values.price(Amount(EUR, 3_000_000))) == "3.00 EUR"


def test_a_register_shows_what_its_display_shows():
    assert plain(values.meter(1_203_400)) == "1,203.400 kWh"


@pytest.mark.parametrize(
    ("language", "money", "energy", "ago"),
    [
        ("de", "1.234,50 EUR", "9,02 kWh", "vor 4 Min."),
        ("fr", "1 234,50 EUR", "9,02 kWh", "il y a 4"),
        ("cs", "1 234,50 EUR", "9,02 kWh", "před 4"),
    ],
)
def test_numbers_follow_the_language(language, money, energy, ago):
    with rendering(Page(NOW, SITE, language=language)):
        assert plain(values.money(Amount(EUR, 1_234_500_000))) == money
        assert plain(values.energy(9_020)) == energy
        assert plain(values.instant(NOW.plus(seconds=-240))).startswith(ago)
