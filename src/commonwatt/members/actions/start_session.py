"""Signed-in browsers: a secret in a cookie, listed, ended, and forgotten after a time without use."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.members.actions.record_act import record_act
from commonwatt.members.errors import NoSuchMember
from commonwatt.members.model.actor import Actor
from commonwatt.members.secrets import digest, new_secret
from commonwatt.members.store import sessions

IDLE_MS = 7 * 24 * 3600 * 1000
"""A session that nobody used for a week ends."""
LONGEST_MS = 30 * 24 * 3600 * 1000
"""Every session ends after a month, however much it is used."""
SEEN_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a sign-in came from."""

    browser: str
    address: str


@dataclass(frozen=True, slots=True)
class Started:
    """A new session: the secret goes into the cookie and nowhere else."""

    id: str
    secret: str
    member_id: str


def start_session(work: Work, member_id: str, visit: Visit, *, proved: bool) -> Started:
    """Begin a session of a member; `proved` when a passkey was shown, not a recovery code."""
    secret, session_id = new_secret(work), work.new_id()
    work.sql.execute(
        insert(sessions).values(
            id=session_id,
            hash=digest(secret),
            member_id=member_id,
            made_ms=work.now.ms,
            seen_ms=work.now.ms,
            proved_ms=work.now.ms if proved else 0,
            browser=visit.browser[:200],
            address=visit.address[:60],
        )
    )
    return Started(session_id, secret, member_id)


def end_session(work: Work, actor: Actor, session_id: str) -> None:
    """End one of the actor's own sessions. Raises NoSuchMember for anybody else's or one that has ended."""
    mine = (sessions.c.id == session_id) & (sessions.c.member_id == actor.member_id) & sessions.c.ended_ms.is_(None)
    if work.sql.execute(update(sessions).where(mine).values(ended_ms=work.now.ms)).rowcount != 1:
        raise NoSuchMember(said("You have no such session; it may have ended."), id=session_id)
    record_act(work, actor, "end session", f"session/{session_id}")


def sign_out(work: Work, actor: Actor) -> None:
    """End the session that this very request came by."""
    work.sql.execute(update(sessions).where(sessions.c.id == actor.session_id).values(ended_ms=work.now.ms))
    record_act(work, actor, "sign out", f"session/{actor.session_id}")


def end_all_sessions(work: Work, member_id: str, *, except_id: str | None = None) -> int:
    """End all sessions of a member, all but one where that is named; return how many."""
    condition = (sessions.c.member_id == member_id) & sessions.c.ended_ms.is_(None)
    if except_id is not None:
        condition &= sessions.c.id != except_id
    return work.sql.execute(update(sessions).where(condition).values(ended_ms=work.now.ms)).rowcount


def end_other_sessions(work: Work, actor: Actor) -> None:
    """End all of the actor's own sessions but the one that this request came by."""
    ended = end_all_sessions(work, actor.member_id or "", except_id=actor.session_id)
    record_act(work, actor, "end other sessions", f"member/{actor.member_id}", {"ended": ended})


def touch_session(work: Work, session_id: str) -> None:
    """Note that a session is in use."""
    work.sql.execute(update(sessions).where(sessions.c.id == session_id).values(seen_ms=work.now.ms))
