"""A site of one free charge point in memory, for tests of what drivers see; its Lightning node is out of reach."""

from __future__ import annotations

from litestar.template import TemplateConfig
from litestar.testing import TestClient
from tests.charging.pages_house import SITE, TEMPLATES, Line, flat_price

from commonwatt import charging, stations
from commonwatt.charging.pages import ROUTES
from commonwatt.kernel import Failed
from commonwatt.kit.database import Work
from commonwatt.kit.pages import ROUTES as PAGE_ROUTES
from commonwatt.kit.pages.engine import PageEngine
from commonwatt.kit.web import Behaviour, Live, build_app
from commonwatt.payments.ports import Capabilities
from commonwatt.stations import ConnectorStatus
from commonwatt.tariffs import Rate, assign_tariff, create_tariff, store_rate


class FarRail:
    """A rail whose node is out of reach: whoever gets so far was not refused for anything else."""

    name = "far"
    capabilities = Capabilities(hold=True, accepted_event=True, description_hash=True, msat=True)

    async def create_invoice(self, _terms):
        return Failed("connection refused by node 03ab")


class DriverHouse:
    """The site before a driver: `client` is the browser, `act` changes the database, `set_price` sells energy."""

    def __init__(self, database, clock, ids, site=SITE):
        self.database, self.clock, self.ids, self.line = database, clock, ids, Line()
        app = build_app(
            [*ROUTES, *PAGE_ROUTES],
            site=site,
            database=database,
            clock=clock,
            ids=ids,
            live=Live(),
            dependencies={"line": self.line, "rules": charging.Rules(), "rails": {FarRail.name: FarRail()}},
            behaviour=Behaviour(template_config=TemplateConfig(instance=PageEngine(TEMPLATES, clock)), limited=False),
        )
        self.client = TestClient(app, base_url=site.base_url)
        self.act(stations.add_station, "CP-1", "Garage", with_password=False)
        self.act(stations.note_connected, "CP-1", "10.0.0.7", "ocpp1.6")
        self.act(stations.note_status, [ConnectorStatus("CP-1", 1, "Available", "NoError")])

    def act(self, action, *args, **kwargs):
        """Run one action in its own transaction."""
        with self.database.engine.connect() as connection, connection.begin():
            return action(Work(connection, self.clock.now(), self.ids), *args, **kwargs)

    def set_price(self, euro_per_btc=60_000):
        """Sell energy in euro; without a rate, nobody knows what it costs in bitcoin."""
        self.act(assign_tariff, self.act(create_tariff, flat_price("Standard", 420_000)).id)
        if euro_per_btc:
            self.act(store_rate, Rate("", "EUR", euro_per_btc * 1_000_000, self.clock.now(), ("kraken",)))
