"""Reactions happen exactly once; effects are repeated until the end is known; the dead wait for a person."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select

from commonwatt.kernel import Done, Failed, RandomIds, Unknown
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, Effect, Event, Jobs, create_tables, open_engine, outbox
from commonwatt.kit.database.jobs import retry


@dataclass(frozen=True, slots=True)
class Happened(Event):
    kind: ClassVar[str] = "test.Happened"
    number: int


@dataclass(frozen=True, slots=True)
class DoThis(Effect):
    kind: ClassVar[str] = "test.DoThis"
    number: int


def states(connection):
    return {row.id: (row.state, row.error) for row in connection.execute(select(outbox).order_by(outbox.c.id))}


async def test_a_reaction_requests_an_effect_that_is_repeated_until_done(tmp_path):
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    database = Database(engine, SystemClock(), RandomIds())
    answers = [Unknown("no answer"), ConnectionError("gone"), Done(None)]
    done = asyncio.Event()

    async def perform(effect: DoThis):
        answer = answers.pop(0)
        if not answers:
            done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    jobs = Jobs(database, {Happened: [lambda work, event: work.request(DoThis(event.number))]}, {DoThis: perform})
    await jobs.start()
    await database.write(lambda work: work.emit(Happened(7)))
    await asyncio.wait_for(done.wait(), 10)
    await jobs.settle()
    assert {state for state, _ in (await database.read(states)).values()} == {"done"}
    await jobs.stop()
    database.close()


async def test_a_failed_effect_is_dead_with_its_reason_until_a_person_retries_it(tmp_path):
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    database = Database(engine, SystemClock(), RandomIds())
    answers = [Failed("no route"), Done(None)]

    async def perform(effect: DoThis):
        return answers.pop(0)

    jobs = Jobs(database, {}, {DoThis: perform})
    await jobs.start()
    await database.write(lambda work: work.request(DoThis(1), key="once"))
    await jobs.settle()
    assert await database.read(states) == {1: ("dead", "no route")}
    await database.write(retry, 1)
    await jobs.settle()
    assert (await database.read(states))[1][0] == "done"
    await jobs.stop()
    database.close()


async def test_what_was_running_at_a_crash_runs_again(tmp_path):
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    database = Database(engine, SystemClock(), RandomIds())
    await database.write(lambda work: work.request(DoThis(1)))
    await database.write(lambda work: work.sql.exec_driver_sql("update outbox set state = 'running'") and None)
    seen = []

    async def perform(effect: DoThis):
        seen.append(effect.number)
        return Done(None)

    jobs = Jobs(database, {}, {DoThis: perform})
    await jobs.start()
    await jobs.settle()
    assert seen == [1]
    await jobs.stop()
    database.close()


async def test_a_key_that_waits_makes_a_second_request_a_no_op(database):
    for _ in range(3):
        await database.write(lambda work: work.request(DoThis(1), key="reconcile"))
    assert len(await database.read(states)) == 1


async def test_a_job_whose_key_was_requested_anew_while_it_ran_is_left_to_the_newer_one(tmp_path):
    """Neither an unknown end nor a crash may leave it running for ever, or keep the server from starting."""
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    database = Database(engine, SystemClock(), RandomIds())
    asked, answer = asyncio.Event(), asyncio.Event()

    async def perform(effect: DoThis):
        asked.set()
        await answer.wait()
        return Unknown("no answer") if effect.number == 1 else Done(None)

    jobs = Jobs(database, {}, {DoThis: perform})
    await jobs.start()
    await database.write(lambda work: work.request(DoThis(1), key="same"))
    await asyncio.wait_for(asked.wait(), 10)
    await database.write(lambda work: work.request(DoThis(2), key="same", after_ms=60_000))
    answer.set()
    for _ in range(500):
        found = await database.read(states)
        if found[1][0] != "running":
            break
        await asyncio.sleep(0.01)
    assert found == {1: ("done", "requested anew"), 2: ("waiting", None)}
    await jobs.stop()
    await database.write(lambda work: work.sql.execute(outbox.update().where(outbox.c.id == 1).values(state="running")))
    again = Jobs(database, {}, {DoThis: perform})
    await again.start()
    assert (await database.read(states))[1] == ("done", "requested anew")
    await again.stop()
    database.close()
