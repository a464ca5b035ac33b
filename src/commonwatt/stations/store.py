"""The tables of stations: who they are, their connectors, quirks, configuration, and every frame."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from commonwatt.kit.database import metadata

station = Table(
    "station",
    metadata,
    Column("identity", String(48), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("state", String(10), nullable=False),
    Column("secret_hash", String(200)),
    Column("waivers", String(200), nullable=False, server_default=""),
    Column("vendor", String(120)),
    Column("model", String(120)),
    Column("serial", String(60)),
    Column("firmware", String(120)),
    Column("status", String(20)),
    Column("error_code", String(40)),
    Column("address", String(80)),
    Column("protocol", String(20)),
    Column("made_ms", BigInteger, nullable=False),
    Column("admitted_ms", BigInteger),
    Column("boot_ms", BigInteger),
    Column("seen_ms", BigInteger),
    Column("connected_ms", BigInteger),
    Column("disconnected_ms", BigInteger),
    Column("drift_ms", BigInteger),
    Column("ping_ms", BigInteger),
)

connector = Table(
    "connector",
    metadata,
    Column("station", String(48), ForeignKey("station.identity", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("label", String(120), nullable=False, server_default=""),
    Column("status", String(20), nullable=False),
    Column("error_code", String(40), nullable=False),
    Column("info", String(120), nullable=False, server_default=""),
    Column("vendor_error", String(60), nullable=False, server_default=""),
    Column("since_ms", BigInteger, nullable=False),
    Column("reported_ms", BigInteger),
)

frame = Table(
    "frame",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("station", String(48), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("direction", String(3), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("action", String(60), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_frame_station", "station", "id"),
)

quirk = Table(
    "quirk",
    metadata,
    Column("station", String(48), ForeignKey("station.identity", ondelete="CASCADE"), primary_key=True),
    Column("slug", String(60), primary_key=True),
    Column("detail", String(250), nullable=False),
    Column("count", Integer, nullable=False, server_default=text("0")),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
)

configuration = Table(
    "configuration",
    metadata,
    Column("station", String(48), ForeignKey("station.identity", ondelete="CASCADE"), primary_key=True),
    Column("key", String(60), primary_key=True),
    Column("value", Text),
    Column("readonly", Boolean, nullable=False),
    Column("read_ms", BigInteger, nullable=False),
)

offered_secret = Table(
    "offered_secret",
    metadata,
    Column("station", String(48), ForeignKey("station.identity", ondelete="CASCADE"), primary_key=True),
    Column("secret_hash", String(200), nullable=False),
)
"""What a station in the waiting room gave as its password; admitting the station adopts it."""
