"""What a bitcoin is worth: believed only when enough sources agree, locked by id, converted in whole numbers."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal, select

from commonwatt.kernel import Done, Failed, Instant, Rounding, Unknown
from commonwatt.tariffs import (
    Quote,
    Rate,
    RatePolicy,
    combine,
    covers,
    current_rate,
    fiat_to_msat,
    forget_rates,
    list_rates,
    msat_to_fiat,
    outdate_rates,
    rate_by_id,
    refresh_rates,
    store_rate,
)
from commonwatt.tariffs.errors import NoRate

NOW = Instant.parse("2026-05-01T12:00:00Z")
PRICE = 60_000_000_000
LIMITS = {"max_age_s": 600, "max_deviation_ppm": 20_000, "minimum": 2}


def quote(source, price=PRICE, at=NOW, currency="EUR"):
    return Quote(source, currency, price, at)


def test_the_median_of_those_who_agree():
    rate = combine([quote("a"), quote("b", PRICE + 300), quote("c", PRICE + 200)], NOW, **LIMITS)
    assert (rate.micro_per_btc, rate.used, rate.dropped) == (PRICE + 200, ("a", "b", "c"), ())
    assert combine([quote("a"), quote("b", PRICE + 301)], NOW, **LIMITS).micro_per_btc == PRICE + 150


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (quote("c", PRICE * 2), "far from the others"),
        (quote("c", PRICE // 2), "far from the others"),
        (quote("c", 0), "no price of a bitcoin"),
        (quote("c", -PRICE), "no price of a bitcoin"),
        (quote("c", 1), "no price of a bitcoin"),
        (quote("c", 10**30), "no price of a bitcoin"),
        (quote("c", at=NOW.plus(seconds=-601)), "too old"),
        (quote("c", at=NOW.plus(seconds=61)), "from the future"),
        (quote("c", currency="USD"), "another currency"),
    ],
)
def test_who_cannot_be_believed_is_dropped_with_a_reason(odd, reason):
    rate = combine([quote("a"), quote("b"), odd], NOW, **LIMITS)
    assert (rate.micro_per_btc, rate.used, rate.dropped) == (PRICE, ("a", "b"), (f"c: {reason}",))


@pytest.mark.parametrize(
    "quotes",
    [
        [],
        [quote("a")],
        [quote("a"), quote("a")],
        [quote("a"), quote("b", 0)],
        [quote("a"), quote("b", PRICE * 2)],
        [quote("a", at=NOW.plus(seconds=-700)), quote("b", at=NOW.plus(seconds=-700))],
    ],
    ids=["nobody", "one", "one twice", "one and a zero", "two who disagree", "two too old"],
)
def test_too_few_make_no_rate(quotes):
    with pytest.raises(NoRate):
        combine(quotes, NOW, **LIMITS)


def test_a_source_counts_once_with_its_newest_word():
    rate = combine([quote("a", PRICE + 50, NOW.plus(seconds=-60)), quote("a"), quote("b")], NOW, **LIMITS)
    assert (rate.micro_per_btc, rate.used, rate.at) == (PRICE, ("a", "b"), NOW)


@given(st.integers(0, 10**12), st.integers(10**8, 10**18))
def test_conversions_lose_nothing_unsaid(units, price):
    rate = Rate("r", "EUR", price, NOW, ("a",))
    for rounding in Rounding:
        msat = fiat_to_msat(units, rate, rounding)
        assert msat.quotient * price + msat.remainder == units * 10**11
    up = fiat_to_msat(units, rate, Rounding.UP).quotient
    assert msat_to_fiat(up, rate, Rounding.DOWN).quotient >= units
    assert covers(up, units, rate)
    assert not covers(up - 1, units, rate)
    down = fiat_to_msat(units, rate, Rounding.DOWN).quotient
    assert msat_to_fiat(down, rate, Rounding.UP).quotient <= units + price // 10**11 + 1


def test_a_euro_in_msat():
    rate = Rate("r", "EUR", PRICE, NOW, ("a",))
    assert fiat_to_msat(1_000_000, rate, Rounding.UP) == (1_666_667, -20_000_000_000)


class Source:
    def __init__(self, name, answer):
        self.name = name
        self.answer = answer

    async def fetch(self, currency):
        assert currency == "EUR"
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def close(self):
        return


async def test_used_rates_are_stored_with_their_sources(database, clock):
    now = clock.now()
    sources = [
        Source("a", Done(quote("a", at=now))),
        Source("b", Done(quote("b", PRICE + 100, at=now))),
        Source("silent", Unknown("no answer")),
        Source("wrong", Failed("nonsense")),
        Source("broken", ValueError("bug")),
        Source("odd", Done(quote("odd", PRICE * 3, at=now))),
    ]
    rate = await refresh_rates(database, sources, "EUR")
    assert (rate.micro_per_btc, rate.used) == (PRICE + 50, ("a", "b"))
    assert sorted(reason.partition(":")[0] for reason in rate.dropped) == ["broken", "odd", "silent", "wrong"]
    assert await database.read(current_rate, "EUR", clock.now()) == rate
    clock.step(seconds=10)
    newer = await refresh_rates(database, sources, "EUR")
    assert [each.id for each in await database.read(list_rates, "EUR")] == [newer.id, rate.id]
    assert await database.read(rate_by_id, rate.id) == rate


async def test_the_last_rate_serves_until_it_is_too_old(database, clock):
    good = [Source(name, Done(quote(name, at=clock.now()))) for name in "ab"]
    rate = await refresh_rates(database, good, "EUR")
    with pytest.raises(NoRate):
        await refresh_rates(database, [Source("a", Unknown("down"))], "EUR")
    clock.step(seconds=900)
    assert await database.read(current_rate, "EUR", clock.now()) == rate
    clock.step(seconds=1)
    with pytest.raises(NoRate, match="901 s old"):
        await database.read(current_rate, "EUR", clock.now())
    assert await database.read(rate_by_id, rate.id) == rate


async def test_a_currency_without_a_rate(database, clock):
    with pytest.raises(NoRate):
        await database.read(current_rate, "CZK", clock.now())
    with pytest.raises(NoRate):
        await database.read(rate_by_id, "none")


async def test_a_policy_of_one_suffices_for_a_fixed_price(database, clock):
    fixed = Source("fixed", Done(quote("fixed", at=clock.now())))
    assert (await refresh_rates(database, [fixed], "EUR", RatePolicy(minimum=1))).used == ("fixed",)


async def test_a_hanging_source_does_not_hold_up_the_others(database, clock, monkeypatch):
    monkeypatch.setattr("commonwatt.tariffs.actions.refresh_rates.FETCH_S", 0.01)

    class Hanging(Source):
        async def fetch(self, currency):
            assert currency == "EUR"
            await asyncio.Event().wait()

    sources = [Hanging("h", None), *(Source(name, Done(quote(name, at=clock.now()))) for name in "ab")]
    rate = await refresh_rates(database, sources, "EUR")
    assert rate.dropped == ("h: no answer in time",)


async def test_old_rates_go_but_those_that_a_bill_rests_on(database, clock):
    stored = []
    for _ in range(4):
        stored.append(await database.write(store_rate, Rate("", "EUR", PRICE, clock.now(), ("a",), ())))
        clock.step(seconds=20 * 86_400)
    locked = select(literal(stored[0].id))
    assert await database.write(forget_rates, locked) == 2
    left = await database.read(list_rates, "EUR")
    assert [rate.id for rate in left] == [stored[3].id, stored[0].id]


DAY_S = 86_400


async def keep(database, price, at):
    return await database.write(store_rate, Rate("", "EUR", price, at, ("a",), ()))


@pytest.mark.parametrize("noticed", [False, True])
async def test_a_rate_from_before_our_clock_was_set_back_counts_for_nothing(database, clock, noticed):
    before = await keep(database, PRICE, clock.now())
    clock.step(seconds=DAY_S)
    await keep(database, 2 * PRICE, clock.now())
    clock.step(seconds=-DAY_S)
    if noticed:
        assert await database.write(outdate_rates) == 1
    assert await database.read(current_rate, "EUR", clock.now()) == before
    clock.step(seconds=60)
    after = await keep(database, PRICE // 2, clock.now())
    assert await database.read(current_rate, "EUR", clock.now()) == after
    clock.step(seconds=1200)
    with pytest.raises(NoRate):
        await database.read(current_rate, "EUR", clock.now())


async def test_nor_does_it_once_our_clock_shows_that_time_again(database, clock):
    clock.step(seconds=DAY_S)
    stale = await keep(database, 2 * PRICE, clock.now())
    clock.step(seconds=-DAY_S)
    await database.write(outdate_rates)
    assert (await database.read(rate_by_id, stale.id)).at == stale.at
    clock.step(seconds=DAY_S)
    with pytest.raises(NoRate):
        await database.read(current_rate, "EUR", clock.now())


async def test_a_clock_that_is_set_back_a_little_leaves_the_rate(database, clock):
    rate = await keep(database, PRICE, clock.now())
    clock.step(seconds=-50)
    assert await database.write(outdate_rates) == 0
    assert await database.read(current_rate, "EUR", clock.now()) == rate
