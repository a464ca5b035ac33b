"""The examples that OCPI 2.2.1 publishes with their results (mod_tariffs and mod_cdrs), as figures."""

from __future__ import annotations

import pytest

from commonwatt.kernel import Instant
from commonwatt.tariffs import Kind, advance, bill, open_tally, parse_tariff, preview

MONDAY = "2026-05-04"
SATURDAY = "2026-05-09"


def part(kind, price, vat=None, step=1):
    return {"type": kind, "price": price, "step_size": step, **({} if vat is None else {"vat": vat})}


def element(*components, **restrictions):
    return {"price_components": list(components), **({"restrictions": restrictions} if restrictions else {})}


def tariff(*elements, **more):
    return parse_tariff({"id": "1", "currency": "EUR", "country_code": "DE", "elements": list(elements), **more})


def at(day, clock):
    return Instant.parse(f"{day}T{clock}:00Z")


def session(terms, day, clock, *stretches, current_ma=None):
    """Bill a session of stretches (minutes, Wh, charging), each as one advance."""
    tally = open_tally(terms, at(day, clock))
    now, energy = at(day, clock), 0
    for minutes, wh, charging in stretches:
        now, energy = now.plus(seconds=60 * minutes), energy + wh
        tally = advance(terms, tally, now, energy, None, charging, current_ma=current_ma if charging else 0)
    return bill(terms, tally)


def euro(amount):
    whole, _, cents = amount.partition(".")
    return int(whole) * 1_000_000 + int(cents.ljust(6, "0") or 0)


ENERGY = part("ENERGY", 0.25, 10.0)
START = part("FLAT", 0.50, 20.0)


@pytest.mark.parametrize(
    ("terms", "energy_wh", "charging_s", "parked_s", "net", "gross"),
    [
        (tariff(element(ENERGY)), 20_000, 3600, 0, "5.00", "5.50"),
        (tariff(element(START), element(ENERGY)), 20_000, 3600, 0, "5.50", "6.10"),
        (tariff(element(START, ENERGY)), 20_000, 3600, 0, "5.50", "6.10"),
        (tariff(element(ENERGY), min_price={"excl_vat": 0.5, "incl_vat": 0.55}), 20_000, 3600, 0, "5.00", "5.50"),
        (tariff(element(ENERGY), min_price={"excl_vat": 0.5, "incl_vat": 0.55}), 1_999, 3600, 0, "0.50", "0.55"),
        (tariff(element(part("ENERGY", 0.50, 20)), max_price={"excl_vat": 10}), 30_000, 3600, 0, "10", "12"),
        (tariff(element(part("ENERGY", 0.50, 20)), max_price={"excl_vat": 10}), 9_000, 3600, 0, "4.50", "5.40"),
        (tariff(element(part("ENERGY", 0.50, 20)), min_price={"excl_vat": 5}), 1_000, 3600, 0, "5", "6"),
        (tariff(element(START, ENERGY, part("PARKING_TIME", 2, 20, 900))), 20_000, 3600, 2400, "7.00", "7.90"),
        (tariff(element(START, ENERGY), max_price={"excl_vat": 10, "incl_vat": 11}), 50_000, 3600, 0, "10", "11"),
        (tariff(element(START, ENERGY), max_price={"excl_vat": 10, "incl_vat": 11}), 30_000, 3600, 0, "8.00", "8.85"),
        (tariff(element(part("TIME", 2, 10, 60))), 10_000, 9000, 0, "5.00", "5.50"),
        (tariff(element(part("TIME", 2, 10, 60))), 10_000, 9000, 1200, "5.00", "5.50"),
        (tariff(element(part("TIME", 3, 10, 60), part("PARKING_TIME", 5, 20, 300))), 0, 9000, 2520, "11.25", "12.75"),
        (tariff(element(part("TIME", 1.9, 5.2, 300))), 0, 9000, 0, "4.75", "4.997"),
        (tariff(element(part("ENERGY", 0.25, 10, 100))), 20_450, 3600, 0, "5.125", "5.6375"),
        (tariff(element(part("ENERGY", 0.22, 10, 100))), 20_450, 3600, 0, "4.51", "4.961"),
        (tariff(element(part("FLAT", 0.00, None, 0))), 20_000, 3600, 600, "0", "0"),
        (tariff(element(part("ENERGY", 0.25))), 116, 3600, 0, "0.029", "0.029"),
        (tariff(element(part("ENERGY", 0.25, None, 25))), 116, 3600, 0, "0.03125", "0.03125"),
        (tariff(element(part("ENERGY", 0.25, None, 500))), 116, 3600, 0, "0.125", "0.125"),
        (tariff(element(part("PARKING_TIME", 3, None, 300))), 0, 0, 480, "0.50", "0.50"),
    ],
)
def test_simple_examples(terms, energy_wh, charging_s, parked_s, net, gross):
    found = preview(terms, energy_wh, charging_s, parked_s, at(MONDAY, "08:00"))
    assert (found.net, found.gross) == (euro(net), euro(gross))


def complex_tariff():
    weekdays = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
    return tariff(
        element(part("FLAT", 2.50, 15)),
        element(part("TIME", 1.00, 20, 900), max_current=32.00),
        element(part("TIME", 2.00, 20, 600), min_current=32.00, day_of_week=weekdays),
        element(part("TIME", 1.25, 20, 600), min_current=32.00, day_of_week=["SATURDAY", "SUNDAY"]),
        element(part("PARKING_TIME", 5.00, 10, 300), start_time="09:00", end_time="18:00", day_of_week=weekdays),
        element(part("PARKING_TIME", 6.00, 10, 300), start_time="10:00", end_time="17:00", day_of_week=["SATURDAY"]),
    )


