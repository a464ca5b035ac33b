"""The common roof of all tables; each feature declares its own in its `store.py`."""

from __future__ import annotations

from sqlalchemy import Engine, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def create_tables(engine: Engine) -> None:
    """Create every declared table that is absent: for tests and the simulated world. Production migrates."""
    metadata.create_all(engine)
