"""Reactions happen exactly once; effects are repeated until the end is known; the dead wait for a person."""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import ClassVar

import async_solipsism
import pytest
from sqlalchemy import select

from commonwatt.kernel import Done, Failed, RandomIds, Unavailable, Unknown
from commonwatt.kit.clock import SteppedClock, SystemClock
from commonwatt.kit.database import Database, Effect, Event, Jobs, Lane, create_tables, open_engine, outbox
from commonwatt.kit.database import jobs as machinery
from commonwatt.kit.database.jobs import ATTEMPTS_MAX, Every, retry
from commonwatt.kit.database.writer import NotSaved


@dataclass(frozen=True, slots=True)
class Happened(Event):
    kind: ClassVar[str] = "test.Happened"
    number: int


@dataclass(frozen=True, slots=True)
class DoThis(Effect):
    kind: ClassVar[str] = "test.DoThis"
    number: int


@dataclass(frozen=True, slots=True)
class DoThat(Effect):
    kind: ClassVar[str] = "test.DoThat"
    number: int


def states(connection):
    return {row.id: (row.state, row.error) for row in connection.execute(select(outbox).order_by(outbox.c.id))}


@contextlib.asynccontextmanager
async def running(tmp_path, perform=None, *, lanes=None, reactions=None, clock=None):
    """Jobs over a database of their own, with one effect unless told."""
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    database = Database(engine, clock or SystemClock(), RandomIds())
    jobs = Jobs(database, reactions or {}, lanes or [Lane({DoThis: perform}, 8)])
    await jobs.start()
    try:
        yield database, jobs
    finally:
        await jobs.stop()
        database.close()


async def test_a_reaction_requests_an_effect_that_is_repeated_until_done(tmp_path):
    answers = [Unknown("no answer"), ConnectionError("gone"), Done(None)]
    done = asyncio.Event()

    async def perform(effect: DoThis):
        answer = answers.pop(0)
        if not answers:
            done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    reactions = {Happened: [lambda work, event: work.request(DoThis(event.number))]}
    async with running(tmp_path, perform, reactions=reactions) as (database, jobs):
        await database.write(lambda work: work.emit(Happened(7)))
        await asyncio.wait_for(done.wait(), 10)
        await jobs.settle()
        assert {state for state, _ in (await database.read(states)).values()} == {"done"}


async def test_a_failed_effect_is_dead_with_its_reason_until_a_person_retries_it(tmp_path):
    answers = [Failed("no route"), Done(None)]

    async def perform(effect: DoThis):
        return answers.pop(0)

    async with running(tmp_path, perform) as (database, jobs):
        await database.write(lambda work: work.request(DoThis(1), key="once"))
        await jobs.settle()
        assert await database.read(states) == {1: ("dead", "no route")}
        await database.write(retry, 1)
        await jobs.settle()
        assert (await database.read(states))[1][0] == "done"


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

    jobs = Jobs(database, {}, [Lane({DoThis: perform}, 8)])
    await jobs.start()
    await jobs.settle()
    assert seen == [1]
    await jobs.stop()
    database.close()


async def test_a_key_that_waits_makes_a_second_request_a_no_op(database):
    for _ in range(3):
        await database.write(lambda work: work.request(DoThis(1), key="reconcile"))
    assert len(await database.read(states)) == 1


async def test_a_key_that_waits_can_be_hastened(database):
    await database.write(lambda work: work.request(DoThis(1), key="change", after_ms=60_000))
    await database.write(lambda work: work.request(DoThis(2), key="change", hasten=True))
    await database.write(lambda work: work.request(DoThis(3), key="other", hasten=True))
    rows = await database.read(lambda sql: sql.exec_driver_sql("SELECT payload, due_ms - made_ms FROM outbox").all())
    assert [(json.loads(payload)["number"], delay) for payload, delay in rows] == [(2, 0), (3, 0)]


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

    jobs = Jobs(database, {}, [Lane({DoThis: perform}, 8)])
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
    again = Jobs(database, {}, [Lane({DoThis: perform}, 8)])
    await again.start()
    assert (await database.read(states))[1] == ("done", "requested anew")
    await again.stop()
    database.close()


