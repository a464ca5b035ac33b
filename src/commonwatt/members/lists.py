"""What the pages and the API show of people, keys, links, tokens, sign-ins and acts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, func, select, true

from commonwatt.kernel import Instant
from commonwatt.kit.database import Ordering, SortColumn, by_text, mentions
from commonwatt.kit.database.ordering import Key
from commonwatt.kit.web import Paging
from commonwatt.members.actions.sign_in import IDLE_MS, LONGEST_MS
from commonwatt.members.model.actor import Actor, Role, mask_id_tag
from commonwatt.members.model.masks import hide_tags
from commonwatt.members.store import audit, invitations, members, passkeys, recovery_codes, sign_ins, tokens

_NEVER_MS = (1 << 62) - 1
TAG_SUBJECT = "tag/"
"""So begin the subjects of acts that are about an id tag."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person who may sign in."""

    id: str
    name: str
    role: Role
    joined: Instant
    last_seen: Instant | None
    passkeys: int


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """A link that nobody used yet; its secret is not known any more."""

    id: str
    name: str
    role: Role
    kind: str
    made: Instant
    expires: Instant


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret."""

    id: str
    name: str
    scopes: list[str]
    made: Instant
    expires: Instant | None
    last_used: Instant | None
    revoked: Instant | None


@dataclass(frozen=True, slots=True)
class OpenSignIn:
    """A browser that is signed in."""

    id: str
    browser: str
    address: str
    started: Instant
    last_seen: Instant


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of the reader's own."""

    id: str
    name: str
    made: Instant
    last_used: Instant | None


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the audit log."""

    id: int
    at: Instant
    actor: str
    actor_name: str
    address: str
    act: str
    subject: str
    detail: dict[str, Any]


_SEEN = select(func.max(sign_ins.c.seen_ms)).where(sign_ins.c.member_id == members.c.id).scalar_subquery()
MEMBERS: Ordering[Member] = Ordering(
    SortColumn(members.c.id, str, lambda one: one.id),
    {
        "joined": SortColumn(members.c.made_ms, int, lambda one: one.joined.ms),
        "name": by_text(members.c.name, lambda one: one.name),
        "role": SortColumn(members.c.role, str, lambda one: one.role.value),
        "seen": SortColumn(func.coalesce(_SEEN, 0), int, lambda one: one.last_seen.ms if one.last_seen else 0),
    },
)
"""What the list of people may be sorted by."""
TOKENS: Ordering[Token] = Ordering(
    SortColumn(tokens.c.id, str, lambda one: one.id),
    {
        "made": SortColumn(tokens.c.made_ms, int, lambda one: one.made.ms),
        "name": by_text(tokens.c.name, lambda one: one.name),
        "used": SortColumn(
            func.coalesce(tokens.c.used_ms, 0), int, lambda one: one.last_used.ms if one.last_used else 0
        ),
        "expires": SortColumn(
            func.coalesce(tokens.c.expires_ms, _NEVER_MS), int, lambda one: one.expires.ms if one.expires else _NEVER_MS
        ),
    },
)
"""What the list of tokens may be sorted by; one that never expires comes behind all others."""


def list_members(
    connection: Connection, *, search: str = "", sort: str = "joined", after: Key = (), limit: int | None = None
) -> list[Member]:
    """Return the living members, first who joined first or in the order of `sort`, behind the key `after`."""
    keys = select(func.count()).where(passkeys.c.member_id == members.c.id).scalar_subquery()
    query = select(members, _SEEN.label("seen_ms"), keys.label("keys")).where(members.c.ended_ms.is_(None))
    if search:
        query = query.where(mentions(search, members.c.name, members.c.role))
    return [
        Member(row.id, row.name, Role(row.role), Instant(row.made_ms), _maybe(row.seen_ms), row.keys)
        for row in connection.execute(MEMBERS.page(query, sort, after).limit(limit))
    ]


def find_members(connection: Connection, words: str, *, limit: int = 50) -> list[Member]:
    """Return the living members whose name holds these words, in whatever case."""
    wanted = words.casefold()
    return [member for member in list_members(connection) if wanted in member.name.casefold()][:limit]


def list_invitations(connection: Connection, now: Instant) -> list[OpenInvitation]:
    """Return the links that still work, newest first."""
    query = select(invitations).where(invitations.c.ended_ms.is_(None), invitations.c.expires_ms > now.ms)
    return [
        OpenInvitation(row.id, row.name, Role(row.role), row.kind, Instant(row.made_ms), Instant(row.expires_ms))
        for row in connection.execute(query.order_by(invitations.c.id.desc()))
    ]


def list_tokens(
    connection: Connection,
    *,
    ended: bool = False,
    root: str | None = None,
    search: str = "",
    sort: str = "-made",
    after: Key = (),
    limit: int | None = None,
) -> list[Token]:
    """Return tokens, newest first or in the order of `sort`, behind the key `after`.

    Revoked ones only when asked, those that come from one member when named; `search` looks into names and scopes.
    """
    query = TOKENS.page(select(tokens), sort, after).limit(limit)
    if search:
        query = query.where(mentions(search, tokens.c.name, tokens.c.scopes))
    if not ended:
        query = query.where(tokens.c.ended_ms.is_(None))
    if root is not None:
        query = query.where(tokens.c.root_id == root)
    return [
        Token(
            row.id,
            row.name,
            row.scopes.split(" "),
            Instant(row.made_ms),
            _maybe(row.expires_ms),
            _maybe(row.used_ms),
            _maybe(row.ended_ms),
        )
        for row in connection.execute(query)
    ]


def list_sign_ins(connection: Connection, member_id: str, now: Instant) -> list[OpenSignIn]:
    """Return the member's sign-ins that are still valid, last used first."""
    query = select(sign_ins).where(
        sign_ins.c.member_id == member_id,
        sign_ins.c.ended_ms.is_(None),
        sign_ins.c.seen_ms > now.ms - IDLE_MS,
        sign_ins.c.made_ms > now.ms - LONGEST_MS,
    )
    return [
        OpenSignIn(row.id, browser_name(row.browser), row.address, Instant(row.made_ms), Instant(row.seen_ms))
        for row in connection.execute(query.order_by(sign_ins.c.seen_ms.desc()))
    ]


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def browser_name(agent: str) -> str:
    """Return `Firefox, Linux` of a User-Agent header; the header's beginning when it names neither."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name.replace("Mac OS X", "macOS") for name in _SYSTEMS if name in agent), "")
    return ", ".join(part for part in (browser, system) if part) or agent[:60]


def list_passkeys(connection: Connection, member_id: str) -> list[Passkey]:
    """Return the member's passkeys, oldest first."""
    query = select(passkeys).where(passkeys.c.member_id == member_id).order_by(passkeys.c.id)
    return [Passkey(r.id, r.name, Instant(r.made_ms), _maybe(r.used_ms)) for r in connection.execute(query)]


