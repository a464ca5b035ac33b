"""A backup holds everything or nothing, and is restored only where nothing is lost."""

import asyncio
import contextlib
import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
import tarfile
import threading

import pytest
from tests.main.older import make_0004

from commonwatt.books import Entry, balance, post
from commonwatt.kernel import BTC, Amount, Instant, RandomIds
from commonwatt.kit.cli import run_group
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, open_engine
from commonwatt.kit.running import LOCK, DataInUse, only_server
from commonwatt.main import backup
from commonwatt.main.backup import BackupUnreadable, DataInTheWay, FileInTheWay, make_backup, restore_backup
from commonwatt.main.cli import commonwatt, new_program
from commonwatt.main.config import Data
from commonwatt.main.migrations import migrate, newest
from commonwatt.main.opening import NoData

NOW = Instant.parse("2026-05-01T12:00:00Z")


def pay(work, key):
    lines = [Entry.debit("rail:sandbox", Amount(BTC, 1000)), Entry.credit("session:s1", Amount(BTC, 1000))]
    return post(work, key, lines, "Paid")


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return Data(dir=folder)


@pytest.fixture
async def database(data):
    engine = open_engine(data.database)
    migrate(engine)
    database = Database(engine, SystemClock(), RandomIds())
    await database.write(pay, "in")
    with sqlite3.connect(data.sandbox) as sandbox:
        sandbox.execute("create table node (name text)")
        sandbox.execute("insert into node values ('driver')")
    yield database
    database.close()


def paid(folder) -> int:
    engine = open_engine(folder / "commonwatt.sqlite")
    with engine.connect() as connection:
        units = balance(connection, "session:s1").units
    engine.dispose()
    return units


async def test_there_and_back_while_the_server_writes(database, data, tmp_path):
    writing = asyncio.create_task(asyncio.wait_for(write_for_ever(database), 30))
    await asyncio.sleep(0)
    manifest = await asyncio.to_thread(make_backup, data, tmp_path / "b.tar", NOW)
    writing.cancel()
    assert list(manifest.files) == ["commonwatt.sqlite", "sandbox.sqlite"]
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    there = Data(dir=tmp_path / "there")
    assert restore_backup(there, tmp_path / "b.tar", NOW, replace=False) == backup.Restored(manifest, 0)
    assert paid(there.dir) >= 1000
    with sqlite3.connect(there.sandbox) as sandbox:
        assert sandbox.execute("select name from node").fetchall() == [("driver",)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "data", "there"]


async def test_a_large_database_is_copied_though_commits_never_pause(database, data, tmp_path):
    """Copied in pieces it would begin anew after each commit; no piece is as large as this."""
    with sqlite3.connect(data.database) as raw:
        raw.execute("create table ballast (content blob)")
        raw.executemany("insert into ballast values (zeroblob(1048576))", [()] * 64)
    raw.close()
    going, stop = threading.Event(), threading.Event()
    commits = []

    def write_without_a_pause():
        with contextlib.closing(sqlite3.connect(data.database, timeout=30, isolation_level=None)) as raw:
            raw.execute("PRAGMA synchronous=OFF")
            while not stop.is_set():
                raw.execute("insert into ballast values (x'00')")
                commits.append(1)
                going.set()

    writing = threading.Thread(target=write_without_a_pause, daemon=True)
    copying = threading.Thread(target=make_backup, args=(data, tmp_path / "b.tar", NOW), daemon=True)
    writing.start()
    assert going.wait(30)
    before = len(commits)
    copying.start()
    await asyncio.to_thread(copying.join, 30)
    after = len(commits)
    ended = not copying.is_alive()
    stop.set()
    writing.join(30)
    assert ended
    assert after > before
    there = Data(dir=tmp_path / "there")
    restore_backup(there, tmp_path / "b.tar", NOW, replace=False)
    assert paid(there.dir) == 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "data", "there"]


