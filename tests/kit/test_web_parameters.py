"""A parameter of the API that nobody reads is refused; pages take any."""

from typing import Annotated

import pytest
from litestar import get
from litestar.params import QueryParameter
from litestar.testing import TestClient

from commonwatt.kit.web import Live, Paging, Site, build_app


@get("/api/v1/things")
async def get_things(paging: Paging, since: Annotated[str | None, QueryParameter(name="from")] = None) -> list[str]:
    return [since or "-", str(paging.limit)]


@get("/things")
async def show_things(q: str = "") -> str:
    return q


@pytest.fixture
def client(database, clock, ids):
    site = Site("Test", "http://testserver.local")
    app = build_app([get_things, show_things], site=site, database=database, clock=clock, ids=ids, live=Live())
    with TestClient(app, base_url="http://testserver.local") as client:
        yield client


@pytest.mark.parametrize("query", ["since=2030-01-01", "form=2030-01-01", "limit=5&cursors=x", "%3Cscript%3E=1"])
def test_a_parameter_that_nobody_reads_is_refused_with_those_that_are(client, query):
    answer = client.get(f"/api/v1/things?{query}")
    assert answer.status_code == 400
    assert answer.json()["slug"] == "bad-request"
    assert "Known: cursor, from, limit." in answer.json()["detail"]


def test_parameters_that_are_read_are_taken_and_pages_take_any(client):
    assert client.get("/api/v1/things?from=x&limit=5").json() == ["x", "5"]
    assert client.get("/things?q=a&utm_source=mail").text == "a"
