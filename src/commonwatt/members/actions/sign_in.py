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
from commonwatt.members.store import sign_ins

IDLE_MS = 7 * 24 * 3600 * 1000
"""A sign-in that nobody used for a week ends."""
LONGEST_MS = 30 * 24 * 3600 * 1000
"""Every sign-in ends after a month, however much it is used."""
SEEN_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a sign-in came from."""

    browser: str
    address: str


@dataclass(frozen=True, slots=True)
class Started:
    """A new sign-in: the secret goes into the cookie and nowhere else."""

    id: str
    secret: str
    member_id: str


def open_sign_in(work: Work, member_id: str, visit: Visit, *, proved: bool) -> Started:
    """Sign a member in; `proved` when a passkey was shown, not a recovery code."""
    secret, sign_in_id = new_secret(work), work.new_id()
    work.sql.execute(
        insert(sign_ins).values(
            id=sign_in_id,
            hash=digest(secret),
            member_id=member_id,
            made_ms=work.now.ms,
            seen_ms=work.now.ms,
            proved_ms=work.now.ms if proved else 0,
            browser=visit.browser[:200],
            address=visit.address[:60],
        )
    )
    return Started(sign_in_id, secret, member_id)


def end_sign_in(work: Work, actor: Actor, sign_in_id: str) -> None:
    """End one of the actor's own sign-ins. Raises NoSuchMember for anybody else's or one that has ended."""
    mine = (sign_ins.c.id == sign_in_id) & (sign_ins.c.member_id == actor.member_id) & sign_ins.c.ended_ms.is_(None)
    if work.sql.execute(update(sign_ins).where(mine).values(ended_ms=work.now.ms)).rowcount != 1:
        raise NoSuchMember(said("You have no such sign-in; it may have ended."), id=sign_in_id)
    record_act(work, actor, "end sign-in", f"sign-in/{sign_in_id}")


def sign_out(work: Work, actor: Actor) -> None:
    """End the sign-in that this very request came by."""
    work.sql.execute(update(sign_ins).where(sign_ins.c.id == actor.sign_in_id).values(ended_ms=work.now.ms))
    record_act(work, actor, "sign out", f"sign-in/{actor.sign_in_id}")


def end_all_sign_ins(work: Work, member_id: str, *, except_id: str | None = None) -> int:
    """End all sign-ins of a member, all but one where that is named; return how many."""
    condition = (sign_ins.c.member_id == member_id) & sign_ins.c.ended_ms.is_(None)
    if except_id is not None:
        condition &= sign_ins.c.id != except_id
    return work.sql.execute(update(sign_ins).where(condition).values(ended_ms=work.now.ms)).rowcount


def end_other_sign_ins(work: Work, actor: Actor) -> None:
    """End all of the actor's own sign-ins but the one that this request came by."""
    ended = end_all_sign_ins(work, actor.member_id or "", except_id=actor.sign_in_id)
    record_act(work, actor, "end other sign-ins", f"member/{actor.member_id}", {"ended": ended})


def touch_sign_in(work: Work, sign_in_id: str) -> None:
    """Note that a sign-in is in use."""
    work.sql.execute(update(sign_ins).where(sign_ins.c.id == sign_in_id).values(seen_ms=work.now.ms))
