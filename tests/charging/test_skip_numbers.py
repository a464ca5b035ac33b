"""After a restore no transaction gets a number that was given out in the time that is lost."""

import pytest

from commonwatt.charging import skip_numbers
from commonwatt.charging.actions.skip_numbers import FIRST, GAP, NUMBER_MAX
from commonwatt.kernel import SeededIds
from commonwatt.kit.database import Work

YEAR_S = 365 * 86_400


@pytest.fixture
def skip(database):
    """Restore at so many seconds after the first number's time, with so many given out; return the next one."""

    def after(seconds, given=None):
        with database.engine.begin() as sql:
            sql.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'station_transaction'")
            if given is not None:
                sql.exec_driver_sql("INSERT INTO sqlite_sequence VALUES ('station_transaction', ?)", (given,))
            number = skip_numbers(Work(sql, FIRST.plus(seconds=seconds), SeededIds(1)))
            known = "SELECT seq FROM sqlite_sequence WHERE name = 'station_transaction'"
            assert sql.exec_driver_sql(known).scalars().all() == [number - 1]
        return number

    return after


@pytest.mark.parametrize("given", [None, 0, 5, 100_000])
def test_the_time_of_the_restore_says_where_to_go_on(skip, given):
    assert skip(7 * YEAR_S, given) == 7 * YEAR_S + 1


def test_one_backup_restored_twice_gives_out_other_numbers(skip):
    first = skip(7 * YEAR_S, given=5)
    assert skip(7 * YEAR_S + 3600, given=5) == first + 3600


@pytest.mark.parametrize("seconds", [-YEAR_S, 0, 10 * YEAR_S, 100 * YEAR_S])
def test_a_wrong_clock_leaves_a_gap_all_the_same(skip, seconds):
    assert skip(seconds, given=10 * YEAR_S) == 10 * YEAR_S + GAP + 1


@pytest.mark.parametrize("given", [NUMBER_MAX - 3, NUMBER_MAX, NUMBER_MAX + 5])
def test_near_the_end_the_gap_is_small(skip, given):
    assert given < skip(10, given=given) <= max(NUMBER_MAX, given + 1)
