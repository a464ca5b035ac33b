"""What the machine refuses is told in our words, with an exit code, and the command ends."""

import importlib
import json
import sqlite3
import threading

import pytest
from tests.main.terminal import run

from commonwatt.kit.database import open_engine
from commonwatt.main import opening

serve_module, demo_module = (importlib.import_module(f"commonwatt.main.{name}") for name in ("serve", "demo.run"))


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Leave the log of the test's own process alone."""
    for command in (serve_module, demo_module):
        monkeypatch.setattr(command, "configure_log", lambda *_: None)


@pytest.fixture
def file(tmp_path):
    """A regular file where a folder should be."""
    path = tmp_path / "file"
    path.write_text("no folder")
    return path


@pytest.mark.parametrize("command", [("serve", "--http", "127.0.0.1:0"), ("demo",)])
def test_a_folder_that_cannot_be_made(command, file, capsys):
    assert run(*command, "--data", file / "below") == 4
    said = capsys.readouterr().err
    assert "This place cannot be used." in said
    assert "Traceback" not in said


def test_a_folder_that_is_not_ours(capsys):
    assert run("serve", "--data", "/proc/1/below", "--json") == 4
    assert json.loads(capsys.readouterr().err)["slug"] == "path-refused"


def test_a_backup_into_a_folder_that_is_not_there(data, capsys):
    assert run("backup", data / "missing" / "b.tar", "--data", data) == 4
    assert "missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [(("station", "list"), 4), (("books", "balance"), 4), (("station", "add", "CP-1"), 4)],
)
def test_a_database_of_somebody_else(words, code, data, capsys, monkeypatch):
    def refuse(path):
        engine = open_engine(path)

        def begin(*_):
            raise sqlite3.OperationalError("attempt to write a readonly database")

        opening.event.listen(engine, "connect", begin)
        return engine

    monkeypatch.setattr(opening, "open_engine", refuse)
    before = set(threading.enumerate())
    assert run(*words, "--data", data) == code
    said = " ".join(capsys.readouterr().err.split())
    assert "commonwatt.sqlite cannot be written by this user." in said
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "writer"]


def test_a_database_that_is_busy_or_strange(data, capsys, monkeypatch):
    monkeypatch.setattr("commonwatt.kit.database.engine._PRAGMAS", ("PRAGMA busy_timeout=1",))
    holder = sqlite3.connect(data / "commonwatt.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert run("station", "add", "CP-1", "--data", data) == 4
    assert "is busy" in capsys.readouterr().err
    holder.close()
    with sqlite3.connect(data / "commonwatt.sqlite") as raw:
        raw.execute("drop table station")
    raw.close()
    assert run("station", "list", "--data", data) == 5
    said = " ".join(capsys.readouterr().err.split())
    assert "no such table: station" in said
    assert "Restore the last backup" in said
    assert "sudo" not in said


@pytest.mark.parametrize("content", [b"", b"nothing that SQLite knows " * 400])
@pytest.mark.parametrize(
    "words", [("session", "list"), ("station", "add", "CP-1"), ("books", "check"), ("backup", "b")]
)
def test_a_file_that_is_no_database(content, words, data, capsys, monkeypatch):
    monkeypatch.chdir(data)
    for beside in data.glob("commonwatt.sqlite*"):
        beside.unlink()
    (data / "commonwatt.sqlite").write_bytes(content)
    assert run(*words, "--data", data) == 5
    said = " ".join(capsys.readouterr().err.split())
    assert "commonwatt.sqlite is no database of Commonwatt" in said
    assert "Restore the last backup" in said
    assert "sudo" not in said
    assert not (data / "b").exists()


COMMANDS = [
    ("station", "list"),
    ("station", "add", "CP-1"),
    ("session", "list"),
    ("books", "check"),
    ("tag", "list"),
    ("token", "list"),
    ("owner", "link"),
]


def stand_at(data, revision):
    with sqlite3.connect(data / "commonwatt.sqlite") as raw:
        raw.execute("update alembic_version set version_num = ?", (revision,))
    raw.close()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_another_versions_database_is_neither_read_nor_written(words, data, capsys):
    stand_at(data, "9999")
    before = (data / "commonwatt.sqlite").read_bytes()
    assert run(*words, "--data", data) == 1
    assert "belongs to a newer version" in capsys.readouterr().err
    stand_at(data, "0001")
    assert run(*words, "--data", data) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "belongs to an older version" in said
    assert "commonwatt serve" in said
    stand_at(data, "9999")
    assert (data / "commonwatt.sqlite").read_bytes()[100:] == before[100:]


def test_a_backup_of_an_older_database_is_made_and_of_a_newer_one_not(data, capsys):
    stand_at(data, "9999")
    assert run("backup", data / "newer.tar", "--data", data) == 1
    assert "belongs to a newer version" in capsys.readouterr().err
    assert not (data / "newer.tar").exists()
    stand_at(data, "0001")
    assert run("backup", data / "older.tar", "--data", data) == 0
