"""Lets people in by one-time links: the first owner at the start, then whoever an owner invites."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from commonwatt.kernel import Instant, said
from commonwatt.kit.database import Work
from commonwatt.kit.web import BadRequest
from commonwatt.members.actions.record_act import record_act
from commonwatt.members.errors import LinkNotValid, NoSuchMember, NotPermitted
from commonwatt.members.model.actor import TERMINAL, Actor, Role
from commonwatt.members.secrets import digest, new_secret
from commonwatt.members.store import invitations, members

SETUP, INVITED = "setup", "invited"
SETUP_S = 24 * 3600
INVITATION_S = 7 * 24 * 3600
EXPIRES_S_MAX = 90 * 24 * 3600
NAME_MAX = 80


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link: its path holds the secret, which is never shown again."""

    id: str
    path: str
    expires: Instant


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a valid link offers."""

    id: str
    kind: str
    name: str
    role: Role


def offer_setup(work: Work) -> Link | None:
    """Make the first owner's link, for a day; None when there is an owner. Links of earlier starts end."""
    if count_owners(work) > 0:
        return None
    ended = update(invitations).where(invitations.c.kind == SETUP, invitations.c.ended_ms.is_(None))
    work.sql.execute(ended.values(ended_ms=work.now.ms))
    return _make(work, TERMINAL, SETUP, "", Role.OWNER, SETUP_S)


def make_owner_link(work: Work) -> Link:
    """Make another owner's link from the terminal, for a day: the way back in when all passkeys are lost."""
    link = offer_setup(work) or _make(work, TERMINAL, INVITED, "", Role.OWNER, SETUP_S)
    record_act(work, TERMINAL, "make owner link", f"invitation/{link.id}")
    return link


def invite_member(work: Work, actor: Actor, name: str, role: Role, expires_s: int = INVITATION_S) -> Link:
    """Invite somebody by a link.

    Raises BadRequest for an empty name or an expiry beyond 90 days, NotPermitted for a role that may do more than the
    actor itself.
    """
    name = check_name(name)
    check_role(actor, role)
    if not 60 <= expires_s <= EXPIRES_S_MAX:  # noqa: PLR2004 (a minute)
        raise BadRequest(said("An invitation is valid for a minute to 90 days."), field="expires_s")
    link = _make(work, actor, INVITED, name, role, expires_s)
    record_act(work, actor, "invite member", f"invitation/{link.id}", {"name": name, "role": role})
    return link


def withdraw_invitation(work: Work, actor: Actor, invitation_id: str) -> None:
    """End a link that nobody used yet. Raises NoSuchMember."""
    open_ = (invitations.c.id == invitation_id) & invitations.c.ended_ms.is_(None)
    if work.sql.execute(update(invitations).where(open_).values(ended_ms=work.now.ms)).rowcount != 1:
        raise NoSuchMember(said("There is no open invitation of this id; it may have been used."), id=invitation_id)
    record_act(work, actor, "withdraw invitation", f"invitation/{invitation_id}")


def end_invitations_beyond(work: Work, actor: Actor, member_id: str, role: Role | None) -> None:
    """End the open invitations that come from a member and offer more than a role; all of them without one.

    Those that the member's tokens made are among them.
    """
    mine = select(invitations).where(invitations.c.root_id == member_id, invitations.c.ended_ms.is_(None))
    for row in work.sql.execute(mine).all():
        if role is None or not role.includes(Role(row.role)):
            work.sql.execute(update(invitations).where(invitations.c.id == row.id).values(ended_ms=work.now.ms))
            told = {"name": row.name, "role": row.role, "because": "its maker changed"}
            record_act(work, actor, "withdraw invitation", f"invitation/{row.id}", told)


def check_role(actor: Actor, role: Role) -> None:
    """Raise NotPermitted when a role may do more than the actor who gives it."""
    if not actor.may_give(role):
        raise NotPermitted(
            said(
                "%(name)s may not make anybody %(role)s: that role may do more than %(name)s itself.",
                name=actor.name,
                role=str(role),
            ),
            needs="*",
        )


def find_invitation(work: Work, secret: str) -> Invitation:
    """Return what a link offers. Raises LinkNotValid when it was used, withdrawn, replaced, or is too old."""
    row = work.sql.execute(select(invitations).where(invitations.c.hash == digest(secret))).first()
    dead = row is None or row.ended_ms is not None or row.expires_ms <= work.now.ms
    owned = count_owners(work) > 0
    if not owned and (row is None or dead):
        raise LinkNotValid(
            said(
                "This link was used, replaced by a newer one, or is too old, and nobody owns this site yet. On its "
                "machine, commonwatt owner link makes a fresh one."
            )
        )
    if row is None or dead or (row.kind == SETUP and owned):
        raise LinkNotValid(
            "This link was used, replaced by a newer one, or is too old. Ask whoever sent it for another; the owner of "
            "the machine makes one with `commonwatt owner link`."
        ).in_words(said("This link was used, replaced by a newer one, or is too old. Ask whoever sent it for another."))
    return Invitation(row.id, row.kind, row.name, Role(row.role))


def count_owners(work: Work) -> int:
    """Return how many owners there are."""
    living = (members.c.role == Role.OWNER) & members.c.ended_ms.is_(None)
    return int(work.sql.execute(select(func.count()).select_from(members).where(living)).scalar_one())


def check_name(name: str) -> str:
    """Return a person's or token's name without outer space. Raises BadRequest when it is empty or unprintable."""
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise BadRequest(said("A name has 1 to %(most)s printable characters.", most=NAME_MAX), field="name")
    return name


def _make(work: Work, actor: Actor, kind: str, name: str, role: Role, expires_s: int) -> Link:
    secret, expires, link_id = new_secret(work), work.now.plus(seconds=expires_s), work.new_id()
    work.sql.execute(
        insert(invitations).values(
            id=link_id,
            hash=digest(secret),
            kind=kind,
            name=name,
            role=role,
            made_by=actor.id,
            root_id=actor.responsible_id,
            made_ms=work.now.ms,
            expires_ms=expires.ms,
        )
    )
    path = "/setup/" if kind == SETUP else "/invitation/"
    return Link(link_id, path + secret, expires)