def test_what_a_killed_run_left_is_removed_by_the_next_and_nothing_else_is(data, tmp_path):
    sqlite3.connect(data.database).close()
    code = (
        "import sys, time, pathlib; from commonwatt.main import backup\n"
        "with backup._workroom(pathlib.Path(sys.argv[1])) as room:\n"
        "    (room / 'commonwatt.sqlite').write_text('half'); print(room.name, flush=True); time.sleep(60)\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(2)]
    killed, running = (run.stdout.readline().decode().strip() for run in runs)
    foreign = tmp_path / ".backup-of-somebody"
    foreign.mkdir()
    try:
        runs[0].kill()
        runs[0].wait()
        assert (tmp_path / killed).is_dir()
        make_backup(data, tmp_path / "b.tar", NOW)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([foreign.name, running, "b.tar", "data"])
    finally:
        for run in runs:
            run.kill()
            run.communicate()


def spoil_head(path):
    with path.open("r+b") as file:
        file.write(b"not a database any more")


def spoil_everything(path):
    path.write_bytes(b"\xff" * path.stat().st_size)


def spoil_schema(path):
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)


@pytest.mark.parametrize("spoil", [spoil_head, spoil_everything, spoil_schema])
async def test_a_damaged_database_is_restored_over_and_kept_with_its_log(database, data, tmp_path, spoil):
    make_backup(data, tmp_path / "b.tar", NOW)
    database.close()
    database.engine.dispose()
    spoil(data.database)
    found = data.database.read_bytes()
    log = data.dir / "commonwatt.sqlite-wal"
    log.write_bytes(b"what the disk left of the log")
    restore_backup(data, tmp_path / "b.tar", NOW, replace=True)
    assert paid(data.dir) == 1000
    aside = data.dir / "commonwatt.sqlite.replaced-1"
    assert aside.read_bytes() == found
    kept = data.dir / "commonwatt.sqlite.replaced-1-wal"
    assert kept.read_bytes() == b"what the disk left of the log"


async def test_a_log_without_its_database_is_not_played_into_the_restored_one(database, data, tmp_path):
    make_backup(data, tmp_path / "b.tar", NOW)
    there = Data(dir=tmp_path / "there")
    there.dir.mkdir()
    (there.dir / "commonwatt.sqlite-wal").write_bytes(b"old")
    with pytest.raises(DataInTheWay, match="holds data already"):
        restore_backup(there, tmp_path / "b.tar", NOW, replace=False)
    restore_backup(there, tmp_path / "b.tar", NOW, replace=True)
    assert (there.dir / "commonwatt.sqlite.replaced-1-wal").read_bytes() == b"old"
    assert paid(there.dir) == 1000


async def write_for_ever(database):
    count = 0
    while True:
        count += 1
        await database.write(pay, f"more{count}")


async def test_data_is_not_written_over_unless_told_and_then_kept_aside(database, data, tmp_path):
    make_backup(data, tmp_path / "b.tar", NOW)
    await database.write(pay, "later")
    with pytest.raises(FileInTheWay, match="exists"):
        make_backup(data, tmp_path / "b.tar", NOW)
    with pytest.raises(DataInTheWay, match="holds data already"):
        restore_backup(data, tmp_path / "b.tar", NOW, replace=False)
    with pytest.raises(DataInTheWay, match="is in use"):
        restore_backup(data, tmp_path / "b.tar", NOW, replace=True)
    assert paid(data.dir) == 2000
    database.close()
    restore_backup(data, tmp_path / "b.tar", NOW, replace=True)
    assert paid(data.dir) == 1000
    aside = data.dir / "commonwatt.sqlite.replaced-1"
    aside.rename(data.dir / "commonwatt.sqlite")
    assert paid(data.dir) == 2000


