"""One connection of a virtual station: what happens when several things happen in the same moment."""

import asyncio

import pytest

from commonwatt.adapters.station.virtual.link import Link


class Wire:
    """A transport that takes everything and says nothing."""

    def __init__(self):
        self.sent = asyncio.Queue()

    async def send(self, text):
        await self.sent.put(text)

    async def receive(self):
        await asyncio.Event().wait()


async def test_a_call_that_is_cancelled_ends_though_its_answer_comes_in_the_same_moment():
    wire = Wire()
    link = Link(wire, handle=None, new_id=lambda: "1", timeout_s=30)
    calling = asyncio.create_task(link.call("Heartbeat", {}))
    await wire.sent.get()
    for _ in range(5):
        await asyncio.sleep(0)
    await link._take('[3,"1",{"currentTime":"2026-05-01T12:00:00Z"}]')
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
