"""The whole application in memory, with every route of every feature, and a browser of whoever asks."""

from __future__ import annotations

from dataclasses import replace

from litestar.testing import TestClient

from commonwatt.kit.database import Work, create_tables, open_engine
from commonwatt.kit.web import Site, session_cookie
from commonwatt.main.asgi import build_pages
from commonwatt.main.assembly import assemble
from commonwatt.main.config import Address, Config
from commonwatt.main.demo.settings import demo_config
from commonwatt.main.demo.town import furnish
from commonwatt.main.migrations import all_tables
from commonwatt.main.worlds import open_worlds, rules_of
from commonwatt.members import Role
from commonwatt.members.actions.sign_in import Visit, open_sign_in
from commonwatt.members.store import members
from commonwatt.tariffs import refresh_rates

SITE = Site("Test", "http://testserver.local", timezone="Europe/Prague", sandbox=True)
HTML = {"accept": "text/html"}


class Whole:
    """A furnished town without stations' sockets: `open` answers as the server would."""

    def __init__(self, house, app):
        self.house, self.app = house, app
        self.client = TestClient(app, base_url=SITE.base_url)

    def sign_in(self, role=Role.OWNER):
        """Let a new member of a role be who asks from now on; return its id."""
        started = self.act(_join, role)
        self.client.cookies.set(session_cookie(SITE), started.secret)
        return started.member_id

    def act(self, action, *args, **kwargs):
        """Run one action in its own transaction."""
        with self.house.database.engine.connect() as connection, connection.begin():
            return action(Work(connection, self.house.clock.now(), self.house.database.ids), *args, **kwargs)

    def open(self, path, expect=200, **query):
        """Return a page's answer."""
        answer = self.client.get(path, params=query or None, headers=HTML, follow_redirects=False)
        assert answer.status_code == expect, answer.text
        return answer


def _join(work, role):
    """Make a member without a ceremony."""
    member_id = work.new_id()
    made = {"id": member_id, "name": "Ann", "role": role, "handle": work.ids.secret(32), "made_ms": work.now.ms}
    work.sql.execute(members.insert().values(**made))
    return open_sign_in(work, member_id, Visit("Firefox", "192.0.2.1"), proved=True)


async def build_whole(folder, clock, ids) -> Whole:
    """Assemble a demo's house over a database in memory; nothing of it runs by itself."""
    nowhere = Address("127.0.0.1", 0)
    config = demo_config(replace(Config(), data=replace(Config().data, dir=folder)), nowhere, nowhere)
    all_tables()
    engine = open_engine(None)
    create_tables(engine)
    worlds = await open_worlds(config, clock, ids)
    house = assemble(
        site=SITE, engine=engine, clock=clock, ids=ids, rails=worlds.rails, rules=rules_of(config), inline=True
    )
    whole = Whole(house, build_pages(config, house, worlds, limited=False))
    whole.act(furnish, SITE.timezone)
    await refresh_rates(house.database, worlds.rate_sources, SITE.currency, worlds.rate_policy)
    whole.sign_in()
    return whole
