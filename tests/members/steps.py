"""Steps that tests of members share: join by a link, sign in with a passkey, find the actor."""

from tests.members.authenticator import SoftAuthenticator

from commonwatt.kit.database import Work
from commonwatt.kit.web import Site
from commonwatt.members import Actor, Role, lists, offer_setup
from commonwatt.members.actions import prove_by_passkey as prove
from commonwatt.members.actions.sign_in import Visit
from commonwatt.members.secrets import digest

SITE = Site("Test", "http://localhost:8080")
VISIT = Visit("Firefox", "192.0.2.1")
OWNER = Actor("member/x", "Ada", Role.OWNER, member_id="x")


def later(work: Work, ms: int) -> Work:
    return Work(work.sql, work.now.plus(ms=ms), work.ids)


def secret_of(link) -> str:
    return link.path.rsplit("/", 1)[1]


def join(work, link=None, name="Ada", device=None):
    link = link or offer_setup(work)
    device = device or SoftAuthenticator(SITE.base_url)
    begun = prove.begin_join(work, SITE, secret_of(link), name)
    ceremony = prove.take_ceremony(work, begun.state, prove.JOIN)
    with work.sql.begin_nested():
        started = prove.finish_join(work, SITE, ceremony, secret_of(link), device.register(begun.options), VISIT)
    return started, device


def sign_in(work, device):
    begun = prove.begin_sign_in(work, SITE)
    ceremony = prove.take_ceremony(work, begun.state, prove.SIGN_IN)
    return prove.finish_sign_in(work, SITE, ceremony, device.sign_in(begun.options), VISIT)


def actor_of(work, started) -> Actor:
    found = lists.find_by_sign_in(work.sql, digest(started.secret), work.now, "192.0.2.1")
    return found[0] if found else None
