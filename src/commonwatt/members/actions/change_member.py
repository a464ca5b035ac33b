"""Changes what a member may do, or lets it go."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, select, update

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.members.actions.create_token import end_tokens_beyond
from commonwatt.members.actions.invite_member import check_role, count_owners, end_invitations_beyond
from commonwatt.members.actions.record_act import record_act
from commonwatt.members.actions.sign_in import end_all_sign_ins
from commonwatt.members.errors import LastOwner, NoSuchMember
from commonwatt.members.model.actor import Actor, Role
from commonwatt.members.store import members, passkeys, recovery_codes


def change_role(work: Work, actor: Actor, member_id: str, role: Role) -> None:
    """Give a member another role; what it made with more rights than it has left ends: tokens, open invitations.

    Raises LastOwner when nobody would be left who may do everything, NotPermitted for a role above the actor's own.
    """
    check_role(actor, role)
    row = _living(work, member_id)
    if row.role == role:
        return
    _keep_an_owner(work, row)
    work.sql.execute(update(members).where(members.c.id == member_id).values(role=role))
    end_tokens_beyond(work, actor, member_id, role)
    end_invitations_beyond(work, actor, member_id, role)
    record_act(work, actor, "change role", f"member/{member_id}", {"from": row.role, "to": role, "name": row.name})


def remove_member(work: Work, actor: Actor, member_id: str) -> None:
    """Let a member go: sign-ins, tokens and open invitations end, passkeys and codes go; the log keeps the name.

    Raises LastOwner.
    """
    row = _living(work, member_id)
    _keep_an_owner(work, row)
    work.sql.execute(update(members).where(members.c.id == member_id).values(ended_ms=work.now.ms))
    end_all_sign_ins(work, member_id)
    end_tokens_beyond(work, actor, member_id, None)
    end_invitations_beyond(work, actor, member_id, None)
    work.sql.execute(delete(passkeys).where(passkeys.c.member_id == member_id))
    work.sql.execute(delete(recovery_codes).where(recovery_codes.c.member_id == member_id))
    record_act(work, actor, "remove member", f"member/{member_id}", {"name": row.name, "role": row.role})


def _living(work: Work, member_id: str) -> Row[Any]:
    row = work.sql.execute(select(members).where(members.c.id == member_id, members.c.ended_ms.is_(None))).first()
    if row is None:
        raise NoSuchMember(said("There is no such member; it may have been removed."), id=member_id)
    return row


def _keep_an_owner(work: Work, row: Row[Any]) -> None:
    if row.role == Role.OWNER and count_owners(work) == 1:
        raise LastOwner(
            said("%(name)s is the only owner. Make somebody else an owner first.", name=row.name), member=row.id
        )
