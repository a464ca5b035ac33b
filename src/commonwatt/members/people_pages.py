"""Owner pages about people: who may come in, programs' tokens, one's own devices, and what was done by whom."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter
from litestar.response import Redirect, Stream, Template

from commonwatt.kernel import Clock, Missing, Refused, said
from commonwatt.kit.database import Database, Work
from commonwatt.kit.web import (
    CSV_ROWS_MAX,
    BadRequest,
    Paging,
    Site,
    csv_answer,
    form_key,
    once_hiding,
    once_key,
    page_of,
    shown_now,
    sorted_page,
)
from commonwatt.members import lists
from commonwatt.members.actions.change_member import change_role, remove_member
from commonwatt.members.actions.create_token import create_token, revoke_token
from commonwatt.members.actions.invite_member import invite_member, withdraw_invitation
from commonwatt.members.actions.prove_by_passkey import ADD, begin_add, finish_add, remove_passkey, take_ceremony
from commonwatt.members.actions.recover_by_code import make_recovery_codes
from commonwatt.members.actions.sign_in import end_other_sign_ins, end_sign_in
from commonwatt.members.forms import number_of, role_of, wrong_fields
from commonwatt.members.guards import require, require_proof, require_scope
from commonwatt.members.model.actor import EVERYTHING, SCOPES, Actor, Role

AnyRequest = Request[Any, Any, Any]
Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
Search = Annotated[str, Parameter(max_length=100)]
MemberOrder = Annotated[str, Parameter(pattern=lists.MEMBERS.pattern)]
TokenOrder = Annotated[str, Parameter(pattern=lists.TOKENS.pattern)]
DAY_S = 24 * 3600
FIRST = Paging()
"""The first page, where a form is answered with the list."""
SIGNED_IN = [require(Role.AUDITOR)]
RUNS = [require(Role.OPERATOR)]
AUDITS = [require_scope("audit:read")]
OWNS = [require_scope("members:admin")]
OWNS_PROVED = [*OWNS, require_proof]
_NO_STORE = {"Cache-Control": "no-store"}


def _done(place: str, what: str) -> Redirect:
    return Redirect(f"{place}?done={what}", status_code=303)


async def _people(
    database: Database,
    clock: Clock,
    actor: Actor,
    q: str = "",
    sort: str = "",
    paging: Paging = FIRST,
    status: int = 200,
    **more: Any,
) -> Template:
    sorted_by = (lists.MEMBERS, sort or "joined", paging)
    page = await sorted_page(database, lists.list_members, search=q.strip(), order=sorted_by)
    context = {
        "members": page.items,
        "next_cursor": page.next_cursor,
        "invitations": await database.read(lists.list_invitations, clock.now()),
        "actor": actor,
        "may_change": actor.may("members:admin"),
        "link": None,
        "shown_before": False,
        "once": form_key(database),
        "typed": {},
        "chosen": {},
        "errors": [],
        "wrong": "",
        "done": "",
        **more,
    }
    return Template("members/people.html", context=context, headers=_NO_STORE, status_code=status)


@get("/people", guards=SIGNED_IN, include_in_schema=False)
async def show_people(
    database: Database,
    clock: Clock,
    actor: Actor,
    paging: Paging,
    q: Search = "",
    sort: MemberOrder = "",
    done: str = "",
) -> Template:
    """Show members and open invitations."""
    return await _people(database, clock, actor, q, sort, paging, done=done)


@post("/people/invite", guards=OWNS_PROVED, include_in_schema=False)
async def invite(
    request: AnyRequest, data: Form, database: Database, clock: Clock, actor: Actor, site: Site
) -> Template:
    """Make an invitation and show its link, this once."""

    def make(work: Work) -> dict[str, Any]:
        link = invite_member(work, actor, str(data.get("name", "")), role_of(data), number_of(data, "days") * DAY_S)
        return {"link": site.url(link.path), "expires": link.expires.ms}

    try:
        made = await database.write(once_hiding, once_key(request, actor.id, data.items()), ("link",), make)
    except Refused as error:
        typed = {name: str(data.get(name, "")) for name in ("name", "role", "days")}
        again: dict[str, Any] = {"errors": wrong_fields(error), "typed": typed, "lives_at": "/people"}
        return await _people(database, clock, actor, status=error.status, **again)
    return await _people(database, clock, actor, lives_at="/people", **shown_now(made))


@post("/people/{member_id:str}/role", guards=OWNS_PROVED, include_in_schema=False)
async def set_role(member_id: str, data: Form, database: Database, clock: Clock, actor: Actor) -> Template | Redirect:
    """Change a member's role."""
    try:
        await database.write(change_role, actor, member_id, role_of(data))
    except (Refused, Missing) as error:
        again: dict[str, Any] = {
            "wrong": error.said,
            "chosen": {member_id: str(data.get("role", ""))},
            "lives_at": "/people",
        }
        return await _people(database, clock, actor, status=error.status, **again)
    return _done("/people", "role")