def count_codes(connection: Connection, member_id: str) -> int:
    """Return how many unused recovery codes the member has."""
    unused = (recovery_codes.c.member_id == member_id) & recovery_codes.c.used_ms.is_(None)
    return int(connection.execute(select(func.count()).select_from(recovery_codes).where(unused)).scalar_one())


def list_acts(
    connection: Connection, paging: Paging, search: str = "", subject: str = "", *, masked: bool = False
) -> list[Act]:
    """Return acts, newest first, one more than the page holds; `search` looks in act, subject and actor.

    `masked` hides id tags in subjects and details, and finds no act by the tag that it is about.
    """
    about = audit.c.subject
    told = ~about.startswith(TAG_SUBJECT) if masked else true()
    query = select(audit).order_by(audit.c.id.desc()).limit(paging.limit + 1)
    for last in paging.key(int):
        query = query.where(audit.c.id < last)
    if subject:
        query = query.where(about == subject, told)
    if search:
        query = query.where(mentions(search, audit.c.act, audit.c.actor_name) | (mentions(search, about) & told))
    acts = [_act(row) for row in connection.execute(query)]
    return [_masked(act) for act in acts] if masked else acts


def has_owner(connection: Connection) -> bool:
    """Whether anybody can sign in as owner."""
    living = (members.c.role == Role.OWNER) & members.c.ended_ms.is_(None)
    return connection.execute(select(members.c.id).where(living).limit(1)).first() is not None


def find_by_token(connection: Connection, hashed: str, now: Instant, address: str) -> tuple[Actor, int] | None:
    """Return the actor of a token's digest, and when it was last used; None when it is not valid."""
    row = connection.execute(select(tokens).where(tokens.c.hash == hashed)).first()
    if row is None or row.ended_ms is not None or (row.expires_ms is not None and row.expires_ms <= now.ms):
        return None
    scopes = frozenset(row.scopes.split(" "))
    who = Actor(f"token/{row.id}", row.name, None, scopes, address, token_id=row.id, root_id=row.root_id)
    return who, row.used_ms or 0


def find_by_sign_in(connection: Connection, hashed: str, now: Instant, address: str) -> tuple[Actor, int] | None:
    """Return the actor of a sign-in's digest, and when it was last seen; None when it is not valid."""
    query = select(sign_ins, members.c.name, members.c.role).join(members, members.c.id == sign_ins.c.member_id)
    living = (sign_ins.c.hash == hashed) & sign_ins.c.ended_ms.is_(None) & members.c.ended_ms.is_(None)
    row = connection.execute(query.where(living)).first()
    if row is None or row.seen_ms <= now.ms - IDLE_MS or row.made_ms <= now.ms - LONGEST_MS:
        return None
    who = Actor(
        f"member/{row.member_id}",
        row.name,
        Role(row.role),
        address=address,
        member_id=row.member_id,
        sign_in_id=row.id,
        proved_ms=row.proved_ms,
    )
    return who, row.seen_ms


def _act(row: Row[Any]) -> Act:
    return Act(
        row.id,
        Instant(row.at_ms),
        row.actor,
        row.actor_name,
        row.address,
        row.act,
        row.subject,
        json.loads(row.detail),
    )


def _masked(act: Act) -> Act:
    """Return an act without the id tags in it."""
    subject = act.subject
    if subject.startswith(TAG_SUBJECT):
        subject = TAG_SUBJECT + mask_id_tag(None, subject.removeprefix(TAG_SUBJECT))
    return replace(act, subject=subject, detail=hide_tags(act.detail))


def _maybe(ms: int | None) -> Instant | None:
    return None if ms is None else Instant(ms)


def act_rows(acts: Sequence[Act]) -> list[tuple[Any, ...]]:
    """Return acts as rows of a spreadsheet."""
    return [
        (act.at, act.actor_name, act.actor, act.address, act.act, act.subject, json.dumps(act.detail)) for act in acts
    ]
