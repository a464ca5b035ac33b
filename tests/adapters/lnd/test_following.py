"""Following invoices: limits hold, repeated states are told once, readers come and go and miss nothing."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from contextlib import aclosing

import pytest

from commonwatt.adapters.payment.lnd import following
from commonwatt.adapters.payment.lnd.client import Answer, Silence
from commonwatt.adapters.payment.lnd.following import Following
from commonwatt.kernel import Done, Failed, Unknown
from commonwatt.payments.ports import InvoiceReport, InvoiceState


def name(number: int) -> bytes:
    return number.to_bytes(32, "big")


class Node:
    """A client whose hold streams say what a test puts into them; the stream of settlements stays silent."""

    def __init__(self):
        self.says = {}
        self.open = 0
        self.open_max = 0
        self.looks = []
        self.states = {}

    async def stream(self, _method, path, **_limits):
        if "settle_index" in path:
            await asyncio.Event().wait()
        self.open += 1
        self.open_max = max(self.open, self.open_max)
        try:
            for state in self.says.get(path, ()):
                yield Answer({"state": state, "amt_paid_msat": "5", "htlcs": [{"state": "ACCEPTED", "amt_msat": "5"}]})
            await asyncio.Event().wait()
        finally:
            self.open -= 1
        yield Silence("over")

    async def look_up(self, payment_hash):
        self.looks.append(payment_hash)
        return self.states.get(payment_hash, Unknown("silent"))


@pytest.fixture
def node():
    return Node()


def path_of(payment_hash: bytes) -> str:
    return f"/v2/invoices/subscribe/{urlsafe_b64encode(payment_hash).decode()}"


async def test_a_state_is_told_once_and_a_final_one_ends_the_stream(node):
    node.says[path_of(name(1))] = ["OPEN", "ACCEPTED", "ACCEPTED", "SETTLED"]
    follow = Following(node, node.look_up, streams_max=3)
    follow.add(name(1), hold=True)
    async with aclosing(follow.reports()) as reports, asyncio.timeout(5):
        told = [(await anext(reports)).state, (await anext(reports)).state]
    assert told == [InvoiceState.ACCEPTED, InvoiceState.SETTLED]
    assert node.open == 0


async def test_every_reader_hears_everything_and_the_last_one_turns_off_the_light(node):
    node.says[path_of(name(1))] = ["SETTLED"]
    follow = Following(node, node.look_up, streams_max=3)
    first, second = follow.reports(), follow.reports()
    hearing = [asyncio.create_task(anext(reports)) for reports in (first, second)]
    await asyncio.sleep(0)
    follow.add(name(1), hold=True)
    follow.add(name(2), hold=True)
    async with asyncio.timeout(5):
        assert [report.payment_hash for report in await asyncio.gather(*hearing)] == [name(1), name(1)]
    await first.aclose()
    assert node.open == 1
    await second.aclose()
    assert node.open == 0
    assert not follow._tasks


async def test_no_more_streams_than_allowed_and_the_rest_takes_turns(node, monkeypatch):
    monkeypatch.setattr(following, "TURN_S", 0.01)
    follow = Following(node, node.look_up, streams_max=2)
    for number in range(5):
        follow.add(name(number), hold=True)
    node.states[name(4)] = Done(InvoiceReport(name(4), InvoiceState.ACCEPTED, 9))
    async with aclosing(follow.reports()) as reports, asyncio.timeout(5):
        assert (await anext(reports)).payment_hash == name(4)
    assert node.open_max == 2
    assert set(node.looks) <= {name(2), name(3), name(4)}


async def test_plain_invoices_are_looked_up_on_connecting_and_missing_ones_are_forgotten(node):
    node.states = {
        name(1): Failed("gone", "missing"),
        name(2): Done(InvoiceReport(name(2), InvoiceState.CANCELLED, 0)),
    }
    follow = Following(node, node.look_up, streams_max=2)
    for number in (1, 2, 3):
        follow.add(name(number), hold=False)
    async with aclosing(follow.reports()) as reports, asyncio.timeout(5):
        report = await anext(reports)
        assert (report.payment_hash, report.state) == (name(2), InvoiceState.CANCELLED)
        assert list(follow._followed) == [name(3)]


async def test_what_a_reader_could_not_store_is_told_to_the_next(node):
    """The ends too, of holds and of plain invoices; among them what still waited when the first reader broke off."""
    node.says[path_of(name(1))] = ["ACCEPTED"]
    node.says[path_of(name(2))] = ["CANCELED"]
    node.states = {name(3): Done(InvoiceReport(name(3), InvoiceState.SETTLED, 7))}
    follow = Following(node, node.look_up, streams_max=3)
    for number in (1, 2, 3):
        follow.add(name(number), hold=number != 3)
    expected = {
        name(1): InvoiceState.ACCEPTED,
        name(2): InvoiceState.CANCELLED,
        name(3): InvoiceState.SETTLED,
    }
    async with asyncio.timeout(5):
        async with aclosing(follow.reports()) as reports:
            await anext(reports)
            for _ in range(20):  # until the others wait for the reader
                await asyncio.sleep(0)
            assert list(follow._followed) == [name(1)]
        assert node.open == 0
        async with aclosing(follow.reports()) as reports:
            told = [await anext(reports) for _ in range(3)]
    assert {report.payment_hash: report.state for report in told} == expected


async def test_an_end_that_a_reader_has_done_with_is_not_told_again(node):
    node.says[path_of(name(1))] = ["CANCELED"]
    node.says[path_of(name(2))] = ["ACCEPTED"]
    follow = Following(node, node.look_up, streams_max=3)
    for number in (1, 2):
        follow.add(name(number), hold=True)
    async with asyncio.timeout(5):
        async with aclosing(follow.reports()) as reports:
            assert [(await anext(reports)).payment_hash for _ in range(2)] == [name(1), name(2)]
        async with aclosing(follow.reports()) as reports:
            assert (await anext(reports)).payment_hash == name(2)
            assert list(follow._followed) == [name(2)]


async def test_a_reader_that_sleeps_loses_the_oldest_reports(node, monkeypatch):
    monkeypatch.setattr(following, "REPORTS_MAX", 2)
    follow = Following(node, node.look_up, streams_max=9)
    reports = follow.reports()
    waking = asyncio.create_task(anext(reports))
    await asyncio.sleep(0)
    for number in range(5):
        follow.add(name(number), hold=True)
        follow._tell(InvoiceReport(name(number), InvoiceState.SETTLED, 1))
    async with asyncio.timeout(5):
        assert [await waking, await anext(reports)] == [
            InvoiceReport(name(number), InvoiceState.SETTLED, 1) for number in (3, 4)
        ]
    await reports.aclose()


async def test_beyond_the_limit_the_oldest_is_left_to_reconciling(node, monkeypatch):
    monkeypatch.setattr(following, "FOLLOWED_MAX", 3)
    follow = Following(node, node.look_up, streams_max=1)
    for number in range(5):
        follow.add(name(number), hold=True)
    assert list(follow._followed) == [name(2), name(3), name(4)]