def test_the_complex_tariff_on_a_monday():
    found = session(complex_tariff(), MONDAY, "09:30", (165, 20_000, True), (42, 0, False), current_ma=16_000)
    assert [(line.kind, line.quantity // 60_000, line.net) for line in found.lines if line.kind is not Kind.FLAT] == [
        (Kind.TIME, 165, 2_750_000),
        (Kind.PARKING_TIME, 45, 3_750_000),
    ]
    assert (found.net, found.gross) == (9_000_000, 10_300_000)


def test_the_complex_tariff_on_a_saturday_at_high_current():
    """Quantities and parking as published; 114 minutes at 1.25 an hour are 2.375, where the table prints 2.28."""
    found = session(complex_tariff(), SATURDAY, "13:30", (114, 20_000, True), (71, 0, False), current_ma=43_000)
    assert billed(found)[1:] == [("TIME", 114, 2_375_000), ("PARKING_TIME", 75, 7_500_000)]
    assert found.net == 12_280_000 - 2_280_000 + 2_375_000


def test_energy_is_priced_by_the_power_at_which_it_flows():
    terms = tariff(
        element(part("ENERGY", 0.20, 20), max_power=16),
        element(part("ENERGY", 0.35, 20), max_power=32),
        element(part("ENERGY", 0.50, 20)),
    )
    found = session(terms, MONDAY, "08:00", (10, 1000, True), (50, 40_000, True), (30, 500, True))
    assert [(line.used, line.net) for line in found.lines] == [(1500, 300_000), (40_000, 20_000_000)]
    assert found.net == 20_300_000


def test_energy_is_priced_by_the_duration_so_far():
    terms = tariff(
        element(part("ENERGY", 0.00, 20), max_duration=1800),
        element(part("ENERGY", 0.25, 20), max_duration=3600),
        element(part("ENERGY", 0.40, 20)),
    )
    found = session(terms, MONDAY, "08:00", (30, 5000, True), (10, 1200, True))
    assert [(line.used, line.net) for line in found.lines] == [(5000, 0), (1200, 300_000)]


def test_the_first_kwh_and_the_first_hour_of_parking_are_free():
    terms = tariff(
        element(part("PARKING_TIME", 0.0, None, 60), max_parked=3600),
        element(part("PARKING_TIME", 2.0, None, 60), max_parked=4 * 3600),
        element(part("PARKING_TIME", 3.0, None, 60)),
        element(part("ENERGY", 0.0), max_kwh=1.0),
        element(part("ENERGY", 0.2), min_kwh=1.0),
    )
    found = preview(terms, 20_000, 3600, 9900, at(MONDAY, "08:00"))
    assert found.net == 7_300_000


def by_the_clock():
    return tariff(
        element(
            part("TIME", 1.20, None, 1800), part("PARKING_TIME", 1, None, 900), start_time="00:00", end_time="17:00"
        ),
        element(
            part("TIME", 2.40, None, 900), part("PARKING_TIME", 1, None, 900), start_time="17:00", end_time="20:00"
        ),
        element(part("TIME", 2.40, None, 900), start_time="20:00", end_time="00:00"),
    )


def billed(found):
    return [(line.kind.value, line.quantity // 60_000, line.net) for line in found.lines]


def test_parking_after_charging_takes_the_block_and_charging_does_not():
    found = session(by_the_clock(), MONDAY, "16:55", (10, 1000, True), (2, 0, False))
    assert billed(found) == [("TIME", 5, 100_000), ("TIME", 5, 200_000), ("PARKING_TIME", 15, 250_000)]
    assert found.net == 550_000


def test_the_last_block_rounds_the_total_across_a_change_of_price():
    found = session(by_the_clock(), MONDAY, "16:35", (35, 1000, True))
    assert billed(found) == [("TIME", 25, 500_000), ("TIME", 20, 800_000)]
    assert found.net == 1_300_000


def test_a_switch_to_free_parking_rounds_what_was_paid_before():
    """The quantities are the published ones; the amounts follow the tariff, whose table prints other prices."""
    found = session(by_the_clock(), MONDAY, "19:40", (12, 1000, True), (20, 0, False))
    assert billed(found) == [("TIME", 12, 480_000), ("PARKING_TIME", 15, 250_000)]


@pytest.mark.parametrize(
    ("elements", "stretches", "expected"),
    [
        (
            (element(part("TIME", 1, None, 300), part("PARKING_TIME", 1, None, 300)),),
            ((21, 0, True), (7, 0, False)),
            [("TIME", 21), ("PARKING_TIME", 10)],
        ),
        (
            (element(part("TIME", 1, None, 600), part("PARKING_TIME", 2, None, 600)),),
            ((21, 0, True), (16, 0, False)),
            [("TIME", 21), ("PARKING_TIME", 20)],
        ),
        (
            (element(part("TIME", 5, None, 600), end_time="08:06"), element(part("TIME", 7, None, 600))),
            ((28, 0, True),),
            [("TIME", 6), ("TIME", 24)],
        ),
    ],
)
def test_blocks_of_time(elements, stretches, expected):
    found = session(tariff(*elements), MONDAY, "08:00", *stretches)
    assert [(line.kind.value, line.quantity // 60_000) for line in found.lines] == expected


def test_blocks_of_energy_round_the_session_not_the_period():
    terms = tariff(element(part("ENERGY", 200, None, 500), end_time="17:00"), element(part("ENERGY", 270, None, 500)))
    found = session(terms, MONDAY, "16:00", (60, 4300, True), (30, 1100, True))
    assert [line.quantity for line in found.lines] == [4300, 1200]
