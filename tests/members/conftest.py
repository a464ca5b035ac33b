"""A whole site of members in memory, with a browser that knows passkeys."""

from __future__ import annotations

import re

import pytest
from litestar import get
from litestar.testing import TestClient
from tests.members.authenticator import SoftAuthenticator

from commonwatt.kit.pages import ROUTES as PAGE_ROUTES
from commonwatt.kit.pages import template_engine
from commonwatt.kit.web import Behaviour, Live, Site, build_app
from commonwatt.members import DEPENDENCIES, EXCEPTION_HANDLERS, Actor, Identify, offer_setup, require, require_scope
from commonwatt.members.api import ROUTES as API_ROUTES
from commonwatt.members.guards import require_proof
from commonwatt.members.pages import ROUTES

BASE = "http://members.localhost"


@get("/overview", guards=[require("auditor")])
async def overview(actor: Actor) -> str:
    return f"hello {actor.name}"


@get("/api/v1/commands", guards=[require_scope("stations:command")])
async def commands(actor: Actor) -> dict:
    return {"who": actor.id}


@get("/api/v1/dangerous", guards=[require_proof])
async def dangerous() -> dict:
    return {"done": True}


@pytest.fixture
def app(database, clock, ids):
    site = Site("Test", BASE)
    return build_app(
        [*ROUTES, *API_ROUTES, *PAGE_ROUTES, overview, commands, dangerous],
        site=site,
        database=database,
        clock=clock,
        ids=ids,
        live=Live(),
        dependencies=DEPENDENCIES,
        behaviour=Behaviour(
            middleware=[Identify(database, site)],
            exception_handlers=EXCEPTION_HANDLERS,
            template_config=template_engine(clock),
        ),
    )


class Browser(TestClient):
    """A browser with one passkey: it repeats the page's token as our modules do, and says where it comes from."""

    device: SoftAuthenticator

    def send_form(self, place: str, page: str, **fields):
        token = re.search(r'name="csrf-token" content="([^"]*)"', self.get(page, headers=HTML).text)[1]
        return self.post(place, data={"csrf": token, **fields}, headers=HTML, follow_redirects=False)

    def ask(self, place: str, body: dict):
        token = re.search(r'name="csrf-token" content="([^"]*)"', self.get("/sign-in?again", headers=HTML).text)[1]
        return self.post(place, json=body, headers={"x-csrf-token": token, "origin": BASE})

    def join(self, path: str, name: str):
        begun = self.ask(f"{path}/begin", {"name": name})
        if begun.status_code != 200:
            return begun
        credential = self.device.register(begun.json()["publicKey"])
        return self.ask(f"{path}/finish", {"name": name, "state": begun.json()["state"], "credential": credential})

    def sign_in(self, **more):
        begun = self.ask("/sign-in/begin", {}).json()
        credential = self.device.sign_in(begun["publicKey"])
        return self.ask("/sign-in/finish", {"state": begun["state"], "credential": credential, **more})


HTML = {"accept": "text/html", "origin": BASE, "sec-fetch-site": "same-origin"}


@pytest.fixture
def browser(app):
    with Browser(app, base_url=BASE) as browser:
        browser.device = SoftAuthenticator(BASE)
        yield browser


@pytest.fixture
async def setup_path(database):
    return (await database.write(offer_setup)).path


@pytest.fixture
def owner(browser, setup_path):
    """A browser in which the first owner has just joined."""
    assert browser.join(setup_path, "Ada").json() == {"location": "/devices?welcome=1"}
    return browser
