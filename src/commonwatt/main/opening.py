"""Opens the data directory's database for a command that runs beside the server, or without it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from commonwatt.kernel import Missing, RandomIds
from commonwatt.kit.cli.disk import database_refused, database_unreadable
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, open_engine
from commonwatt.main.config import Config
from commonwatt.main.migrations import refuse_newer, refuse_other


class NoData(Missing):
    """The data directory holds no database."""

    slug = "no-data"
    title = "No data here"


def open_database(config: Config, read_only: bool) -> Database:  # noqa: FBT001 (the shape that the command line kit asks)
    """Open the database of the data directory for this version's commands.

    Raises NoData where there is none, DataNewer and DataOlder for another version's, DatabaseUnreadable for what is no
    database of ours, DatabaseRefused and PathRefused for what this user may not do.
    """
    database = open_as_it_is(config, read_only=read_only)
    try:
        with database.engine.connect() as connection:
            _refuse_foreign(connection, config)
            refuse_other(connection)
    except BaseException:
        database.close()
        raise
    return database


def refuse_what_is_not_ours(config: Config) -> None:
    """Raise DataNewer, DatabaseUnreadable, or what opening raises, for a database that cannot be copied for later.

    One of an older version can: whoever installed the new version first still makes a backup before the start.
    """
    database = open_as_it_is(config, read_only=True)
    try:
        with database.engine.connect() as connection:
            _refuse_foreign(connection, config)
            refuse_newer(connection)
    finally:
        database.close()


def _refuse_foreign(connection: Connection, config: Config) -> None:
    if schema_revision(connection) is None:
        raise database_unreadable("it holds no tables of ours", str(config.data.database))


def open_as_it_is(config: Config, *, read_only: bool) -> Database:
    """Open the database whatever version wrote it; raises NoData, DatabaseUnreadable, DatabaseRefused, PathRefused.

    Read-only refuses every change, though a running server goes on writing beside it. It is tried at once, so that
    what this user may not do is said before anything waits for it.
    """
    path = config.data.database
    try:
        there = path.stat().st_size >= 0
    except (FileNotFoundError, NotADirectoryError):
        there = False
    if not there:
        msg = (
            f"There is no database in {config.data.dir}. Name the right data directory with --data or COMMONWATT_DATA; "
            "`commonwatt serve` makes a new one."
        )
        raise NoData(msg, data=str(config.data.dir))
    engine = open_engine(path)
    if read_only:
        event.listen(engine, "connect", _forbid_changes)
    _try(engine, path, read_only=read_only)
    return Database(engine, SystemClock(), RandomIds())


def _try(engine: Engine, path: Path, *, read_only: bool) -> None:
    """Begin once as later work will, and undo it; raises DatabaseRefused with the engine closed."""
    try:
        with engine.connect().execution_options(immediate=not read_only) as connection, connection.begin() as nothing:
            nothing.rollback()
    except (DBAPIError, sqlite3.Error) as error:
        engine.dispose()
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise database_refused(reason or error, str(path)) from error


def schema_revision(connection: Connection) -> str | None:
    """Return the migration that the tables stand at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _forbid_changes(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")
