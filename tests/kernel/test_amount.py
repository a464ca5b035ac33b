"""Amounts: written exactly, never mixed; division by a named rounding that loses nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.kernel import BTC, ENERGY, EUR, Amount, Asset, Rounding, amount_text, divide

ASSETS = st.sampled_from([BTC, EUR, ENERGY, Asset.of("CZK")])


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Amount(BTC, 1_234_567), "1234.567 sat"),
        (Amount(BTC, -1000), "\u22121 sat"),
        (Amount(BTC, 1000), "1 sat"),
        (Amount(BTC, 1), "0.001 sat"),
        (Amount(EUR, 4_200_000), "4.20 EUR"),
        (Amount(EUR, 4_200_001), "4.200001 EUR"),
        (Amount(EUR, -1), "\u22120.000001 EUR"),
        (Amount(EUR, 0), "0.00 EUR"),
        (Amount(Asset.of("CZK"), 99_900_000), "99.90 CZK"),
        (Amount(ENERGY, 1500), "1500 Wh"),
    ],
)
def test_amounts_are_exact(amount, text):
    assert amount_text(amount) == text


@given(ASSETS, st.integers(-(10**18), 10**18))
def test_an_amount_is_read_back_from_its_text(asset, units):
    number, _, unit = amount_text(Amount(asset, units)).partition(" ")
    whole, _, part = number.replace("\u2212", "-").partition(".")
    scale = {"sat": 3, "Wh": 0}.get(unit, asset.scale)
    digits = int(whole.lstrip("-")) * 10**scale + int(part.ljust(scale, "0") or "0")
    assert (-digits if number[0] == "\u2212" else digits) == units


def test_amounts_of_two_assets_never_mix():
    for act in (
        lambda one, other: one + other,
        lambda one, other: one - other,
        lambda one, other: one < other,
        lambda one, other: one >= other,
    ):
        with pytest.raises(TypeError, match="do not mix"):
            act(Amount(BTC, 1), Amount(EUR, 1))


@given(st.integers(-(10**24), 10**24), st.integers(1, 10**15), st.sampled_from(Rounding))
def test_a_division_loses_nothing_and_is_off_by_less_than_one(dividend, divisor, rounding):
    quotient, remainder = divide(dividend, divisor, rounding)
    assert quotient * divisor + remainder == dividend
    assert abs(remainder) < divisor
    match rounding:
        case Rounding.DOWN:
            assert remainder >= 0
        case Rounding.UP:
            assert remainder <= 0
        case Rounding.HALF_UP:
            assert -divisor <= 2 * remainder < divisor
        case Rounding.HALF_EVEN:
            assert 2 * abs(remainder) <= divisor
            assert 2 * abs(remainder) != divisor or quotient % 2 == 0


def test_a_division_by_nothing_or_less_is_refused():
    with pytest.raises(ZeroDivisionError):
        divide(1, 0, Rounding.DOWN)
    with pytest.raises(ValueError, match="positive"):
        divide(1, -1, Rounding.DOWN)