@pytest.mark.parametrize(("answer", "left"), [(b"y\n", 1000), (b"n\n", 2000)])
async def test_a_person_is_asked_before_data_is_replaced(answer, left, database, data, tmp_path):
    make_backup(data, tmp_path / "b.tar", NOW)
    await database.write(pay, "later")
    database.close()
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer)
    words = [sys.executable, "-m", "commonwatt.main", "restore", tmp_path / "b.tar", "--data", data.dir]
    told = await asyncio.to_thread(subprocess.run, words, stdin=terminal, capture_output=True, check=False)
    os.close(keyboard)
    os.close(terminal)
    said = b" ".join(told.stdout.split())
    assert b"holds data already" in said, told.stderr
    assert b"commonwatt.sqlite.replaced-1" in said
    assert (told.returncode == 0) is (left == 1000), told.stderr
    assert paid(data.dir) == left


async def test_a_running_server_is_not_robbed_of_its_data(database, data, tmp_path):
    make_backup(data, tmp_path / "b.tar", NOW)
    database.close()
    with only_server(data.dir), pytest.raises(DataInTheWay, match="A server runs"):
        restore_backup(data, tmp_path / "b.tar", NOW, replace=True)


async def test_no_server_starts_while_a_backup_is_put_back(database, data, tmp_path, monkeypatch):
    make_backup(data, tmp_path / "b.tar", NOW)
    there = Data(dir=tmp_path / "there")
    inspect = backup._inspect
    refused = []

    def start_meanwhile(path):
        with pytest.raises(DataInUse), only_server(there.dir):
            pytest.fail("a server wrote into a database that is about to be replaced")
        refused.append(path.name)
        inspect(path)

    monkeypatch.setattr(backup, "_inspect", start_meanwhile)
    restore_backup(there, tmp_path / "b.tar", NOW, replace=False)
    assert refused == ["commonwatt.sqlite", "sandbox.sqlite"]
    with only_server(there.dir):
        assert paid(there.dir) == 1000


async def test_nothing_to_copy(tmp_path):
    with pytest.raises(NoData):
        make_backup(Data(dir=tmp_path), tmp_path / "b.tar", NOW)
    assert list(tmp_path.iterdir()) == []


