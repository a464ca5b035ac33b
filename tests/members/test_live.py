"""What is told live stops with the right to hear it: a signed-out browser, a revoked token, a smaller role."""

import pytest
from litestar import Request, get
from litestar.testing import TestClient
from tests.members.authenticator import SoftAuthenticator
from tests.members.conftest import BASE, HTML, Browser

from commonwatt.kit.web import Live, Site, build_app
from commonwatt.main.asgi import topic_gate
from commonwatt.members import TERMINAL, Role, change_role, create_token, invite_member, remove_member, revoke_token


@pytest.fixture
def listening(database, clock, ids):
    """Ask the gate as an open stream does: with a request of earlier."""
    gate, kept = topic_gate(database, Site("Test", BASE)), []

    @get("/keep")
    async def keep(request: Request) -> None:
        kept.append(request)

    site = Site("Test", BASE)
    app = build_app([keep], site=site, database=database, clock=clock, ids=ids, live=Live())

    def open_stream(**headers):
        with TestClient(app, base_url=BASE) as client:
            client.get("/keep", headers=headers)
        request = kept[-1]

        async def hears(topic="jobs"):
            return await gate(request, topic) is not None

        return hears

    return open_stream


async def test_a_session_that_ended_hears_nothing(owner, listening):
    hears = listening(cookie=f"cw_session={owner.cookies['cw_session']}")
    assert await hears()
    owner.send_form("/sign-out", "/devices")
    assert not await hears()


async def test_a_revoked_or_expired_token_hears_nothing(database, clock, listening):
    revoked = await database.write(create_token, TERMINAL, "a", ["jobs:read"])
    expiring = await database.write(create_token, TERMINAL, "b", ["jobs:read"], 60)
    first, second = (listening(authorization=f"Bearer {token.token}") for token in (revoked, expiring))
    assert await first()
    assert await second()
    assert not await first("overview")
    await database.write(revoke_token, TERMINAL, revoked.id)
    clock.step(seconds=60)
    assert not await first()
    assert not await second()


async def test_a_removed_or_demoted_member_hears_no_more_than_its_role_may(database, app, listening):
    link = await database.write(invite_member, TERMINAL, "Bob", Role.OWNER)
    other = await database.write(invite_member, TERMINAL, "Ada", Role.OWNER)
    for path in (other.path, link.path):
        with Browser(app, base_url=BASE) as guest:
            guest.device = SoftAuthenticator(BASE)
            guest.join(path, "Bob")
            hears = listening(cookie=f"cw_session={guest.cookies['cw_session']}")
            member = guest.get("/api/v1/members", headers=HTML).json()["items"][-1]["id"]
    assert await hears("*")
    await database.write(change_role, TERMINAL, member, Role.AUDITOR)
    assert not await hears("*")
    assert await hears("jobs")
    await database.write(remove_member, TERMINAL, member)
    assert not await hears("jobs")


async def test_an_open_stream_keeps_no_session_in_use(owner, clock, listening):
    hears = listening(cookie=f"cw_session={owner.cookies['cw_session']}")
    for _day in range(8):
        clock.step(seconds=86400)
        alive = await hears()
    assert not alive
