"""Counting step by step: what is earlier or lower changes nothing, splits are exact, costs grow."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonwatt.kernel import BTC, EUR, Instant
from commonwatt.tariffs import (
    Component,
    Element,
    Kind,
    Price,
    Restrictions,
    Tally,
    Tariff,
    advance,
    bill,
    cost,
    limit_energy,
    open_tally,
    preview,
    rise_max,
)

START = Instant.parse("2026-05-01T12:00:00Z")


def tariff(*elements, **more):
    return Tariff(**{"id": "t", "version": "v", "name": "n", "asset": EUR, "elements": elements, **more})


def element(*components, **restrictions):
    return Element(tuple(Component(*component) for component in components), Restrictions(**restrictions))


PLAIN = tariff(element((Kind.ENERGY, 450_000, 200_000), (Kind.PARKING_TIME, 6_000_000, 200_000)), vat_included=True)


def test_what_is_earlier_or_lower_changes_nothing():
    tally = advance(PLAIN, open_tally(PLAIN, START), START.plus(seconds=60), 500, 11_000, charging=True)
    assert advance(PLAIN, tally, START, 100, 11_000, charging=True) is tally
    assert advance(PLAIN, tally, tally_at(tally), 500, None, charging=False) is tally
    late = advance(PLAIN, tally, START.plus(seconds=30), 700, None, charging=True)
    assert (late.at_ms, late.energy_wh) == (tally.at_ms, 700)
    lower = advance(PLAIN, tally, START.plus(seconds=90), 0, 0, charging=True)
    assert (lower.at_ms, lower.energy_wh) == (START.ms + 90_000, 500)


def tally_at(tally):
    return Instant(tally.at_ms)


def test_a_tally_is_stored_as_json():
    tally = advance(PLAIN, open_tally(PLAIN, START), START.plus(seconds=60), 500, 11_000, charging=True)
    assert msgspec.json.decode(msgspec.json.encode(tally), type=Tally) == tally


def test_a_tally_is_billed_by_its_own_version_only():
    with pytest.raises(ValueError, match="cannot be billed"):
        bill(replace(PLAIN, version="w"), open_tally(PLAIN, START))


def test_prices_that_contain_tax_are_what_is_paid():
    found = preview(PLAIN, 1000, 3600, 0, START)
    assert (found.gross, found.net, found.vat) == (450_000, 375_000, 75_000)
    odd = tariff(element((Kind.ENERGY, 450_000, 190_000)), vat_included=True)
    found = preview(odd, 100_000, 3600, 0, START)
    assert (found.gross, found.net) == (45_000_000, 37_815_126)


def test_the_remainder_says_what_rounding_took():
    terms = tariff(element((Kind.TIME, 1_000_000, 0, 0)))
    found = preview(terms, 0, 1, 0, START)
    assert (found.net, found.remainder) == (278, -800_000)
    assert 278 * 3_600_000 - 800_000 == 1_000_000 * 1000


def test_prices_in_bitcoin_count_msat():
    terms = tariff(element((Kind.ENERGY, 600_000)), asset=BTC)
    assert preview(terms, 1500, 60, 0, START).gross == 900_000


def test_energy_between_two_readings_is_split_where_the_price_changes():
    terms = tariff(
        element((Kind.ENERGY, 100), start_minute=0, end_minute=14 * 60 + 30),
        element((Kind.ENERGY, 200)),
        timezone="Europe/Prague",
    )
    tally = advance(terms, open_tally(terms, START), START.plus(seconds=3600), 9000, None, charging=True)
    assert tally.quantities == (4500, 4500)


def test_the_night_wraps_around_midnight():
    terms = tariff(element((Kind.ENERGY, 100), start_minute=22 * 60, end_minute=6 * 60), element((Kind.ENERGY, 200)))
    begun = Instant.parse("2026-05-01T21:00:00Z")
    tally = advance(terms, open_tally(terms, begun), begun.plus(seconds=10 * 3600), 10_000, None, charging=True)
    assert tally.quantities == (8000, 2000)


@pytest.mark.parametrize(
    ("begun", "hours", "expected"),
    [("2026-03-28T23:00:00Z", 6, (1000, 5000)), ("2026-10-24T22:00:00Z", 6, (3000, 3000))],
    ids=["two o'clock never comes", "two o'clock comes twice"],
)
def test_the_clock_may_be_put_forward_and_back(begun, hours, expected):
    """From one to three local time: one hour in spring, three in autumn."""
    terms = tariff(
        element((Kind.ENERGY, 100), start_minute=60, end_minute=180),
        element((Kind.ENERGY, 200)),
        timezone="Europe/Prague",
    )
    at = Instant.parse(begun)
    tally = advance(terms, open_tally(terms, at), at.plus(seconds=3600 * hours), 1000 * hours, None, charging=True)
    assert tally.quantities == expected


def test_an_idle_fee_begins_after_its_grace():
    terms = tariff(element((Kind.ENERGY, 1)), element((Kind.PARKING_TIME, 6_000_000, 0, 0), min_parked_s=900))
    tally = open_tally(terms, START)
    tally = advance(terms, tally, START.plus(seconds=3600), 5000, 5000, charging=True)
    tally = advance(terms, tally, START.plus(seconds=3600 + 1200), 5000, 0, charging=False)
    assert tally.quantities == (5000, 300_000)


def test_a_flat_fee_is_due_once_even_when_its_element_begins_later():
    terms = tariff(element((Kind.FLAT, 1_000_000), min_wh=1), element((Kind.ENERGY, 100)))
    tally = open_tally(terms, START)
    assert bill(terms, tally).gross == 0
    for count in range(1, 4):
        tally = advance(terms, tally, START.plus(seconds=60 * count), 1000 * count, None, charging=True)
    assert tally.quantities[0] == 1


def test_a_minimum_and_a_maximum_are_lines_of_the_bill():
    terms = tariff(
        element((Kind.ENERGY, 100_000, 200_000)), min_price=Price(100, 120), max_price=Price(1_000_000, 1_200_000)
    )
    for energy, kind, gross in ((0, Kind.MINIMUM, 120), (99_999, Kind.MAXIMUM, 1_200_000)):
        found = preview(terms, energy, 60, 0, START)
        assert found.lines[-1].kind is kind
        assert found.gross == gross == sum(line.gross for line in found.lines)
        assert found.net == sum(line.net for line in found.lines)


bounds = st.none() | st.integers(1, 40)


@st.composite
def restrictions(draw, *, steady):
    limit = {}
    if draw(st.booleans()):
        low, high = sorted((draw(st.integers(0, 1439)), draw(st.integers(0, 1439))))
        if low != high:
            limit |= {"start_minute": draw(st.sampled_from([low, high]))}
            limit |= {"end_minute": low + high - limit["start_minute"]}
    limit["weekdays"] = tuple(sorted(draw(st.sets(st.integers(0, 6), max_size=3))))
    for name, scale in (("wh", 500), ("duration_s", 600), ("parked_s", 600)):
        low, high = draw(bounds), draw(bounds)
        if low is None or high is None or low < high:
            limit[f"min_{name}"] = None if low is None else low * scale
            limit[f"max_{name}"] = None if high is None else high * scale
    if not steady:
        limit["min_power_w"] = draw(st.none() | st.integers(1, 50_000))
    return Restrictions(**limit)


@st.composite
def tariffs(draw, *, blocks=False, steady=False):
    elements = []
    for _ in range(draw(st.integers(1, 4))):
        kinds = draw(st.sets(st.sampled_from([Kind.ENERGY, Kind.TIME, Kind.PARKING_TIME, Kind.FLAT]), min_size=1))
        components = tuple(
            Component(
                kind,
                draw(st.integers(0, 10_000_000)),
                draw(st.sampled_from([0, 55_000, 190_000, 200_000])),
                draw(st.integers(0, 3000)) if blocks else 0,
            )
            for kind in sorted(kinds)
        )
        elements.append(
            Element(components, draw(restrictions(steady=steady)) if draw(st.booleans()) else Restrictions())
        )
    low = draw(st.none() | st.integers(0, 5_000_000))
    high = draw(st.none() | st.integers(5_000_000, 50_000_000))
    return tariff(
        *elements,
        vat_included=draw(st.booleans()),
        min_price=None if low is None else Price(low, low + low // 5),
        max_price=None if high is None else Price(high, high + high // 5),
        timezone=draw(st.sampled_from(["UTC", "Europe/Prague", "Asia/Kathmandu", "America/St_Johns"])),
    )


starts = st.integers(1_774_000_000_000, 1_794_000_000_000).map(Instant)
"""Half a year with both changes of the clock."""
stretches = st.tuples(
    st.integers(1, 40),
    st.integers(1, 1_800_000),
    st.integers(0, 4000),
    st.booleans(),
    st.none() | st.integers(0, 60_000),
)
"""So many equal steps of so many ms and Wh, charging or not, at a power or at that of the steps."""


@settings(max_examples=200, deadline=None)
@given(tariffs(blocks=True), starts, st.lists(stretches, min_size=1, max_size=4))
def test_many_small_advances_equal_one_big_one(terms, start, path):
    small = big = open_tally(terms, start)
    for count, ms, wh, charging, said in path:
        at, energy = big.at_ms, big.energy_wh
        power = wh * 3_600_000 // ms if said is None else said
        for step in range(1, count + 1):
            small = advance(terms, small, Instant(at + step * ms), energy + step * wh, power, charging)
        big = advance(terms, big, Instant(at + count * ms), energy + count * wh, power, charging)
    assert small == big


@settings(max_examples=200, deadline=None)
@given(tariffs(), starts, st.lists(stretches, min_size=1, max_size=6))
def test_cost_never_falls_as_energy_and_time_grow(terms, start, path):
    tally = open_tally(terms, start)
    before = cost(terms, tally)
    for count, ms, wh, charging, power in path:
        tally = advance(terms, tally, Instant(tally.at_ms + count * ms), tally.energy_wh + wh, power, charging)
        after = cost(terms, tally)
        assert after >= before
        before = after


@settings(max_examples=200, deadline=None)
@given(tariffs(blocks=True), starts, st.lists(stretches, min_size=1, max_size=6))
def test_a_bill_adds_up_and_agrees_with_the_quick_cost(terms, start, path):
    tally = open_tally(terms, start)
    for count, ms, wh, charging, power in path:
        tally = advance(terms, tally, Instant(tally.at_ms + count * ms), tally.energy_wh + wh, power, charging)
    found = bill(terms, tally)
    assert found.gross == cost(terms, tally) == sum(line.gross for line in found.lines)
    assert found.net == sum(line.net for line in found.lines)
    assert found.remainder == sum(line.remainder for line in found.lines)
    assert all(line.quantity >= line.used for line in found.lines)
    used = sum(line.used for line in found.lines if line.kind is Kind.ENERGY)
    assert used <= tally.energy_wh
    for line in found.lines:
        if line.element >= 0 and line.kind is not Kind.FLAT:
            divisor = 1000 if line.kind is Kind.ENERGY else 3_600_000
            priced = line.gross if terms.vat_included else line.net
            assert priced * 3_600_000 + line.remainder == line.unit_price * line.quantity * (3_600_000 // divisor)


@settings(max_examples=150, deadline=None)
@given(tariffs(blocks=True), starts, st.integers(0, 30_000_000), st.none() | st.integers(1, 150_000), st.booleans())
def test_a_limit_is_affordable_and_a_little_more_is_not(terms, start, credit, power, charging):
    tally = open_tally(terms, start)
    if cost(terms, tally) > credit:
        assert limit_energy(terms, tally, credit, power, start, charging=charging).energy_wh == 0
        return
    limit = limit_energy(terms, tally, credit, power, start, charging=charging)
    if limit.energy_wh is None or limit.until is None or not charging or not power:
        return

    def reach(wh, until):
        return cost(terms, advance(terms, tally, until, wh, power, charging=True))

    slack = one_wh_a_border(terms, power)
    assert reach(limit.energy_wh, limit.until) <= credit + slack
    soon = limit.until.plus(ms=-(-3_600_000 // power) + 1)
    further = max((soon.ms - start.ms) * power // 3_600_000, limit.energy_wh + 1)
    blocks = [c for e in terms.elements for c in e.components if c.step_size > 1]
    if not blocks:
        assert reach(further, soon) + slack > credit


def one_wh_a_border(terms, power):
    """What moves where a line that ends a little elsewhere crosses borders: at each of a week a Wh, or its time."""
    if all(element.restrictions == Restrictions() for element in terms.elements):
        return 0
    borders = 2 * 8 * len(terms.elements)
    prices = sum(component.price * 2 for element in terms.elements for component in element.components)
    return 1 + borders * prices // min(1000, power)


@given(starts, st.integers(1, 20_000_000), st.integers(1, 100_000))
def test_a_limit_on_energy_alone_is_exact(start, credit, power):
    terms = tariff(element((Kind.ENERGY, 450_000, 200_000)), element((Kind.PARKING_TIME, 1), min_parked_s=60))
    tally = open_tally(terms, start)
    limit = limit_energy(terms, tally, credit, power, start)
    assert limit.fixed

    def at(wh):
        return cost(terms, advance(terms, tally, start, wh, None, charging=True))

    assert at(limit.energy_wh) <= credit < at(limit.energy_wh + 1)


def test_a_free_tariff_has_no_limit():
    free = tariff(element((Kind.ENERGY, 0)))
    assert limit_energy(free, open_tally(free, START), 0, 11_000, START).energy_wh is None


def test_a_credit_for_parking_lasts_until_an_instant():
    terms = tariff(element((Kind.PARKING_TIME, 3_600_000, 0, 0)))
    limit = limit_energy(terms, open_tally(terms, START), 60_000, 0, START, charging=False)
    assert limit.until == START.plus(seconds=60)
    assert limit.energy_wh is None


@settings(max_examples=300, deadline=None)
@given(tariffs(blocks=True), starts, st.lists(stretches, min_size=2, max_size=6))
def test_the_quick_bound_is_never_below_what_more_energy_and_time_cost(terms, start, path):
    tally = open_tally(terms, start)
    for count, ms, wh, charging, power in path:
        seconds = -(-count * ms // 1000)
        bound = cost(terms, tally) + rise_max(terms, wh, seconds)
        tally = advance(terms, tally, Instant(tally.at_ms + count * ms), tally.energy_wh + wh, power, charging)
        assert cost(terms, tally) <= bound
