"""The table of answers that were already given under an idempotency key."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from commonwatt.kit.database import metadata

answers = Table(
    "idempotency_answer",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Index("ix_idempotency_answer_made_ms", "made_ms"),
)
