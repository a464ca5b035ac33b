"""A site with one priced station in memory, and a browser of whoever asks: for tests of the owner's pages."""

from __future__ import annotations

from types import SimpleNamespace

from litestar.template import TemplateConfig
from litestar.testing import TestClient

from commonwatt import charging, stations
from commonwatt.charging.actions.keep_tags import add_tag
from commonwatt.charging.overview_page import ROUTES as OVERVIEW_ROUTES
from commonwatt.charging.owner_pages import ROUTES
from commonwatt.charging.pages import show_receipt
from commonwatt.charging.reports import Sample, SampleReport, StartReport, StopReport
from commonwatt.kernel import EUR, Done
from commonwatt.kit.database import Work
from commonwatt.kit.pages.engine import PageEngine, environment
from commonwatt.kit.web import Behaviour, Live, Site, build_app
from commonwatt.main.search_page import ROUTES as SEARCH_ROUTES
from commonwatt.members import DEPENDENCIES, EXCEPTION_HANDLERS, Actor, Role
from commonwatt.stations import ConnectorStatus, FrameRow, Setting
from commonwatt.stations.pages import ROUTES as STATION_ROUTES
from commonwatt.tariffs import Component, Element, Kind, Tariff, assign_tariff, create_tariff
from commonwatt.tariffs.pages import ROUTES as TARIFF_ROUTES

SITE = Site("Test", "http://testserver.local")
OWNER = Actor("member/1", "Ann", Role.OWNER)
AUDITOR = Actor("member/2", "Bob", Role.AUDITOR)
CONFIG = SimpleNamespace(
    stations=SimpleNamespace(
        tls_certificate=None, public_url="", bind=SimpleNamespace(host="", port=8180), auth="open-for-trial"
    )
)
TEMPLATES = environment()
"""Compiled once for all tests."""
HTML = {"accept": "text/html"}


class Line:
    """Answers every command as told."""

    def __init__(self):
        self.outcome = Done({"status": "Accepted"})
        self.sent, self.closed = [], []

    def is_connected(self, _identity):
        return True

    async def send(self, identity, action, payload, **_patience):
        self.sent.append((identity, action, payload))
        return self.outcome

    async def disconnect(self, identity, _reason):
        self.closed.append(identity)


class As:
    """Lets every request come from one actor."""

    def __init__(self, app, box):
        self.app, self.box = app, box

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope["user"] = self.box["actor"]
        await self.app(scope, receive, send)


class House:
    """The site: `open` answers with a page, `send` posts a form, `act` changes the database."""

    def __init__(self, database, clock, ids):
        self.database, self.clock, self.ids = database, clock, ids
        self.line, self.box = Line(), {"actor": OWNER}
        given = {"line": self.line, "rules": charging.Rules(), "config": CONFIG, "rails": {}, **DEPENDENCIES}
        app = build_app(
            [*ROUTES, show_receipt, *OVERVIEW_ROUTES, *SEARCH_ROUTES, *STATION_ROUTES, *TARIFF_ROUTES],
            site=SITE,
            database=database,
            clock=clock,
            ids=ids,
            live=Live(),
            dependencies=given,
            behaviour=Behaviour(
                exception_handlers=EXCEPTION_HANDLERS,
                template_config=TemplateConfig(instance=PageEngine(TEMPLATES, clock)),
                limited=False,
            ),
        )
        app.asgi_handler = As(app.asgi_handler, self.box)
        self.client = TestClient(app, base_url=SITE.base_url)

    def act(self, action, *args, **kwargs):
        """Run one action in its own transaction."""
        with self.database.engine.connect() as connection, connection.begin():
            return action(Work(connection, self.clock.now(), self.ids), *args, **kwargs)

    def open(self, path, expect=200, **query):
        """Return a page's text."""
        answer = self.client.get(path, params=query or None, headers=HTML, follow_redirects=False)
        assert answer.status_code == expect, answer.text
        return answer.text

    def send(self, path, status=303, **form):
        """Post a form; return where it leads, or the page that it answers with."""
        answer = self.client.post(path, data=form or {"_": ""}, headers=HTML, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return answer.headers.get("location") or answer.text

    def furnish(self):
        """Add a station with two connectors, a price, a tag, some frames and a configuration."""
        self.act(stations.add_station, "CP-1", "Garage", with_password=False)
        self.act(stations.note_connected, "CP-1", "10.0.0.7", "ocpp1.6")
        for number in (1, 2):
            self.act(stations.note_status, [ConnectorStatus("CP-1", number, "Available", "NoError")])
        frames = [FrameRow("CP-1", at, "in", "call", "Authorize", str(at), '{"idTag":"04A2"}') for at in range(1, 4)]
        self.act(stations.record_frames, frames)
        self.act(
            stations.remember_configuration,
            "CP-1",
            [Setting("HeartbeatInterval", "60", readonly=False), Setting("NumberOfConnectors", "2", readonly=True)],
        )
        tariff = self.act(create_tariff, flat_price("Standard", 420_000))
        self.act(assign_tariff, tariff.id)
        self.act(add_tag, "04A2", "Ada")
        return tariff.id

    def charge(self, wh=5000, minutes=30, *, stop=True):
        """Let the local tag charge at connector 1; return the session."""
        answer = self.act(charging.start_transaction, StartReport("CP-1", 1, "04A2", 1000, self.clock.now()))
        for minute in range(1, minutes + 1):
            self.clock.step(seconds=60)
            sample = Sample(self.clock.now(), 1000 + wh * minute // minutes, power_w=wh * 60 // minutes)
            self.act(charging.record_samples, [SampleReport("CP-1", 1, answer.transaction_id, (sample,))])
        if stop:
            report = StopReport("CP-1", answer.transaction_id, 1000 + wh, self.clock.now(), "EVDisconnected")
            self.act(charging.stop_transaction, report)
        with self.database.engine.connect() as sql:
            return charging.store.charge_by_transaction(sql, answer.transaction_id)


def flat_price(name, price):
    """Return a tariff of one price for a kWh."""
    return Tariff("", "", name, EUR, (Element((Component(Kind.ENERGY, price, 210_000),)),), vat_included=True)
