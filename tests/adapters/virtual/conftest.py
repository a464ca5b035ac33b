"""Virtual time for virtual stations: nothing here waits for a real second."""

from __future__ import annotations

import asyncio

import async_solipsism
import pytest
from tests.adapters.virtual.csms import Csms

from commonwatt.kernel import Instant

NOON = Instant.parse("2026-05-01T12:00:00Z")


def pytest_configure(config):
    """Other folders keep the plugin's own loop; its newer hook for this would apply to every test of a run."""
    config.addinivalue_line("filterwarnings", "ignore:Overriding the .event_loop_policy.:DeprecationWarning")
    config.addinivalue_line(
        "filterwarnings", "ignore:Overriding the .event_loop_policy.:pytest.PytestDeprecationWarning"
    )
    config.addinivalue_line("markers", "sockets: talks over real sockets, in real time")


class VirtualTime(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self):
        return async_solipsism.EventLoop()


class LoopClock:
    """A clock that shows the event loop's virtual time."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    def now(self):
        return NOON.plus(ms=round((self._loop.time() - self._began) * 1000))


@pytest.fixture
def event_loop_policy(request):
    return asyncio.DefaultEventLoopPolicy() if request.node.get_closest_marker("sockets") else VirtualTime()


@pytest.fixture
async def csms():
    return Csms()


@pytest.fixture
async def station_of(csms):
    """Makes stations at the server's double; they are switched off after the test."""
    from commonwatt.adapters.station.virtual import Faults, VirtualStation

    made = []

    def make(*faults, **options):
        options.setdefault("clock", LoopClock())
        station = VirtualStation(
            "CP-1", dial=csms.dial, faults=Faults.of(*faults), tell=options.pop("tell", print), **options
        )
        made.append(station)
        return station

    yield make
    for station in made:
        await station.stop()
