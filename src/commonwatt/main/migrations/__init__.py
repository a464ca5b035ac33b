"""Alembic's migrations of the whole database, and how they are run when the server starts."""

from __future__ import annotations

import importlib
from pathlib import Path

from alembic.config import Config as AlembicConfig
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData

from commonwatt.kit.database import metadata

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


def all_tables() -> MetaData:
    """Return the metadata of all features' tables."""
    for name in STORES:
        importlib.import_module(name)
    return metadata


def scripts() -> ScriptDirectory:
    """Return Alembic's directory of migrations."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    return ScriptDirectory.from_config(config)


def head() -> str | None:
    """Return the newest migration's name."""
    return scripts().get_current_head()


def migrate(engine: Engine) -> None:
    """Bring a database to the newest migration, in one transaction; a newer one than ours is left alone and raises."""
    directory = scripts()
    config = AlembicConfig()
    with engine.connect().execution_options(immediate=True) as connection:
        context = EnvironmentContext(config, directory, fn=lambda rev, _ctx: directory._upgrade_revs("head", rev))  # noqa: SLF001 (Alembic's own way without env.py)
        with context:
            _configure(context, connection)
            with connection.begin():
                context.run_migrations()


def _configure(context: EnvironmentContext, connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=all_tables(), render_as_batch=True, transactional_ddl=True)
