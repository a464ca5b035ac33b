"""People and tokens for programs: `/api/v1/members`, `/invitations`, `/tokens`, `/audit`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.params import Parameter
from litestar.status_codes import HTTP_204_NO_CONTENT

from commonwatt.kernel import Clock, Instant
from commonwatt.kit.database import Database, Work
from commonwatt.kit.web import Body, IdempotencyKey, Page, Paging, ShownOnce, Site, Tagged, once_hiding, page_of, tagged
from commonwatt.members import lists
from commonwatt.members.actions.change_member import change_role, remove_member
from commonwatt.members.actions.create_token import EXPIRES_S_MAX, NewToken, create_token, revoke_token
from commonwatt.members.actions.invite_member import INVITATION_S, NAME_MAX, invite_member, withdraw_invitation
from commonwatt.members.guards import require_proof, require_scope
from commonwatt.members.model.actor import EVERYTHING, SCOPES, Actor, Role

ADMIN = [require_scope("members:admin")]
PROVED = [*ADMIN, require_proof]
"""A browser's sign-in proves first that its member still holds it; tokens pass."""
DAY_S = 24 * 3600
Id = Annotated[str, Parameter(description="its id, as the list tells it")]
Revoked = Annotated[bool, Parameter(description="the revoked ones too")]
Search = Annotated[str, Parameter(description="anywhere in the act, its subject, who did it, or its details")]
Subject = Annotated[str, Parameter(description="only about this, such as station/CP-1")]


class TokenWish(Body, frozen=True):
    """A token to make; it expires after 90 days unless `expires_days` says otherwise."""

    name: Annotated[str, msgspec.Meta(description=f"for people: 1 to {NAME_MAX} printable characters")]
    scopes: Annotated[
        list[str], msgspec.Meta(description=f"what it may do, at least one of: {', '.join([*SCOPES, EVERYTHING])}")
    ]
    expires_days: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=EXPIRES_S_MAX // DAY_S)] | Literal["never"],
        msgspec.Meta(description=f"days until it ends, 1 to {EXPIRES_S_MAX // DAY_S}, or never"),
    ] = 90


class InvitationWish(Body, frozen=True):
    """Somebody to invite."""

    name: Annotated[str, msgspec.Meta(description=f"who is meant: 1 to {NAME_MAX} printable characters")]
    role: Role
    expires_s: Annotated[int, msgspec.Meta(description="seconds that the link is valid for: 60 to 7776000")] = (
        INVITATION_S
    )


class NewTokenShown(ShownOnce):
    """A token, this once; `token` is null in the answer to a repetition, `expires` for one that never does."""

    id: str
    token: str | None
    name: str
    scopes: list[str]
    expires: Instant | None


class NewInvitationShown(ShownOnce):
    """A one-time link, this once; `link` is null in the answer to a repetition."""

    id: str
    link: str | None
    expires: Instant


class RoleWish(Body, frozen=True):
    """The role that a member shall have."""

    role: Role


@get("/api/v1/tokens", guards=ADMIN, tags=["members"], summary="List tokens")
async def get_tokens(
    request: Request[Any, Any, Any], database: Database, *, revoked: Revoked = False
) -> Tagged[Page[lists.Token]]:
    """Return the tokens, newest first, never their secrets."""
    items = await database.read(lists.list_tokens, ended=revoked)
    return tagged(request, Page(items))


@post("/api/v1/tokens", guards=PROVED, tags=["members"], summary="Make a token")
async def post_token(
    data: TokenWish, database: Database, actor: Actor, idempotency_key: IdempotencyKey | None
) -> NewTokenShown:
    """Make a token and show it, this once; the answer to a repeated key makes none and has null in its place."""
    expires_s = None if data.expires_days == "never" else data.expires_days * DAY_S

    def make(work: Work) -> NewToken:
        return create_token(work, actor, data.name, data.scopes, expires_s)

    return await database.write(once_hiding, idempotency_key, ("token",), make)


@delete(
    "/api/v1/tokens/{token_id:str}",
    guards=ADMIN,
    tags=["members"],
    summary="Revoke a token",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_token(token_id: Id, database: Database, actor: Actor) -> None:
    """Revoke a token; it counts no more from the next request on."""
    await database.write(revoke_token, actor, token_id)


@get("/api/v1/members", guards=ADMIN, tags=["members"], summary="List members")
async def get_members(request: Request[Any, Any, Any], database: Database) -> Tagged[Page[lists.Member]]:
    """Return the members, first who joined first."""
    return tagged(request, Page(await database.read(lists.list_members)))


@patch(
    "/api/v1/members/{member_id:str}",
    guards=PROVED,
    tags=["members"],
    summary="Change a member's role",
    status_code=HTTP_204_NO_CONTENT,
)
async def patch_member(member_id: Id, data: RoleWish, database: Database, actor: Actor) -> None:
    """Change a member's role."""
    await database.write(change_role, actor, member_id, data.role)


@delete(
    "/api/v1/members/{member_id:str}",
    guards=PROVED,
    tags=["members"],
    summary="Remove a member",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_member(member_id: Id, database: Database, actor: Actor) -> None:
    """Let a member go; its sign-ins end at once."""
    await database.write(remove_member, actor, member_id)


@get("/api/v1/invitations", guards=ADMIN, tags=["members"], summary="List open invitations")
async def get_invitations(
    request: Request[Any, Any, Any], database: Database, clock: Clock
) -> Tagged[Page[lists.OpenInvitation]]:
    """Return the invitations that nobody used yet."""
    return tagged(request, Page(await database.read(lists.list_invitations, clock.now())))


@post("/api/v1/invitations", guards=PROVED, tags=["members"], summary="Invite somebody")
async def post_invitation(
    data: InvitationWish, database: Database, actor: Actor, site: Site, idempotency_key: IdempotencyKey | None
) -> NewInvitationShown:
    """Make a one-time link and show it, this once; a repeated key makes none, and its answer has null in its place."""

    def invite(work: Work) -> NewInvitationShown:
        link = invite_member(work, actor, data.name, data.role, data.expires_s)
        return {"id": link.id, "link": site.url(link.path), "expires": link.expires}

    return await database.write(once_hiding, idempotency_key, ("link",), invite)


@delete(
    "/api/v1/invitations/{invitation_id:str}",
    guards=ADMIN,
    tags=["members"],
    summary="Withdraw an invitation",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_invitation(invitation_id: Id, database: Database, actor: Actor) -> None:
    """Withdraw an invitation that nobody used yet."""
    await database.write(withdraw_invitation, actor, invitation_id)


@get("/api/v1/audit", guards=[require_scope("audit:read")], tags=["members"], summary="Show the audit log")
async def get_audit(
    database: Database, paging: Paging, actor: Actor, search: Search = "", subject: Subject = ""
) -> Page[lists.Act]:
    """Return administrative acts, newest first; `subject` as it was written, like `station/CP-1`.

    Who may not see id tags reads them as dots, and finds no act by them.
    """
    acts = await database.read(lists.list_acts, paging, search, subject, masked=not actor.sees_id_tags)
    return page_of(acts, paging, lambda act: act, lambda act: (act.id,))


ROUTES = [
    get_tokens,
    post_token,
    delete_token,
    get_members,
    patch_member,
    delete_member,
    get_invitations,
    post_invitation,
    delete_invitation,
    get_audit,
]
