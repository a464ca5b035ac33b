"""How a program hears what is wrong with its request: one shape, its own names, plain words."""

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from litestar import get, post
from litestar.params import Parameter, QueryParameter
from litestar.testing import TestClient

from commonwatt.kernel import Refused
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.kit.web import Behaviour, Body, Live, Site, build_app

SITE = Site("Test", "http://testserver.local")


class Role(StrEnum):
    OWNER = "owner"
    AUDITOR = "auditor"


class Piece(Body, frozen=True):
    weight: int


class Parcel(Body, frozen=True):
    name: str
    role: Role | None = None
    colour: Literal["red", "blue"] = "red"
    pieces: tuple[Piece, ...] = ()


@post("/api/v1/parcels")
async def send(data: Parcel) -> None:
    if data.name == "taken":
        raise Refused("The name is taken.", field="name")


@get("/api/v1/parcels")
async def find(
    limit: Annotated[int, Parameter(ge=1, le=200)],
    in_state: Annotated[str, QueryParameter(name="state", pattern="^(open|closed|)$")] = "",
    role: Role | None = None,
    text: Annotated[str, Parameter(max_length=3)] = "",
) -> None: ...


@pytest.fixture
def client(clock, ids):
    engine = open_engine(None)
    create_tables(engine)
    database = Database(engine, clock, ids, inline=True)
    hosts = Behaviour(hosts=("testserver.local",))
    app = build_app([send, find], site=SITE, database=database, clock=clock, ids=ids, live=Live(), behaviour=hosts)
    yield TestClient(app, base_url=SITE.base_url)
    database.close()


BODIES = [
    ({}, "name", "The field name is missing."),
    ({"name": 1}, "name", "This is a whole number; it must be a text."),
    ({"name": "a", "odd": 1}, "odd", "There is no field odd here."),
    ({"name": "a", "role": "boss"}, "role", "'boss' is not one of: owner, auditor."),
    ({"name": "a", "colour": "green"}, "colour", "'green' is not one of: red, blue."),
    ({"name": "a", "pieces": [{"weight": "x"}]}, "pieces[0].weight", "This is a text; it must be a whole number."),
    ({"name": "a", "pieces": [{}]}, "pieces[0].weight", "The field pieces[0].weight is missing."),
    ({"name": "taken"}, "name", "The name is taken."),
]


@pytest.mark.parametrize(("body", "field", "message"), BODIES)
def test_a_field_of_the_body_is_named_in_one_shape(client, body, field, message):
    answer = client.post("/api/v1/parcels", json=body).json()
    assert answer["errors"] == [{"field": field, "message": message}]
    assert answer["field"] == field


def test_a_body_that_is_no_object_is_no_field(client):
    answer = client.post("/api/v1/parcels", json=[1]).json()
    assert answer["errors"] == [{"field": "", "message": "This is a list; it must be an object."}]
    assert "field" not in answer
    assert client.post("/api/v1/parcels").json()["detail"] == "The body is missing; send a JSON object."


PARAMETERS = [
    ("", "limit", "The parameter limit is missing."),
    ("limit=many", "limit", "This is a text; it must be a whole number."),
    ("limit=1000", "limit", "It must be at most 200."),
    ("limit=0", "limit", "It must be at least 1."),
    ("limit=5&state=gone", "state", "It must be open or closed."),
    ("limit=5&role=boss", "role", "'boss' is not one of: owner, auditor."),
    ("limit=5&text=long", "text", "It must have at most 3 characters."),
]


@pytest.mark.parametrize(("query", "field", "message"), PARAMETERS)
def test_a_parameter_is_named_as_its_sender_wrote_it(client, query, field, message):
    answer = client.get(f"/api/v1/parcels?{query}").json()
    assert answer["errors"] == [{"field": field, "message": message}]
    assert answer["field"] == field
