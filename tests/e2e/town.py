"""A whole installation for one test module: server, charge points and cars on a thread of their own, on free ports."""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from commonwatt import charging
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.main import serving as serving_module
from commonwatt.main.config import Address, Config
from commonwatt.main.demo.settings import demo_config
from commonwatt.main.demo.town import furnish
from commonwatt.main.serving import Serving, serving

PATIENCE_S = 60.0
POWER_W = 150_000.0


class Town:
    """The server as it is delivered, over a fresh folder; tests move its stations from their own thread."""

    def __init__(self, folder, *, furnished, limited=True):
        nowhere = Address("127.0.0.1", 0)
        config = demo_config(replace(Config(), data=replace(Config().data, dir=folder)), nowhere, nowhere)
        self.config = replace(config, charging=replace(config.charging, sample_s=1))
        self._furnished, self._limited = furnished, limited
        self._stations: dict[str, VirtualStation] = {}
        self._errands: list[Any] = []
        self._ready = threading.Event()
        self._trouble: BaseException | None = None
        self.kept: dict[str, Any] = {}
        """What tests want to find again, such as a session in a certain state."""
        self._thread = threading.Thread(target=self._run, name="town", daemon=True)
        self.serving: Serving
        self.app: Any = None
        self._loop: asyncio.AbstractEventLoop
        self._stopped: asyncio.Event

    def __enter__(self):
        self._thread.start()
        self._ready.wait(PATIENCE_S)
        if self._trouble is not None:
            raise self._trouble
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the town does not stop"

    def _run(self):
        asyncio.run(self._live())

    async def _live(self):
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        built = serving_module.build_pages
        serving_module.build_pages = lambda *args, **named: self._keep(built(*args, **named))
        try:
            async with serving(self.config, limited=self._limited) as self.serving:
                if self._furnished:
                    await self.serving.house.database.write(furnish, "Europe/Berlin")
                self._ready.set()
                await self._stopped.wait()
                for errand in self._errands:
                    errand.cancel()
                for station in self._stations.values():
                    await station.stop()
        except BaseException as trouble:
            self._trouble = trouble
            raise
        finally:
            serving_module.build_pages = built
            self._ready.set()

    def _keep(self, app):
        self.app = app
        return app

    def do(self, story: Coroutine[Any, Any, Any]):
        """Run something on the town's own loop, and return what came of it."""
        return asyncio.run_coroutine_threadsafe(story, self._loop).result(PATIENCE_S)

    def spawn(self, story):
        """Let something happen on the town's loop beside all else."""
        self._errands.append(asyncio.run_coroutine_threadsafe(story, self._loop))

    def until_charge(self, session_id, true):
        """Wait until something is true of a session."""

        async def wait():
            database = self.serving.house.database
            async with asyncio.timeout(PATIENCE_S / 2):
                while not true(await database.read(charging.charge_by_id, session_id)):  # noqa: ASYNC110 (facts have no bell)
                    await asyncio.sleep(0.05)

        self.do(wait())

    def url(self, path=""):
        """The address of a page."""
        return self.serving.site.url(path)

    def switch_on(self, identity, *, connectors=1, wait=True):
        """Switch a charge point on: it connects by OCPP over a real WebSocket."""

        async def build():
            station = VirtualStation(identity, self.serving.stations_url, connectors=connectors)
            for number, connector in station.charger.connectors.items():
                station.charger.connectors[number] = replace(connector, power_w_max=POWER_W)
            await station.start()
            if wait:
                await station.until(lambda here: here.online and not here.owes, timeout_s=30)
            return station

        self._stations[identity] = self.do(build())

    def plug(self, identity, connector=1):
        """Plug a car in that takes all that it gets."""
        car = Car(battery_wh=77_000, stored_wh=15_000, power_w_max=POWER_W)
        self.do(self._stations[identity].plug(connector, car))

    def unplug(self, identity, connector=1):
        """Pull the cable."""
        self.do(self._stations[identity].unplug(connector))

    def scan_tag(self, identity, tag, connector=1):
        """Show an RFID tag at the charge point; return what it said."""
        return self.do(self._stations[identity].scan(connector, tag))

    def until_station(self, identity, true, timeout_s=30):
        """Wait until something is true of a charge point."""
        self.do(self._stations[identity].until(true, timeout_s=timeout_s))

    def read(self, query, *args):
        """Ask the database."""
        return self.do(self.serving.house.database.read(query, *args))

    def write(self, action, *args, **named):
        """Change the database as an edge does."""
        return self.do(self.serving.house.database.write(action, *args, **named))
