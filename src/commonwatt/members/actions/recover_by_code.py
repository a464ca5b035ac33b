"""Ten codes on paper: each signs in once, when no passkey is at hand."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.members.actions.record_act import record_act
from commonwatt.members.actions.sign_in import Started, Visit, open_sign_in
from commonwatt.members.errors import CodeRefused, NoSuchMember
from commonwatt.members.model.actor import Actor
from commonwatt.members.secrets import digest_code, new_code
from commonwatt.members.store import members, recovery_codes

CODES = 10


def make_recovery_codes(work: Work, actor: Actor) -> list[str]:
    """Make ten codes for the member who is signed in and return them, once; earlier ones count no more."""
    if actor.member_id is None:
        raise NoSuchMember(said("Only a member has recovery codes; a token has none."))
    work.sql.execute(delete(recovery_codes).where(recovery_codes.c.member_id == actor.member_id))
    codes = [new_code(work) for _ in range(CODES)]
    made = {"member_id": actor.member_id, "made_ms": work.now.ms}
    work.sql.execute(insert(recovery_codes), [{"hash": digest_code(code), **made} for code in codes])
    record_act(work, actor, "make recovery codes", f"member/{actor.member_id}")
    return codes


def recover_by_code(work: Work, code: str, visit: Visit) -> Started:
    """Sign in with an unused code and use it up. Raises CodeRefused."""
    unused = (recovery_codes.c.hash == digest_code(code)) & recovery_codes.c.used_ms.is_(None)
    living = members.c.ended_ms.is_(None)
    query = select(recovery_codes.c.hash, members.c.id, members.c.name, members.c.role)
    row = work.sql.execute(
        query.join(members, members.c.id == recovery_codes.c.member_id).where(unused, living)
    ).first()
    if row is None:
        raise CodeRefused(
            said("This code is not one of ours, or it was used before. Each works once; try the next on your list.")
        )
    work.sql.execute(update(recovery_codes).where(recovery_codes.c.hash == row.hash).values(used_ms=work.now.ms))
    started = open_sign_in(work, row.id, visit, proved=False)
    actor = Actor(f"member/{row.id}", row.name, None, address=visit.address, member_id=row.id)
    record_act(work, actor, "sign in by recovery code", f"sign-in/{started.id}")
    return started
