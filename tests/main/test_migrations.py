"""The migrated database is the declared one, and migrating twice changes nothing."""

import sqlite3
import subprocess
import sys
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from tests.conftest import SOURCE
from tests.main.older import make_0004

from commonwatt import charging
from commonwatt.books import Entry, check_books, post
from commonwatt.kernel import EUR, Amount, RandomIds, digest_of
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Work, open_engine
from commonwatt.main.migrations import FOLDER, DataNewer, all_tables, head, migrate, newest


def test_migrations_lead_to_the_declared_tables(tmp_path):
    engine = open_engine(tmp_path / "db.sqlite")
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == head()
        assert compare_metadata(context, all_tables()) == []


def test_a_migrated_database_has_the_indexes_of_a_fresh_one(tmp_path):
    """Their conditions and the order of their columns too, which Alembic does not compare."""
    migrated, fresh = open_engine(tmp_path / "migrated.sqlite"), open_engine(tmp_path / "fresh.sqlite")
    migrate(migrated)
    all_tables().create_all(fresh)
    assert indexes_of(migrated) == indexes_of(fresh)


def indexes_of(engine):
    with engine.connect() as connection:
        made = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''")
        return {name: " ".join(sql.split()) for name, sql in made}


def test_the_newest_migration_is_known_by_its_file():
    assert newest() == head()


def test_a_newer_database_is_left_alone_and_the_reader_told_what_to_do(tmp_path):
    path = tmp_path / "commonwatt.sqlite"
    engine = open_engine(path)
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DataNewer, match="migration 9999"):
        migrate(engine)
    engine.dispose()
    words = ["serve", "--data", str(tmp_path), "--http", "127.0.0.1:0", "--stations", "127.0.0.1:0"]
    command = [sys.executable, "-m", "commonwatt.main", *words]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == 1
    assert "newer version" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_start_over_an_up_to_date_database_does_not_import_alembic(tmp_path):
    path = tmp_path / "db.sqlite"
    migrate(open_engine(path))
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys; from pathlib import Path; from commonwatt.kit.database import open_engine;"
                "from commonwatt.main.migrations import migrate;"
                f"migrate(open_engine(Path({str(path)!r}))); print('alembic' in sys.modules)"
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "False"


def test_every_module_with_tables_is_known_to_migrations():
    from commonwatt.main.migrations import STORES

    declared = {
        "commonwatt." + ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for path in SOURCE.rglob("*.py")
        if "\n    metadata,\n" in path.read_text()
    }
    assert declared == set(STORES)


def test_tokens_of_before_are_led_back_to_their_member(tmp_path):
    path = tmp_path / "db.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript((FOLDER / "versions" / "0001_first_tables.sql").read_text())
        old.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        old.execute("INSERT INTO alembic_version VALUES ('0001')")
        made = {"a": "member/m1", "b": "token/a", "c": "token/b", "d": "terminal", "e": "token/d", "f": "token/f"}
        for token, maker in made.items():
            old.execute(
                "INSERT INTO api_token (id, hash, name, scopes, made_by, made_ms) VALUES (?, ?, '', '*', ?, 0)",
                (token, token, maker),
            )
        for link, maker in {"i": "member/m1", "j": "token/c", "k": "terminal"}.items():
            old.execute(
                "INSERT INTO invitation (id, hash, kind, name, role, made_by, made_ms, expires_ms) "
                "VALUES (?, ?, 'invited', '', 'owner', ?, 0, 0)",
                (link, link, maker),
            )
    engine = open_engine(path)
    migrate(engine)
    with engine.connect() as connection:
        roots = dict(connection.exec_driver_sql("SELECT id, root_id FROM api_token").all())
        roots |= dict(connection.exec_driver_sql("SELECT id, root_id FROM invitation").all())
    assert {name for name, root in roots.items() if root == "m1"} == {"a", "b", "c", "i", "j"}
    assert {name for name, root in roots.items() if root is None} == {"d", "e", "f", "k"}


