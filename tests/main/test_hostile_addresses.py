"""Whatever an address says, nothing breaks: what cannot be read is refused as a problem, on every route."""

import asyncio
import hashlib
from urllib.parse import quote

import pytest
from litestar.routes import HTTPRoute
from tests.main.whole import HTML, SITE, build_whole

from commonwatt.kernel import SeededIds
from commonwatt.kit.clock import SteppedClock
from commonwatt.kit.web import encode_cursor, session_cookie

HUGE = "9" * 30
SAID = (
    "",
    "-1",
    HUGE,
    "-" + HUGE,
    "9" * 5000,
    "true",
    "2026-01-01T00:00:00",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "%_\\' OR 1=1 --",
    "\x00\u202e\U0001f50c" * 500,
)
CURSORS = tuple(
    encode_cursor(key)
    for key in (("a",), (1,), (0, "a"), ("a", 0), ("a", "b"), (1, 2), (1, "a", "b"), ((1 << 63) - 1, "\x00"), (-1, ""))
)
NEEDED = {"energy_wh": "1000", "duration_s": "600", "station": "TOWN-HALL", "connector": "1"}
"""What a route insists on, so that its other parameters are read at all."""
ENDLESS = ("/live", "/api/v1/events")
"""Whoever may listen there is answered for ever; tests of live streams ask them."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    built = asyncio.run(build_whole(tmp_path_factory.mktemp("whole"), SteppedClock(), SeededIds()))
    with built.client:
        yield built


def addresses(app):
    """Every address that can be read, with the names of what it may be asked with."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and "GET" in route.methods and route.path_format not in ENDLESS:
            _handler, model = route.route_handler_map["GET"]
            names = sorted(one.field_alias for one in model.expected_query_params)
            yield route.path_format, sorted(route.path_parameters), names


def test_no_question_breaks_any_route(whole):
    broken = []

    def ask(place, **query):
        answer = whole.client.get(place, params=query, headers=HTML, follow_redirects=False)
        if answer.status_code >= 500 and answer.status_code != 503:
            broken.append((answer.status_code, place[:80], {name: value[:40] for name, value in query.items()}))
        return answer.status_code

    asked = 0
    for path, within, names in addresses(whole.app):
        needed = {name: value for name, value in NEEDED.items() if name in names}
        for said in SAID if within else ():
            place = path
            for name in within:
                place = place.replace(f"{{{name}}}", quote(said, safe="") or "-")
            ask(place, **needed)
            asked += 1
        place = path
        for name in within:
            place = place.replace(f"{{{name}}}", "1")
        for name in names:
            for said in (*SAID, *CURSORS) if name == "cursor" else SAID:
                ask(place, **{**needed, name: said})
                asked += 1
    assert asked > 2000
    assert broken == []


@pytest.mark.parametrize(
    "place", ["/jobs/{}/retry", "/stations/TOWN-HALL/connectors/{}", "/api/v1/tokens/{}", "/people/{}/remove"]
)
def test_no_number_in_a_place_that_acts_breaks_it(whole, place):
    token = hashlib.sha256(b"csrf:" + whole.client.cookies[session_cookie(SITE)].encode()).hexdigest()
    for said in (HUGE, "-1", "9" * 5000, "0"):
        for method in ("POST", "DELETE"):
            headers = {**HTML, "x-csrf-token": token, "origin": SITE.base_url}
            answer = whole.client.request(method, place.format(said), headers=headers, follow_redirects=False)
            assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "asked",
    [
        "/api/v1/sessions?from=2026-01-01T00:00:00",
        "/api/v1/sessions?to=0001-01-01T00:00:00Z",
        f"/api/v1/sessions?connector={HUGE}",
        f"/api/v1/transactions/{HUGE}",
        f"/api/v1/transactions?cursor={encode_cursor(('a',))}",
        "/api/v1/transactions?from=9999-12-31T23:59:59-14:00",
        "/accounts?at=0001-01-01T00:00",
        "/journal?since=0001-01-01",
        "/api/v1/trial-balance?at=0001-01-01T00:00:00%2B14:00",
    ],
)
def test_what_cannot_be_read_is_a_problem_that_says_so(whole, asked):
    answer = whole.client.get(asked)
    assert answer.status_code in (400, 404)
    assert answer.json()["slug"] in ("bad-request", "no-such-page")


def test_transactions_are_listed_by_each_of_their_filters(whole):
    for query in ("", "?station=X", "?connector=1", "?id_tag=A", "?from=2026-01-01T00:00:00Z&running=true"):
        assert whole.client.get(f"/api/v1/transactions{query}").json() == {"items": [], "next_cursor": None}
