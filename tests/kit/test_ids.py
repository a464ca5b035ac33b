"""Ids are in the order of their making, also those of one millisecond."""

from uuid import UUID

import pytest

from commonwatt.kernel import Instant, RandomIds, SeededIds


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds(7)])
def test_ids_of_one_millisecond_are_in_the_order_of_their_making(ids):
    made = [ids.new(Instant(1_700_000_000_000)) for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {UUID(one).version for one in made} == {7}
    assert UUID(made[0]).int >> 80 == 1_700_000_000_000


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds(7)])
def test_a_clock_that_stumbles_keeps_the_order_and_one_that_is_set_back_is_followed(ids):
    made = [ids.new(Instant(ms)) for ms in (5_000_000, 4_999_990, 5_000_001, 5_000_000)]
    assert made == sorted(made)
    assert UUID(ids.new(Instant(1_000_000))).int >> 80 == 1_000_000


def test_a_seed_repeats():
    assert [SeededIds(3).new(Instant(9)) for _ in range(2)] == [SeededIds(3).new(Instant(9))] * 2
