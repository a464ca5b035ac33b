"""A write is on disk before it is answered, and one caller's error is nobody else's."""

import asyncio

import pytest
from sqlalchemy import text

from commonwatt.kernel import Instant, RandomIds, Refused
from commonwatt.kit.clock import SteppedClock
from commonwatt.kit.database import Database, Work, create_tables, open_engine


@pytest.fixture(params=[False, True], ids=["thread", "inline"])
def database(request, tmp_path):
    engine = open_engine(None if request.param else tmp_path / "db.sqlite")
    create_tables(engine)
    with engine.begin() as connection:
        connection.execute(text("create table thing (name text primary key)"))
    database = Database(engine, SteppedClock(), RandomIds(), inline=request.param)
    yield database
    database.close()


def add(work: Work, name: str) -> str:
    work.sql.execute(text("insert into thing values (:name)"), {"name": name})
    if name.startswith("bad"):
        raise Refused(name)
    return name


def add_all(work: Work, names):
    for name in names:
        add(work, name)
    return [name.upper() for name in names]


def count(connection) -> int:
    return connection.execute(text("select count(*) from thing")).scalar_one()


async def test_a_refused_action_undoes_only_itself(database):
    answers = await asyncio.gather(
        *(database.write(add, name) for name in ["a", "bad", "b", "bad2", "c"]), return_exceptions=True
    )
    said = [answer if isinstance(answer, str) else answer.detail for answer in answers]
    assert said == ["a", "bad", "b", "bad2", "c"]
    assert [isinstance(answer, Refused) for answer in answers] == [False, True, False, True, False]
    assert await database.read(count) == 3


async def test_a_bad_item_does_not_spoil_its_bundle(database):
    answers = await asyncio.gather(
        *(database.write_together(add_all, name) for name in ["a", "bad", "b"]), return_exceptions=True
    )
    assert answers[0] == "A"
    assert isinstance(answers[1], Refused)
    assert answers[2] == "B"
    assert await database.read(count) == 2


async def test_an_action_that_runs_out_of_an_iterator_leaves_nobody_waiting(database):
    """A future refuses StopIteration; the callers of the same group must hear their own answers all the same."""

    def exhausted(work):
        return next(iter(()))

    def shrug(work, names):
        return [StopIteration("none left") for _ in names]

    calls = [database.write(add, "a"), database.write(exhausted), database.write_together(shrug, "x")]
    calls += [database.write(add, "b")]
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert answers[0] == "a"
    assert answers[3] == "b"
    for answer in answers[1:3]:
        assert isinstance(answer, RuntimeError)
        assert isinstance(answer.__cause__, StopIteration)
    assert await database.read(count) == 2


async def test_a_thousand_writes_share_few_commits(tmp_path):
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    with engine.begin() as connection:
        connection.execute(text("create table thing (name text primary key)"))
    database = Database(engine, SteppedClock(Instant(0)), RandomIds())
    await asyncio.gather(*(database.write(add, str(n)) for n in range(1000)))
    assert await database.read(count) == 1000
    assert database.commits < 500
    database.close()


def test_a_new_database_and_its_log_are_for_their_owner_only(tmp_path):
    with open_engine(tmp_path / "new.sqlite").begin() as connection:
        connection.execute(text("create table thing (name text)"))
        assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {
            "new.sqlite": "0o600", "new.sqlite-wal": "0o600", "new.sqlite-shm": "0o600",
        }  # fmt: skip
