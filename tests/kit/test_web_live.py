"""Live streams tell each listener its own topics, and a slow or unwelcome one costs nobody else anything."""

import asyncio
import json

import pytest
from litestar import get
from litestar.testing import TestClient

from commonwatt.charging import Rules
from commonwatt.kernel import Instant, Unavailable
from commonwatt.kit.clock import SteppedClock
from commonwatt.kit.database import Database, Note, Work, create_tables, open_engine
from commonwatt.kit.web import Behaviour, Live, Site, TooManyRequests, build_app
from commonwatt.kit.web.limits import Buckets, Share
from commonwatt.kit.web.live import LISTENERS_PER_CLIENT, WAITING_MAX, frame
from commonwatt.kit.web.problem_docs import find_page, to_html
from commonwatt.kit.web.server import CannotListen, listen, serve

SITE = Site("Test", "http://localhost:8080")


@pytest.fixture
def database(clock, ids):
    engine = open_engine(None)
    create_tables(engine)
    database = Database(engine, clock, ids, inline=True)
    yield database
    database.close()


def note(topic, name="status", **data):
    return Note(topic, name, data)


def told(listener):
    found = []
    while not listener.waiting.empty():
        item = listener.waiting.get_nowait()
        found.append(None if item is None else (item[1], item[2].name))
    return found


def test_each_hears_its_own_topics_under_its_own_names():
    live = Live()
    driver = live.add({"session/1": "session/SECRET"})
    owner = live.add({"session/*": "session/*"})
    all_of_it = live.add({"*": "*"})
    live.hear([note("session/1"), note("session/2"), note("station/CP-1")])
    assert told(driver) == [("session/SECRET", "status")]
    assert told(owner) == [("session/1", "status"), ("session/2", "status")]
    assert len(told(all_of_it)) == 3


def test_a_listener_that_does_not_keep_up_is_dropped_alone():
    live = Live()
    slow, quick = live.add({"a": "a"}), live.add({"a": "a"})
    for _ in range(WAITING_MAX + 5):
        live.hear([note("a")])
        told(quick)
    assert told(slow) == [None]
    assert len(live) == 1


def test_listeners_are_bounded_per_client_and_in_all():
    live = Live()
    for _ in range(LISTENERS_PER_CLIENT):
        live.add({"a": "a"}, "192.0.2.1")
    with pytest.raises(TooManyRequests):
        live.add({"a": "a"}, "192.0.2.1")
    live.add({"a": "a"}, "192.0.2.2")
    live.close()
    assert len(live) == 0
    with pytest.raises(Unavailable):
        live.add({"a": "a"})


def test_an_event_is_one_line_of_json_whatever_it_holds():
    lines = frame(7, "a\nb", note("x", "n\r\nevil: 1", text="a\n\nid: 9", at=Instant(0))).decode().split("\n")
    assert lines[0] == "id: 7"
    assert json.loads(lines[1].removeprefix("data: ")) == {
        "topic": "a\nb",
        "name": "n\r\nevil: 1",
        "data": {"text": "a\n\nid: 9", "at": "1970-01-01T00:00:00.000Z"},
    }
    assert lines[2:] == ["", ""]


async def gate(request, topic):
    return {"session/SECRET": "session/1", "overview": "overview"}.get(topic)


def tell(work: Work, topic: str):
    work.tell(topic, "sample", power_w=11)


async def test_what_an_action_tells_arrives_after_its_commit(database, clock, ids):
    live = Live()
    behaviour = Behaviour(topic_gate=gate)
    app = build_app([], site=SITE, database=database, clock=clock, ids=ids, live=live, behaviour=behaviour)
    sock = listen("127.0.0.1", 0)
    server = await serve(app, sock)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /live?topics=session/SECRET HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 5\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"200 OK" in head
    assert b"text/event-stream" in head.lower()
    await reader.readuntil(b"event: resumed")
    await database.write(tell, "session/2")
    await database.write(tell, "session/1")
    line = (await reader.readuntil(b"}}")).split(b"data: ")[-1]
    assert json.loads(line) == {"topic": "session/SECRET", "name": "sample", "data": {"power_w": 11}}
    writer.close()
    async with asyncio.timeout(5):
        while len(live):  # noqa: ASYNC110 (the hub tells nobody when a listener leaves)
            await asyncio.sleep(0.01)
    live.close()
    await server.stop()


async def test_a_stopping_server_ends_its_streams(database, clock, ids):
    live = Live()
    behaviour = Behaviour(topic_gate=gate)
    app = build_app([], site=SITE, database=database, clock=clock, ids=ids, live=live, behaviour=behaviour)
    server = await serve(app, listen("127.0.0.1", 0))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /live?topics=overview HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"retry")
    await asyncio.wait_for(server.stop(), 4)
    assert await reader.read() is not None
    writer.close()


@pytest.mark.parametrize("topics", ["", ",", "station/CP-1", "overview,station/CP-1", ",".join(["overview"] * 51)])
def test_unknown_or_foreign_topics_are_not_told(database, clock, ids, topics):
    behaviour = Behaviour(topic_gate=gate)
    app = build_app([], site=SITE, database=database, clock=clock, ids=ids, live=Live(), behaviour=behaviour)
    with TestClient(app, base_url=SITE.base_url) as client:
        assert client.get("/api/v1/events", params={"topics": topics}).status_code in {400, 404}
        without = client.get("/api/v1/events")
        assert (without.status_code, without.json()["field"]) == (400, "topics")
        unknown = client.get("/api/v1/events", params={"topics": "nonsense"})
        assert (unknown.status_code, "'nonsense'" in unknown.json()["detail"]) == (404, True)