def failing(database, monkeypatch, times, *, only=None):
    """Let the next writes of the runner itself fail, as with a full disk; `only` names the one that fails."""
    write = database.write
    left = [times]

    async def write_or_not(action, *args, **kwargs):
        if left[0] and (action.__name__ == only or only is None):
            left[0] -= 1
            raise NotSaved("no room")
        return await write(action, *args, **kwargs)

    monkeypatch.setattr(database, "write", write_or_not)


@pytest.mark.parametrize("answer", [Done(None), Failed("no route"), Unknown("no answer"), ConnectionError("gone")])
async def test_an_end_that_is_not_stored_at_once_is_stored_later(tmp_path, monkeypatch, answer):
    """A full disk for a moment must not leave a payout running for ever with nobody at work on it."""
    monkeypatch.setattr(machinery, "STORE_FIRST_S", 0.01)
    asked = []

    async def perform(effect: DoThis):
        asked.append(effect.number)
        if len(asked) == 1:
            failing(database, monkeypatch, 3)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return Done(None)

    async with running(tmp_path, perform) as (database, _jobs):
        await database.write(lambda work: work.request(DoThis(1)))
        for _ in range(1000):
            ((state, _error),) = (await database.read(states)).values()
            if state in {"done", "dead"}:
                break
            await asyncio.sleep(0.01)
        assert state == ("dead" if isinstance(answer, Failed) else "done")
        assert len(asked) == (1 if isinstance(answer, Done | Failed) else 2), "what is known is not asked again"


async def test_a_claim_that_is_not_stored_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(machinery, "FIRST_DELAY_MS", 0)
    asked = []

    async def perform(effect: DoThis):
        asked.append(effect.number)
        return Done(None)

    async with running(tmp_path, perform) as (database, jobs):
        failing(database, monkeypatch, 1, only="_claim")
        await database.write(lambda work: work.request(DoThis(1)))
        async with asyncio.timeout(10):
            await jobs.settle()
        assert asked == [1]


@pytest.mark.parametrize("error", [ConnectionError("gone"), Unavailable("the node sleeps")])
async def test_unknown_answers_and_a_world_that_is_down_do_not_use_up_the_attempts(tmp_path, monkeypatch, error):
    """After a day of `Unknown` one exception must not end a payout, nor may a node that is down for long."""
    monkeypatch.setattr(machinery, "FIRST_DELAY_MS", 0)
    many = ATTEMPTS_MAX + 5
    answers = [Unknown("no answer")] * many + [error] * (many if isinstance(error, Unavailable) else 3) + [Done(None)]

    async def perform(effect: DoThis):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with running(tmp_path, perform) as (database, jobs), asyncio.timeout(30):
        await database.write(lambda work: work.request(DoThis(1)))
        await jobs.settle()
        assert [state for state, _ in (await database.read(states)).values()] == ["done"]


