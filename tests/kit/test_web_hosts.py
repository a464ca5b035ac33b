"""No foreign page reaches us under its own name, and whoever comes by a name of ours always does."""

import pytest
from litestar import get
from litestar.testing import TestClient

from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.kit.web import Behaviour, Live, Site, build_app
from commonwatt.kit.web.errors import UnknownHost
from commonwatt.kit.web.hosts import KnownHosts, host_of

SITE = Site("Test", "https://charge.example")
EVERYWHERE = ".".join("0000")


@get("/", sync_to_thread=False)
def front() -> str:
    return "ours"


@pytest.fixture
def database(clock, ids):
    engine = open_engine(None)
    create_tables(engine)
    database = Database(engine, clock, ids, inline=True)
    yield database
    database.close()


@pytest.fixture
def ask(database, clock, ids):
    def ask(host, path="/", *, site=SITE, accept="*/*", headers=None, **behaviour):
        app = build_app(
            [front], site=site, database=database, clock=clock, ids=ids, live=Live(), behaviour=Behaviour(**behaviour)
        )
        with TestClient(app, base_url=site.base_url) as client:
            return client.get(path, headers={"host": host, "accept": accept, **(headers or {})})

    return ask


@pytest.mark.parametrize(
    "host",
    [
        "charge.example", "charge.example:8080", "Charge.EXAMPLE", "charge.example.", "localhost", "localhost:8080",
        "127.0.0.1", "127.0.0.1:9", "127.8.8.8", "[::1]", "[::1]:8080", "[0:0::1]:80",
    ],
)  # fmt: skip
def test_our_names_are_answered(ask, host):
    assert ask(host).text == "ours"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "charge.example.evil.example", "evil-charge.example", "localhost.evil.example", "",
        "127.0.0.1.evil.example", "192.0.2.7", "192.0.2.7:8080", "[2001:db8::7]", "[::1", "[::1]evil.example",
        "charge.example:80:80", "charge.example:x", "charge.example@evil.example", "2130706433",
        "x" * 5000, "charge.example/evil", "charge.example, evil.example", "a b", "[", "]:[", "charge.example:99999",
        "charge.example?x", "charge.example#x", "user:pw@charge.example",
    ],
)  # fmt: skip
def test_foreign_names_are_refused(ask, host):
    answer = ask(host)
    assert answer.status_code == 421
    said = answer.json()
    assert said["slug"] == "unknown-host"
    assert "http.hosts" in said["detail"]
    assert len(said["detail"]) < 400
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("given", [[], [b"charge.example", b"evil.example"], [b"charge.example"] * 2, [b"\xff\xfe"]])
async def test_no_name_and_two_names_are_none(given):
    scope = {"headers": [(b"host", one) for one in given]}
    with pytest.raises(UnknownHost):
        await KnownHosts(["charge.example"], "127.0.0.1").handle(scope, None, None, None)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/problems/unknown-host"])
def test_probes_ask_by_any_address(ask, path):
    for host in ("10.42.0.7:8080", "[2001:db8::7]:8080", "pod-7.cluster.local"):
        assert ask(host, path).status_code == 200


def test_a_browser_reads_a_page_about_it(ask):
    answer = ask("evil.example", accept="text/html")
    assert answer.status_code == 421
    assert answer.headers["content-type"].startswith("text/html")
    assert "site.base_url" in answer.text


def test_other_names_are_ours_when_they_are_set(ask):
    assert ask("charger.lan:8080", hosts=["Charger.LAN", "192.0.2.7"]).text == "ours"
    assert ask("192.0.2.7", hosts=["Charger.LAN", "192.0.2.7"]).text == "ours"
    assert ask("other.lan", hosts=["charger.lan"]).status_code == 421


def test_the_address_that_we_listen_on_is_ours(ask):
    assert ask("192.0.2.7:8080", bound="192.0.2.7").text == "ours"
    assert ask("[2001:db8::7]", bound="2001:db8:0::7").text == "ours"
    assert ask("192.0.2.8", bound="192.0.2.7").status_code == 421


@pytest.mark.parametrize("bound", [EVERYWHERE, "::"])
def test_on_all_addresses_without_a_name_each_address_is_ours_and_no_name_is(ask, bound):
    """An address in figures cannot be pointed elsewhere; a name can."""
    nameless = Site("Test", "http://localhost:8080")
    for host in ("192.0.2.7:8080", "[2001:db8::7]:8080", "localhost:8080"):
        assert ask(host, site=nameless, bound=bound).text == "ours"
    assert ask("evil.example:8080", site=nameless, bound=bound).status_code == 421


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("A.b", "a.b"), ("a.b.", "a.b"), ("a.b:80", "a.b"), ("[::1]:80", "::1"), ("[0::0:1]", "::1"), ("::1", ""),
        (" a.b ", "a.b"), ("", ""), ("[", ""), ("[]", ""), (":80", ""), ("a:b", ""), ("a:65536", ""), ("a/b", ""),
        ("[::1]80", ""),
    ],
)  # fmt: skip
def test_a_host_has_one_way_of_writing(written, host):
    assert host_of(written) == host
