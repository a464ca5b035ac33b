"""Databases of earlier versions, made from one of the present."""

INDEXED_SINCE = ("ix_session_station", "ix_session_station_began", "ix_session_rate")


def make_0004(connection):
    """Take a database back to the version that knew no withheld change."""
    for index in INDEXED_SINCE:
        connection.execute(f"DROP INDEX {index}")
    connection.execute("ALTER TABLE session DROP COLUMN withheld_ms")
    connection.execute("UPDATE alembic_version SET version_num = '0004'")