def test_accounts_of_before_lose_the_number_of_the_card_and_keep_all_else(tmp_path):
    path = tmp_path / "db.sqlite"
    lines = [["member:04A2", "EUR", 300], ["member:GONE", "EUR", 20], ["revenue", "EUR", -320]]
    kept = digest_of(["post", lines, "Charge at CP-1, connector 1", "session/s1"])
    with sqlite3.connect(path) as old:
        for number in ("0001_first_tables", "0002_root_of_tokens"):
            old.executescript((FOLDER / "versions" / f"{number}.sql").read_text())
        old.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        old.execute("INSERT INTO alembic_version VALUES ('0002')")
        old.execute("INSERT INTO local_tag VALUES ('04A2', 'Ada', 'accepted', 7), ('UNUSED', 'Bob', 'blocked', 8)")
        for session, kind, tag in (("s1", "local", "04A2"), ("s2", "local", "RUNS"), ("s3", "prepaid", "ONCE")):
            holder = tag if kind == "local" else None
            old.execute(
                "INSERT INTO session (id, secret, kind, station, connector, id_tag, holder, tariff_version,"
                " asset, status, made_ms, heard_ms, energy_wh, power_w, gross_units, paid_msat, held_msat, cost_msat,"
                " billed_msat, returned_msat, owed_msat, reason, flags, progress) VALUES (?, ?, ?, 'CP-1', 1, ?, ?,"
                " 'v', 'EUR', 'ended', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '', '{}')",
                (session, session, kind, tag, holder),
            )
        old.execute(
            "INSERT INTO books_write (number, key, kind, digest, at_ms, memo, reference)"
            " VALUES (1, 'bill:s1', 'post', ?, 0, 'Charge at CP-1, connector 1', 'session/s1')",
            (kept,),
        )
        for number, (name, asset, units) in enumerate(lines):
            row = (number, name, asset, name.partition(":")[0], units)
            old.execute("INSERT INTO books_account (id, name, asset, kind, balance_units) VALUES (?, ?, ?, ?, ?)", row)
            old.execute("INSERT INTO books_entry VALUES (1, ?, ?, 0, ?)", (number, number, units))
    engine = open_engine(path)
    migrate(engine)
    with engine.begin() as connection:
        tags = dict(connection.exec_driver_sql("SELECT id_tag, id FROM local_tag").all())
        sessions = dict(connection.exec_driver_sql("SELECT id, tag_id FROM session").all())
        names = connection.exec_driver_sql("SELECT name, balance_units FROM books_account ORDER BY id").all()
        dump = "\n".join(str(row) for row in connection.exec_driver_sql("SELECT * FROM books_account"))
        again = [Entry(name, Amount(EUR, units)) for name, units in names]
        work = Work(connection, SystemClock().now(), RandomIds())
        assert post(work, "bill:s1", again, "Charge at CP-1, connector 1", "session/s1").number == 1
        assert check_books(connection).entries == 3
        (holder,) = charging.holders_of(connection, [names[0][0]]).values()
    assert holder == "Ada"
    assert sorted(tags) == ["04A2", "UNUSED"]
    assert names[0] == (f"member:{tags['04A2']}", 300)
    assert (sessions["s1"], sessions["s3"]) == (tags["04A2"], None)
    assert all(UUID(one) for one in (*tags.values(), sessions["s2"], names[1][0].removeprefix("member:")))
    assert "04A2" not in dump
    assert "GONE" not in dump


def test_sessions_of_before_withhold_nothing(tmp_path):
    path = tmp_path / "db.sqlite"
    migrate(open_engine(path))
    with sqlite3.connect(path) as old:
        make_0004(old)
        old.execute(
            "INSERT INTO session (id, secret, kind, station, connector, id_tag, tariff_version, asset, status, made_ms,"
            " heard_ms, energy_wh, power_w, gross_units, paid_msat, held_msat, cost_msat, billed_msat, returned_msat,"
            " owed_msat, reason, flags, progress) VALUES ('s1', 's1', 'prepaid', 'CP-1', 1, 'tag', 'v', 'EUR', 'ended',"
            " 0, 0, 0, 0, 0, 5000, 0, 1000, 1000, 0, 4000, '', '', '{}')"
        )
    engine = open_engine(path)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT owed_msat, withheld_ms FROM session").all() == [(4000, None)]
