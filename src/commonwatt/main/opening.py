"""Opens the data directory's database for a command that runs beside the server, or without it."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, text

from commonwatt.kernel import Missing, RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, open_engine
from commonwatt.main.config import Config


class NoData(Missing):
    """The data directory holds no database."""

    slug = "no-data"
    title = "No data here"


def open_database(config: Config, read_only: bool) -> Database:  # noqa: FBT001 (the shape that the command line kit asks)
    """Open the database of the data directory; raises NoData where there is none.

    Read-only refuses every change, though a running server goes on writing beside it.
    """
    path = config.data.database
    if not path.is_file():
        msg = (
            f"There is no database in {config.data.dir}. Name the right data directory with --data or COMMONWATT_DATA; "
            "`commonwatt serve` makes a new one."
        )
        raise NoData(msg, data=str(config.data.dir))
    engine = open_engine(path)
    if read_only:
        event.listen(engine, "connect", _forbid_changes)
    return Database(engine, SystemClock(), RandomIds())


def schema_revision(connection: Connection) -> str | None:
    """Return the migration that the tables stand at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def server_runs(data: Path) -> bool:
    """Whether a server holds the lock of this data directory."""
    try:
        with (data / "server.lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _forbid_changes(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")