async def test_a_job_that_only_raises_is_dead_after_so_many_exceptions_and_a_retry_gives_as_many_anew(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(machinery, "FIRST_DELAY_MS", 0)
    asked = []

    async def perform(effect: DoThis):
        asked.append(effect.number)
        raise ValueError("bug")

    async with running(tmp_path, perform) as (database, jobs), asyncio.timeout(30):
        await database.write(lambda work: work.request(DoThis(1)))
        await jobs.settle()
        assert (await database.read(states))[1][0] == "dead"
        assert len(asked) == ATTEMPTS_MAX
        await database.write(retry, 1)
        await jobs.settle()
        assert len(asked) == 2 * ATTEMPTS_MAX


async def test_a_read_that_fails_does_not_end_the_runner(tmp_path, monkeypatch):
    monkeypatch.setattr(machinery, "STUMBLE_S", 0.01)

    async def perform(effect: DoThis):
        return Done(None)

    async with running(tmp_path, perform) as (database, jobs):
        gone_wrong = asyncio.Event()
        read, failures = database.read, [OSError("disk"), OSError("disk")]

        async def read_or_not(query, *args, **kwargs):
            if failures:
                error = failures.pop()
                if not failures:
                    gone_wrong.set()
                raise error
            return await read(query, *args, **kwargs)

        monkeypatch.setattr(database, "read", read_or_not)
        await database.write(lambda work: work.request(DoThis(1)))
        async with asyncio.timeout(10):
            await gone_wrong.wait()
            await jobs.settle()
        assert await jobs.check() is None
        assert [state for state, _ in (await database.read(states)).values()] == ["done"]


async def test_a_lane_whose_world_hangs_holds_up_nobody_else(tmp_path):
    """A node that does not answer, with hundreds of invoices to cancel, must not keep a car charging."""
    hanging, full, performed, heard, back = [], *(asyncio.Event() for _ in range(4))

    async def hang(effect: DoThat):
        hanging.append(effect.number)
        if len(hanging) == 3:
            full.set()
        await back.wait()
        return Done(None)

    async def perform(effect: DoThis):
        performed.set()
        return Done(None)

    lanes = [Lane({DoThat: hang}, 3), Lane({DoThis: perform}, 8)]
    reactions = {Happened: [lambda *_: heard.set()]}
    async with running(tmp_path, lanes=lanes, reactions=reactions) as (database, jobs), asyncio.timeout(20):
        await database.write(lambda work: [work.request(DoThat(number)) for number in range(200)])
        await full.wait()
        await database.write(lambda work: work.emit(Happened(1)))
        await database.write(lambda work: work.request(DoThis(1)))
        await heard.wait()
        await performed.wait()
        assert hanging == [0, 1, 2]
        back.set()
        await jobs.settle()
        assert hanging == list(range(200))


async def test_in_a_lane_whoever_is_due_for_longest_comes_first(tmp_path):
    seen = []

    async def perform(effect: DoThis):
        seen.append(effect.number)
        return Done(None)

    async with running(tmp_path, lanes=[Lane({DoThis: perform}, 1)]) as (database, jobs):

        def ask(work):
            for number, due_ms in enumerate([-10, -30, -20, -30]):
                work.request(DoThis(number), after_ms=due_ms)

        await database.write(ask)
        await jobs.settle()
    assert seen == [1, 3, 2, 0]


HOUR_MS = 3_600_000


@pytest.mark.parametrize("away", [False, True])
async def test_after_our_clock_was_set_back_nobody_waits_longer_than_its_delay(tmp_path, away):
    """Set back while the process runs, or while it is away: a stop that is tried again must not sleep for an hour."""
    clock = SteppedClock()
    asked, answers = [], [Unknown("the station is away"), Done(None)]

    async def perform(effect: DoThis):
        asked.append(effect.number)
        return answers.pop(0)

    def dues(sql):
        return {number: due_ms - clock.now().ms for number, due_ms in sql.exec_driver_sql(_DUES)}

    async with running(tmp_path, perform, clock=clock) as (database, jobs), asyncio.timeout(20):
        await database.write(lambda work: work.request(DoThis(1), after_ms=5 * HOUR_MS))
        clock.step(ms=2 * HOUR_MS)
        await database.write(lambda work: work.request(DoThis(2), after_ms=20_000))
        await database.write(lambda work: work.request(DoThis(3)))
        await jobs.settle()
        assert await database.read(dues) == {1: 3 * HOUR_MS, 2: 20_000, 3: 500}
        if away:
            await jobs.stop()
        clock.step(ms=-HOUR_MS)
        again = Jobs(database, {}, [Lane({DoThis: perform}, 8)]) if away else jobs
        if away:
            await again.start()
        found = await database.read(dues)
        while found[3] > 500:
            await asyncio.sleep(0.01)
            found = await database.read(dues)
        assert found == {1: 4 * HOUR_MS, 2: 20_000, 3: 500}, "what was scheduled in time past stays where it was"
        clock.step(ms=500)
        await again.settle()
        assert asked == [3, 3]
        await again.stop()


_DUES = "SELECT json_extract(payload, '$.number'), due_ms FROM outbox WHERE state = 'waiting'"


def test_a_round_repeats_and_may_begin_late():
    loop = async_solipsism.EventLoop()
    begun = {"now": [], "late": []}

    def note(name):
        async def step():
            begun[name].append(round(loop.time()))

        return step

    rounds = [Every("now", 10, note("now")), Every("late", 10, note("late"), begins_s=15)]

    async def run():
        jobs = Jobs(None, {}, [], rounds)
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            for one in rounds:
                group.create_task(jobs._repeat(one))

    with contextlib.closing(loop), pytest.raises(TimeoutError):
        loop.run_until_complete(run())
    assert begun == {"now": [0, 10, 20], "late": [15, 25]}
