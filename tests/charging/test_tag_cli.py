"""`commonwatt tag` over a data directory."""

from __future__ import annotations

import json

import pytest
from tests.conftest import declare_tables

from commonwatt.charging.tag_cli import tag
from commonwatt.kit.cli import Program, run_group
from commonwatt.kit.database import Database, create_tables, open_engine


@pytest.fixture
def run(tmp_path, clock, ids, capsys):
    declare_tables()
    path = tmp_path / "db.sqlite"
    create_tables(open_engine(path))

    def run(*words):
        program = Program(lambda _: None, lambda _config, _only: Database(open_engine(path), clock, ids))
        code = run_group(tag, list(words), program)
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_tag_from_its_adding_to_its_removal(run):
    assert "tag add" in run("list")[1]
    assert run("add", " 04A2B3 ", "--holder", "Bakery")[0] == 0
    (item,) = json.loads(run("list", "--json")[1])["items"]
    assert (item["id_tag"], item["holder"], item["state"]) == ("04A2B3", "Bakery", "accepted")
    assert "blocked" in run("block", "04A2B3")[1]
    assert "blocked" in run("list", "--search", "bakery")[1]
    assert "accepted" in run("block", "04A2B3", "--off")[1]
    assert run("remove", "04A2B3")[0] == 1
    assert run("remove", "04A2B3", "--yes")[0] == 0
    assert "No tag matches" in run("list", "--search", "bakery")[1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "04A2B3"), 2),
        (("add", "x" * 21, "--holder", "Bakery"), 1),
        (("add", "a\x00b", "--holder", "Bakery"), 1),
        (("block", "NOBODY"), 3),
        (("remove", "NOBODY", "--yes"), 3),
    ],
)
def test_what_cannot_be_done_is_refused(run, words, code):
    assert run(*words)[0] == code


def test_a_known_tag_is_not_added_again(run):
    run("add", "04A2B3", "--holder", "Bakery")
    code, said = run("add", "04A2B3", "--holder", "Other")
    assert (code, "known already" in said) == (1, True)