@post("/people/{member_id:str}/remove", guards=OWNS_PROVED, include_in_schema=False)
async def remove(member_id: str, database: Database, clock: Clock, actor: Actor) -> Template | Redirect:
    """Let a member go."""
    try:
        await database.write(remove_member, actor, member_id)
    except (Refused, Missing) as error:
        return await _people(database, clock, actor, status=error.status, wrong=error.said, lives_at="/people")
    return _done("/people", "removed")


@post("/invitations/{invitation_id:str}/withdraw", guards=OWNS, include_in_schema=False)
async def withdraw(invitation_id: str, database: Database, clock: Clock, actor: Actor) -> Template | Redirect:
    """End an invitation that nobody used."""
    try:
        await database.write(withdraw_invitation, actor, invitation_id)
    except Missing as error:
        return await _people(database, clock, actor, status=error.status, wrong=error.said, lives_at="/people")
    return _done("/people", "withdrawn")


def _grouped(scopes: list[str]) -> list[tuple[str, list[str]]]:
    """Put the scopes of one thing together."""
    groups: dict[str, list[str]] = {}
    for scope in scopes:
        groups.setdefault(scope.partition(":")[0], []).append(scope)
    return list(groups.items())


def _root(actor: Actor) -> str | None:
    """Return whose tokens the actor may see: all of them, or those that come from this member."""
    return None if actor.may("members:admin") else actor.member_id or ""


async def _tokens(
    database: Database,
    actor: Actor,
    q: str = "",
    sort: str = "",
    paging: Paging = FIRST,
    status: int = 200,
    **more: Any,
) -> Template:
    sorted_by = (lists.TOKENS, sort or "-made", paging)
    page = await sorted_page(database, lists.list_tokens, root=_root(actor), search=q.strip(), order=sorted_by)
    context = {
        "tokens": page.items,
        "next_cursor": page.next_cursor,
        "filtered": bool(q),
        "scopes": _grouped([scope for scope in SCOPES if actor.may(scope)]),
        "everything": EVERYTHING if actor.may(EVERYTHING) else "",
        "token": None,
        "shown_before": False,
        "once": form_key(database),
        "typed": {},
        "errors": [],
        "done": "",
        **more,
    }
    return Template("members/tokens.html", context=context, headers=_NO_STORE, status_code=status)


@get("/tokens", guards=RUNS, include_in_schema=False)
async def show_tokens(
    database: Database,
    actor: Actor,
    paging: Paging,
    q: Search = "",
    sort: TokenOrder = "",
    done: str = "",
) -> Template:
    """Show the tokens that this member may see."""
    return await _tokens(database, actor, q, sort, paging, done=done)


@post("/tokens", guards=[*RUNS, require_proof], include_in_schema=False)
async def make_token(request: AnyRequest, database: Database, actor: Actor) -> Template:
    """Make a token and show it, this once."""
    form = await request.form()
    name, scopes = str(form.get("name", "")), [str(scope) for scope in form.getall("scope", [])]

    def make(work: Work) -> dict[str, Any]:
        days = number_of(form, "days")
        return {"token": create_token(work, actor, name, scopes, days * DAY_S if days else None).token}

    try:
        made = await database.write(once_hiding, once_key(request, actor.id, form.multi_items()), ("token",), make)
    except Refused as error:
        typed = {"name": name, "scopes": scopes, "days": str(form.get("days", ""))}
        again: dict[str, Any] = {"errors": wrong_fields(error), "typed": typed, "lives_at": "/tokens"}
        return await _tokens(database, actor, status=error.status, **again)
    return await _tokens(database, actor, lives_at="/tokens", **shown_now(made))


@post("/tokens/{token_id:str}/revoke", guards=RUNS, include_in_schema=False)
async def revoke(token_id: str, database: Database, actor: Actor) -> Redirect:
    """Revoke a token."""
    await database.write(revoke_token, actor, token_id)
    return _done("/tokens", "revoked")


async def _devices(request: AnyRequest, database: Database, clock: Clock, actor: Actor, **more: Any) -> Template:
    own = actor.member_id or ""
    context = {
        "passkeys": await database.read(lists.list_passkeys, own),
        "sign_ins": await database.read(lists.list_sign_ins, own, clock.now()),
        "codes_left": await database.read(lists.count_codes, own),
        "this_sign_in": actor.sign_in_id,
        "member": actor,
        "welcome": "welcome" in request.query_params,
        "recovered": "recovered" in request.query_params,
        "done": request.query_params.get("done", ""),
        "codes": None,
        "shown_before": False,
        "once": form_key(database),
        **more,
    }
    return Template("members/devices.html", context=context, headers=_NO_STORE)


@get("/devices", guards=SIGNED_IN, include_in_schema=False)
async def show_devices(request: AnyRequest, database: Database, clock: Clock, actor: Actor) -> Template:
    """Show one's own passkeys, sign-ins and recovery codes."""
    return await _devices(request, database, clock, actor)


