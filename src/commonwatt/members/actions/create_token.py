"""Tokens for programs: named, scoped, expiring, shown once, stored as a digest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from commonwatt.kernel import Instant, said
from commonwatt.kit.database import Work
from commonwatt.kit.web import BadRequest
from commonwatt.members.actions.invite_member import check_name
from commonwatt.members.actions.record_act import record_act
from commonwatt.members.errors import NoSuchToken, ScopeRefused
from commonwatt.members.model.actor import EVERYTHING, SCOPES, Actor, Role
from commonwatt.members.secrets import TOKEN_PREFIX, digest, new_secret
from commonwatt.members.store import tokens

EXPIRES_S_MAX = 10 * 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is shown, once."""

    id: str
    token: str
    name: str
    scopes: list[str]
    expires: Instant | None


def create_token(work: Work, actor: Actor, name: str, scopes: Iterable[str], expires_s: int | None = None) -> NewToken:
    """Make a token; with `expires_s` None it never expires. Raises ScopeRefused for more than the maker has."""
    name, wanted = check_name(name), sorted(set(scopes))
    unknown = [scope for scope in wanted if scope != EVERYTHING and scope not in SCOPES]
    known = ", ".join([*SCOPES, EVERYTHING])
    if not wanted:
        raise ScopeRefused(said("Choose at least one of the scopes: %(known)s.", known=known))
    if unknown:
        raise ScopeRefused(
            said("%(unknown)s is not among the scopes: %(known)s.", unknown=", ".join(unknown), known=known)
        )
    beyond = [scope for scope in wanted if not actor.may(scope)]
    if beyond:
        raise ScopeRefused(said("You may not give what you do not have: %(beyond)s.", beyond=", ".join(beyond)))
    if expires_s is not None and not 1 <= expires_s <= EXPIRES_S_MAX:
        raise BadRequest(said("A token expires after one second to ten years, or never."), field="expires")
    secret, token_id = TOKEN_PREFIX + new_secret(work), work.new_id()
    expires = None if expires_s is None else work.now.plus(seconds=expires_s)
    work.sql.execute(
        insert(tokens).values(
            id=token_id,
            hash=digest(secret),
            name=name,
            scopes=" ".join(wanted),
            made_by=actor.id,
            root_id=actor.responsible_id,
            made_ms=work.now.ms,
            expires_ms=expires.ms if expires else None,
        )
    )
    record_act(work, actor, "create token", f"token/{token_id}", {"name": name, "scopes": wanted, "expires": expires})
    return NewToken(token_id, secret, name, wanted, expires)


def revoke_token(work: Work, actor: Actor, token_id: str) -> None:
    """End a token at once. Raises NoSuchToken when there is none, or it has been revoked.

    Whoever may not administer members ends only tokens of its own making.
    """
    row = work.sql.execute(select(tokens).where(tokens.c.id == token_id, tokens.c.ended_ms.is_(None))).first()
    own = row is not None and actor.member_id is not None and row.root_id == actor.member_id
    if row is None or not (own or actor.may("members:admin")):
        raise NoSuchToken(said("There is no such token, or it was revoked before."), id=token_id)
    work.sql.execute(update(tokens).where(tokens.c.id == token_id).values(ended_ms=work.now.ms))
    record_act(work, actor, "revoke token", f"token/{token_id}", {"name": row.name})


def end_tokens_beyond(work: Work, actor: Actor, member_id: str, role: Role | None) -> None:
    """End the tokens that come from a member and that it could not make with a role any more; all without a role.

    Those that the member's tokens made are among them.
    """
    mine = select(tokens).where(tokens.c.root_id == member_id, tokens.c.ended_ms.is_(None))
    left = Actor(f"member/{member_id}", "", role)
    for row in work.sql.execute(mine).all():
        if role is None or not all(left.may(scope) for scope in row.scopes.split(" ")):
            work.sql.execute(update(tokens).where(tokens.c.id == row.id).values(ended_ms=work.now.ms))
            record_act(
                work, actor, "revoke token", f"token/{row.id}", {"name": row.name, "because": "its maker changed"}
            )


def touch_token(work: Work, token_id: str) -> None:
    """Note that a token is in use."""
    work.sql.execute(update(tokens).where(tokens.c.id == token_id).values(used_ms=work.now.ms))
