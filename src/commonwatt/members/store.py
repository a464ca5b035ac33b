"""The tables of people, their keys and links, and what they did. Secrets are stored as SHA-256 of their text."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text

from commonwatt.kit.database import metadata

members = Table(
    "member",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("role", String(10), nullable=False),
    Column("handle", LargeBinary(64), nullable=False, unique=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
)

passkeys = Table(
    "passkey",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("credential", LargeBinary, nullable=False, unique=True),
    Column("member_id", ForeignKey("member.id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(80), nullable=False),
    Column("backed_up", Integer, nullable=False, server_default=text("0")),
    Column("made_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

recovery_codes = Table(
    "recovery_code",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("member_id", ForeignKey("member.id"), nullable=False, index=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

invitations = Table(
    "invitation",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(80), nullable=False),
    Column("role", String(10), nullable=False),
    Column("made_by", String(60), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("member_id", ForeignKey("member.id")),
    Column("root_id", String(36)),
    Index("ix_invitation_root_id", "root_id"),
)
"""`member_id` is who came in by it, `root_id` the member who answers for it: the maker, or whose token made it."""

tokens = Table(
    "api_token",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("made_by", String(60), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("used_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("root_id", String(36)),
    Index("ix_api_token_root_id", "root_id"),
)
"""`made_by` is a member or another token; `root_id` the member at the beginning of that chain."""

sign_ins = Table(
    "web_session",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("member_id", ForeignKey("member.id"), nullable=False, index=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("proved_ms", BigInteger, nullable=False),
    Column("browser", String(200), nullable=False),
    Column("address", String(60), nullable=False),
    Column("ended_ms", BigInteger),
)

ceremonies = Table(
    "ceremony",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("challenge", LargeBinary, nullable=False),
    Column("handle", LargeBinary(64)),
    Column("subject", String(36)),
    Column("name", String(80)),
    Column("expires_ms", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(60), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("address", String(60), nullable=False),
    Column("act", String(60), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_subject", "subject", "id"),
    Index("ix_audit_actor", "actor", "id"),
)