@post("/devices/codes", guards=[*SIGNED_IN, require_proof], include_in_schema=False)
async def make_codes(request: AnyRequest, database: Database, clock: Clock, actor: Actor) -> Template:
    """Make recovery codes and show them, this once."""

    def make(work: Work) -> dict[str, Any]:
        return {"codes": make_recovery_codes(work, actor)}

    posted = (await request.form()).multi_items()
    made = await database.write(once_hiding, once_key(request, actor.id, posted), ("codes",), make)
    return await _devices(request, database, clock, actor, lives_at="/devices", **shown_now(made))


@post("/devices/passkeys/begin", guards=SIGNED_IN, include_in_schema=False, status_code=200)
async def begin_passkey(database: Database, site: Site, actor: Actor) -> dict[str, Any]:
    """Give the options for another passkey."""
    begun = await database.write(begin_add, site, actor)
    return {"state": begun.state, "publicKey": begun.options}


@post("/devices/passkeys/finish", guards=SIGNED_IN, include_in_schema=False, status_code=200)
async def finish_passkey(data: dict[str, Any], database: Database, site: Site, actor: Actor) -> dict[str, str]:
    """Keep another passkey."""
    state, credential = data.get("state"), data.get("credential")
    if not isinstance(state, str) or not isinstance(credential, dict):
        raise BadRequest(
            "The browser's answer is incomplete: it needs `state` and `credential`.", field="credential"
        ).in_words(said("The browser's answer is incomplete. Begin again."))
    ceremony = await database.write(take_ceremony, state, ADD)
    await database.write(finish_add, site, actor, ceremony, credential)
    return {"location": "/devices?done=passkey"}


@post("/devices/passkeys/{passkey_id:str}/remove", guards=[*SIGNED_IN, require_proof], include_in_schema=False)
async def drop_passkey(passkey_id: str, database: Database, actor: Actor) -> Redirect:
    """Forget a passkey."""
    await database.write(remove_passkey, actor, passkey_id)
    return _done("/devices", "forgotten")


@post("/devices/sessions/{sign_in_id:str}/end", guards=SIGNED_IN, include_in_schema=False)
async def end_one(sign_in_id: str, database: Database, actor: Actor) -> Redirect:
    """End one of one's own sign-ins."""
    await database.write(end_sign_in, actor, sign_in_id)
    return _done("/devices", "ended")


@post("/devices/sessions/end-others", guards=SIGNED_IN, include_in_schema=False)
async def end_others(database: Database, actor: Actor) -> Redirect:
    """End all of one's own sign-ins but this one."""
    await database.write(end_other_sign_ins, actor)
    return _done("/devices", "ended")


@get("/people.csv", guards=SIGNED_IN, include_in_schema=False)
async def export_people(database: Database, q: Search = "", sort: MemberOrder = "") -> Stream:
    """Give the same list as a file."""
    found = await database.read(lists.list_members, search=q.strip(), sort=sort or "joined", limit=CSV_ROWS_MAX)
    header = ("id", "name", "role", "joined", "last_seen", "passkeys")
    rows = [(one.id, one.name, one.role.value, one.joined, one.last_seen, one.passkeys) for one in found]
    return csv_answer("people", header, rows)


@get("/tokens.csv", guards=RUNS, include_in_schema=False)
async def export_tokens(database: Database, actor: Actor, q: Search = "", sort: TokenOrder = "") -> Stream:
    """Give the same list as a file, without their secrets."""
    found = await database.read(
        lists.list_tokens, root=_root(actor), search=q.strip(), sort=sort or "-made", limit=CSV_ROWS_MAX
    )
    header = ("id", "name", "scopes", "made", "expires", "last_used")
    rows = [(one.id, one.name, " ".join(one.scopes), one.made, one.expires, one.last_used) for one in found]
    return csv_answer("tokens", header, rows)


@get("/audit", guards=AUDITS, include_in_schema=False)
async def show_audit(database: Database, paging: Paging, actor: Actor, q: str = "", subject: str = "") -> Template:
    """Show what was done by whom."""
    acts = await database.read(lists.list_acts, paging, q, subject, masked=not actor.sees_id_tags)
    page = page_of(acts, paging, lambda act: act, lambda act: (act.id,))
    context = {"acts": page.items, "next_cursor": page.next_cursor, "filtered": bool(q or subject)}
    return Template("members/audit.html", context=context)


@get("/audit.csv", guards=AUDITS, include_in_schema=False)
async def export_audit(database: Database, actor: Actor, q: str = "", subject: str = "") -> Stream:
    """Give the same list as a file."""
    acts = await database.read(lists.list_acts, Paging(CSV_ROWS_MAX), q, subject, masked=not actor.sees_id_tags)
    header = ("at", "actor", "actor_id", "address", "act", "subject", "detail")
    return csv_answer("audit", header, lists.act_rows(acts))


ROUTES = [
    show_people,
    invite,
    set_role,
    remove,
    withdraw,
    show_tokens,
    make_token,
    revoke,
    show_devices,
    make_codes,
    begin_passkey,
    finish_passkey,
    drop_passkey,
    end_one,
    end_others,
    export_people,
    export_tokens,
    show_audit,
    export_audit,
]