def test_a_taken_port_says_what_to_do():
    with listen("127.0.0.1", 0) as sock, pytest.raises(CannotListen, match="Choose another port"):
        listen("127.0.0.1", sock.getsockname()[1])


def test_a_free_port_does_where_it_may():
    with listen("127.0.0.1", 0) as first, listen("127.0.0.1", first.getsockname()[1], or_free=True) as second:
        assert first.getsockname() != second.getsockname()


def test_shares_refill_steadily_and_in_whole_numbers():
    clock = SteppedClock()
    buckets = Buckets(clock, [Share("all", ("/",), per_minute=60, burst=3)])
    assert [buckets.take("a", "/x", "GET") for _ in range(4)] == [None, None, None, 1]
    assert buckets.take("b", "/x", "GET") is None
    clock.step(ms=999)
    assert buckets.take("a", "/x", "GET") == 1
    clock.step(ms=1)
    assert buckets.take("a", "/x", "GET") is None
    assert buckets.take("a", "/x", "GET") == 1
    clock.step(seconds=3600)
    assert [buckets.take("a", "/x", "GET") for _ in range(4)] == [None, None, None, 1]


def test_a_clock_that_goes_back_takes_no_share_away():
    clock = SteppedClock()
    buckets = Buckets(clock, [Share("all", ("/",), per_minute=60, burst=2)])
    assert buckets.take("a", "/", "GET") is None
    clock.step(seconds=-3600)
    assert buckets.take("a", "/", "GET") is None
    clock.step(seconds=1)
    assert buckets.take("a", "/", "GET") is None


def test_explanations_are_rendered_and_nothing_else_is_read():
    assert find_page("../problems/missing") is None
    assert find_page("missing-page-of-nothing") is None
    assert "Retry-After" in find_page("too-many-requests")
    html = to_html("# A <b>\n\nSee `x` and **y** or [z](refused.md).\n\n- one\n- two\n\n1. first\n2. second\n")
    assert "<h1>A &lt;b&gt;</h1>" in html
    assert '<code>x</code> and <strong>y</strong> or <a href="/problems/refused">z</a>' in html
    assert "<ul><li>one</li><li>two</li></ul>" in html
    assert "<ol><li>first</li><li>second</li></ol>" in html
    assert "javascript" not in to_html("[x](javascript:alert)").split("href")[-1] or "href" not in to_html(
        "[x](javascript:a)"
    )


def test_a_problem_s_type_is_a_page(database, clock, ids):
    app = build_app([], site=SITE, database=database, clock=clock, ids=ids, live=Live())
    with TestClient(app, base_url=SITE.base_url) as client:
        problem = client.get("/api/v1/nowhere").json()
        page = client.get(problem["type"].removeprefix(SITE.base_url), headers={"accept": "text/html"})
        assert page.status_code == 200
        assert "What to do" in page.text
        assert client.get("/problems/never-heard-of").status_code == 404


@pytest.mark.parametrize("busy", [False, True])
async def test_who_is_not_welcome_any_more_hears_nothing_after_a_heartbeat(monkeypatch, busy):
    monkeypatch.setattr("commonwatt.kit.web.live.HEARTBEAT_S", 0.05)
    live, asked = Live(), []

    async def welcome():
        asked.append(True)
        return len(asked) < 3

    heard = []
    async with asyncio.timeout(5):
        async for chunk in live.stream({"a": "a"}, "192.0.2.1", welcome=welcome):
            heard.append(chunk)
            if busy:
                live.hear([note("a")])
    assert len(asked) == 3
    assert heard.count(b"event: ping\ndata: {}\n\n") == 2
    assert len(live) == 0


def test_one_client_has_fewer_offers_open_than_a_connector_has_room_for():
    clock = SteppedClock()
    buckets = Buckets(clock)
    paths = ("/c/a/pay", "//c//a//pay", "/lnurl/pay/a/callback", "/lnurl/pay/a/callback/sa/0", "/s/x/top-up")
    made = 0
    for _ in range(630):
        made += sum(buckets.take("192.0.2.1", path, "GET") is None for path in paths)
        clock.step(seconds=1)
    assert made == 20 + 42 - 1
    assert made < Rules().offers_max
    assert [buckets.take("192.0.2.1", path, "GET") for path in paths[:2]] == [None, 15]
    assert buckets.take("192.0.2.2", "/lnurl/pay/a/callback", "GET") is None
    assert buckets.take("192.0.2.1", "/lnurl/pay/a", "GET") is None
    assert buckets.take("192.0.2.1", "/c/a", "GET") is None


def test_a_wallet_that_asks_too_fast_is_told_so_in_its_own_form(database, clock, ids):
    @get("/lnurl/pay/{name:str}/callback")
    async def take_pay(name: str) -> dict[str, str]:
        return {"pr": name}

    app = build_app([take_pay], site=SITE, database=database, clock=clock, ids=ids, live=Live())
    with TestClient(app, base_url=SITE.base_url) as client:
        answers = [client.get("/lnurl/pay/a/callback?amount=1") for _ in range(21)]
    assert [answer.json() for answer in answers[:20]] == [{"pr": "a"}] * 20
    assert set(answers[20].json()) == {"status", "reason"}
    assert answers[20].json()["status"] == "ERROR"
    assert "Wait 15 s" in answers[20].json()["reason"]
    assert answers[20].headers["access-control-allow-origin"] == "*"