def repack(source, target, change):
    """Write the backup anew with members changed by `change(name, content)`; None leaves one out."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            content = change(member.name, old.extractfile(member).read())
            if content is None:
                continue
            name, content = content
            info = tarfile.TarInfo(name)
            info.size = len(content)
            new.addfile(info, io.BytesIO(content))


def damaged(name, content):
    return name, content[:-1] + b"x" if name.endswith("sqlite") else content


def foreign(name, content):
    return (name, b'{"format": "other/1"}') if name == "manifest.json" else (name, content)


def escaping(name, content):
    return name, content.replace(b"sandbox.sqlite", b"../../evil.txt")


def newer(name, content):
    return name, content.replace(f'"revision": "{newest()}"'.encode(), b'"revision": "9999"')


def incomplete(name, content):
    return None if name == "sandbox.sqlite" else (name, content)


def headless(name, content):
    return None if name == "manifest.json" else (name, content)


@pytest.mark.parametrize("change", [damaged, foreign, escaping, newer, incomplete, headless])
async def test_what_was_tampered_with_is_not_restored(database, data, tmp_path, change):
    make_backup(data, tmp_path / "b.tar", NOW)
    repack(tmp_path / "b.tar", tmp_path / "bad.tar", change)
    with pytest.raises(BackupUnreadable):
        restore_backup(Data(dir=tmp_path / "there"), tmp_path / "bad.tar", NOW, replace=False)
    assert [path.name for path in (tmp_path / "there").iterdir()] == [LOCK]
    assert not (tmp_path / "evil.txt").exists()


async def test_what_is_cut_short_or_something_else_is_not_restored(database, data, tmp_path):
    make_backup(data, tmp_path / "b.tar", NOW)
    whole = (tmp_path / "b.tar").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"hello", whole[:600]):
        (tmp_path / "bad.tar").write_bytes(content)
        with pytest.raises(BackupUnreadable):
            restore_backup(Data(dir=tmp_path / "there"), tmp_path / "bad.tar", NOW, replace=False)


async def test_books_that_do_not_add_up_are_not_restored(database, data, tmp_path):
    with sqlite3.connect(data.database) as raw:
        raw.execute("update books_entry set units = 7 where line = 0")
    raw.close()
    make_backup(data, tmp_path / "b.tar", NOW)
    words = ["restore", str(tmp_path / "b.tar"), "--data", str(tmp_path / "there")]
    assert run_group(commonwatt, words, new_program()) == 5


async def test_the_commands(database, data, tmp_path, capsys):
    assert (
        run_group(commonwatt, ["backup", str(tmp_path / "b.tar"), "--data", str(data.dir), "--json"], new_program())
        == 0
    )
    assert json.loads(capsys.readouterr().out)["format"] == "commonwatt-backup/1"
    words = ["restore", str(tmp_path / "b.tar"), "--data", str(tmp_path / "there")]
    assert run_group(commonwatt, words, new_program()) == 0
    told = capsys.readouterr().out
    assert "books add up" in told
    assert "withheld" not in told
    assert run_group(commonwatt, words, new_program()) == 1
    assert run_group(commonwatt, [*words, "--yes"], new_program()) == 0


def owe(path):
    """Let a session that is over owe 4,500 sat, and another one run, as the tables of before had them."""
    common = {"secret": "", "kind": "prepaid", "station": "CP-1", "connector": 1, "id_tag": "", "tariff_version": "v"}
    common |= {"asset": "EUR", "made_ms": 0, "reason": "", "flags": "", "progress": '{"session":{"status":"ended"}}'}
    numbers = ("heard_ms", "energy_wh", "power_w", "gross_units", "paid_msat", "held_msat", "cost_msat", "billed_msat")
    common |= dict.fromkeys((*numbers, "returned_msat"), 0)
    with contextlib.closing(sqlite3.connect(path)) as raw, raw:
        for name, status, owed in (("s1", "ended", 4_500_000), ("s2", "charging", 0), ("s3", "ended", 0)):
            row = {**common, "id": name, "secret": name, "status": status, "owed_msat": owed}
            named, marks = ", ".join(row), ", ".join("?" * len(row))
            raw.execute(f"INSERT INTO session ({named}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 (constants)


def withheld_in(data):
    with contextlib.closing(sqlite3.connect(data.database)) as raw:
        return dict(raw.execute("SELECT id, withheld_ms FROM session"))


async def test_restoring_withholds_change_and_says_what_to_do(database, data, tmp_path, capsys):
    owe(data.database)
    make_backup(data, tmp_path / "b.tar", NOW)
    words = ["restore", str(tmp_path / "b.tar"), "--data", str(tmp_path / "there")]
    assert run_group(commonwatt, words, new_program()) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "The change of 2 sessions is withheld" in told
    assert "commonwatt session release" in told
    assert run_group(commonwatt, [*words, "--yes", "--json"], new_program()) == 0
    assert json.loads(capsys.readouterr().out)["withheld"] == 2
    assert withheld_in(data) == {"s1": None, "s2": None, "s3": None}, "who only makes a backup goes on paying"


def test_a_backup_of_an_older_version_is_brought_up_to_date_and_withholds_change_too(data, tmp_path):
    engine = open_engine(data.database)
    migrate(engine)
    engine.dispose()
    with contextlib.closing(sqlite3.connect(data.database)) as old, old:
        make_0004(old)
    owe(data.database)
    make_backup(data, tmp_path / "b.tar", NOW)
    there = Data(dir=tmp_path / "there")
    assert restore_backup(there, tmp_path / "b.tar", NOW, replace=False).withheld == 2
    assert withheld_in(there) == {"s1": NOW.ms, "s2": NOW.ms, "s3": None}
    with contextlib.closing(sqlite3.connect(there.database)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (newest(),)
    assert sorted(path.name for path in there.dir.iterdir()) == sorted([LOCK, "commonwatt.sqlite"])
