"""Alembic's migrations of the whole database, and how they are run when the server starts."""

# ruff: noqa: PLC0415 (Alembic takes a third of a second to import, and a database that is up to date does not need it)

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, MetaData, inspect, text

from commonwatt.kernel import Refused
from commonwatt.kit.database import metadata

if TYPE_CHECKING:
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

FOLDER = Path(__file__).parent
STORES = (
    "commonwatt.books.store",
    "commonwatt.charging.store",
    "commonwatt.kit.database.outbox",
    "commonwatt.kit.web.store",
    "commonwatt.members.store",
    "commonwatt.metering.store",
    "commonwatt.payments.store",
    "commonwatt.stations.store",
    "commonwatt.tariffs.store",
)
"""Every module that declares tables; a test compares them with the migrated database."""


class DataNewer(Refused):
    """The database was written by a newer version than this one."""

    slug = "data-newer"
    title = "This data belongs to a newer version"


class DataOlder(Refused):
    """The database was written by an older version than this one, and no server has brought it up to date."""

    slug = "data-older"
    title = "This data belongs to an older version"


def all_tables() -> MetaData:
    """Return the metadata of all features' tables."""
    for name in STORES:
        importlib.import_module(name)
    return metadata


def scripts() -> ScriptDirectory:
    """Return Alembic's directory of migrations."""
    from alembic.config import Config as AlembicConfig
    from alembic.script import ScriptDirectory

    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    return ScriptDirectory.from_config(config)


def head() -> str | None:
    """Return the newest migration's name."""
    return scripts().get_current_head()


def migrate(engine: Engine) -> None:
    """Bring a database to the newest migration, in one transaction; a newer one is left alone and raises DataNewer."""
    with engine.connect() as connection:
        found = _standing(connection)
        refuse_newer(connection)
    if found == {newest()}:
        return
    from alembic.config import Config as AlembicConfig
    from alembic.runtime.environment import EnvironmentContext

    directory = scripts()
    config = AlembicConfig()
    with engine.connect().execution_options(immediate=True) as connection:
        context = EnvironmentContext(config, directory, fn=lambda rev, _ctx: directory._upgrade_revs("head", rev))  # noqa: SLF001 (Alembic's own way without env.py)
        with context:
            _configure(context, connection)
            with connection.begin():
                context.run_migrations()


def newest() -> str:
    """Return the newest migration's name by the names of the files, `m0001_first_tables.py`."""
    return max(_known())


def _known() -> set[str]:
    return {path.name[1:5] for path in (FOLDER / "versions").glob("m[0-9]*.py")}


def refuse_newer(connection: Connection) -> None:
    """Raise DataNewer for a database that a newer version wrote."""
    if unknown := _standing(connection) - _known():
        msg = (
            f"This database stands at migration {', '.join(sorted(unknown))}, and this version of Commonwatt ends at "
            f"{newest()}. Nothing was changed. Install the newer version again, or restore an older backup."
        )
        raise DataNewer(msg, revision=", ".join(sorted(unknown)), newest=newest())


def refuse_other(connection: Connection) -> None:
    """Raise DataNewer or DataOlder for a database of another version than this one."""
    refuse_newer(connection)
    found = _standing(connection)
    if found != {newest()}:
        stands = ", ".join(sorted(found)) or "none"
        msg = (
            f"This database stands at migration {stands}, and this version of Commonwatt works with {newest()}. "
            "Nothing was read or changed. Back up, stop the server if an old one still runs, then start "
            "`commonwatt serve`: it brings the database up to date first."
        )
        raise DataOlder(msg, revision=stands, newest=newest())


def _standing(connection: Connection) -> set[str]:
    """Return the migration that the database stands at, found out without Alembic; empty before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _configure(context: EnvironmentContext, connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=all_tables(), render_as_batch=True, transactional_ddl=True)
