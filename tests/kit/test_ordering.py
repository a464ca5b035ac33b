"""A list that is read page by page in any order has every row once."""

from dataclasses import dataclass

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, select

from commonwatt.kit.database import Ordering, SortColumn, by_text

THINGS = Table("thing", MetaData(), Column("name", String), Column("kind", String), Column("size", Integer))
ROWS = [(name, kind, size) for size, name in enumerate(["Über", "ubuntu", "Öl", "Zug", "an", "Än"]) for kind in "ab"]


@dataclass
class Thing:
    name: str
    kind: str
    size: int


NAME = SortColumn(THINGS.c.name, str, lambda one: one.name)
KIND = SortColumn(THINGS.c.kind, str, lambda one: one.kind)
ORDERING = Ordering(
    (NAME, KIND),
    {
        "name": NAME,
        "case": by_text(THINGS.c.name, lambda one: one.name),
        "size": SortColumn(THINGS.c.size // 4, int, lambda one: one.size // 4),
    },
)


@pytest.mark.parametrize("sort", ORDERING.names)
def test_pages_of_any_size_make_the_whole(sort):
    engine = create_engine("sqlite://")
    THINGS.metadata.create_all(engine)
    with engine.begin() as sql:
        sql.execute(THINGS.insert(), [dict(zip(("name", "kind", "size"), row, strict=True)) for row in ROWS])
        whole = [Thing(*row) for row in sql.execute(ORDERING.page(select(THINGS), sort))]
        assert len(whole) == len(ROWS)
        for size in (1, 3, 5):
            got, after = [], ()
            while rows := [Thing(*row) for row in sql.execute(ORDERING.page(select(THINGS), sort, after).limit(size))]:
                got += rows
                after = ORDERING.key(rows[-1], sort)
                assert tuple(type(part) for part in after) == ORDERING.kinds(sort)
            assert got == whole
