"""Pages about people: come in by a link, sign in, recover; then people, tokens, signed-in devices, the audit log."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from commonwatt.kernel import said
from commonwatt.kit.database import Database
from commonwatt.kit.web import Answer, BadRequest, Site, client_of, session_cookie
from commonwatt.members import people_pages
from commonwatt.members.actions.invite_member import find_invitation
from commonwatt.members.actions.prove_by_passkey import (
    JOIN,
    PROVE,
    SIGN_IN,
    begin_join,
    begin_proof,
    begin_sign_in,
    finish_join,
    finish_proof,
    finish_sign_in,
    take_ceremony,
)
from commonwatt.members.actions.recover_by_code import recover_by_code
from commonwatt.members.actions.sign_in import LONGEST_MS, Started, Visit, sign_out
from commonwatt.members.guards import HOME, require
from commonwatt.members.lists import has_owner
from commonwatt.members.model.actor import Actor, Role

AnyRequest = Request[Any, Any, Any]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


SIGNED_IN = [require(Role.AUDITOR)]
_LOOPBACK = {"127.0.0.1", "::1"}


def visit_of(request: AnyRequest) -> Visit:
    """Say where a request comes from, as the list of sign-ins shows it."""
    return Visit(request.headers.get("user-agent", "unknown"), client_of(request.scope))


def own_path(heard: str | None, fallback: str = HOME) -> str:
    """Return an address of ours to go to, never another site's (CWE-601)."""
    if not heard or not heard.startswith("/") or heard.startswith(("//", "/\\")) or not heard.isprintable():
        return fallback
    parts = urlsplit(heard)
    return heard if not parts.scheme and not parts.netloc and "\\" not in heard else fallback


def move_to_own_host(request: AnyRequest, site: Site) -> Redirect | None:
    """Send a browser that came by 127.0.0.1 to localhost: a passkey is bound to a name, and an address is none.

    WebAuthn Level 3, 5.1.2: an RP ID is a valid domain.
    """
    if site.host != "localhost" or urlsplit("//" + request.headers.get("host", "")).hostname not in _LOOPBACK:
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return Redirect(site.url(request.url.path) + query, status_code=303)


def session_answer(site: Site, started: Started, location: str) -> Answer[Any]:
    """Answer a finished ceremony: the cookie, and where to go."""
    return Answer({"location": location}, status_code=200, cookies=[_cookie(site, started.secret)])


def _cookie(site: Site, secret: str) -> Cookie:
    lasts = LONGEST_MS // 1000 if secret else 0
    return Cookie(session_cookie(site), value=secret, httponly=True, secure=site.https, samesite="lax", max_age=lasts)


@get(["/setup/{secret:str}", "/invitation/{secret:str}"], include_in_schema=False)
async def show_join(request: AnyRequest, secret: str, database: Database, site: Site) -> Template | Redirect:
    """Welcome whoever holds a one-time link, and ask for a name and a passkey."""
    if moved := move_to_own_host(request, site):
        return moved
    invitation = await database.write(find_invitation, secret)
    context = {"invitation": invitation, "base": request.url.path, "passkeys_work": passkeys_work(site)}
    return Template("members/join.html", context=context, headers={"Referrer-Policy": "no-referrer"})


@post(["/setup/{secret:str}/begin", "/invitation/{secret:str}/begin"], include_in_schema=False, status_code=200)
async def begin_joining(secret: str, data: dict[str, Any], database: Database, site: Site) -> dict[str, Any]:
    """Give the options for a first passkey."""
    begun = await database.write(begin_join, site, secret, str(data.get("name", "")))
    return {"state": begun.state, "publicKey": begun.options}


@post(["/setup/{secret:str}/finish", "/invitation/{secret:str}/finish"], include_in_schema=False, status_code=200)
async def finish_joining(
    request: AnyRequest, secret: str, data: dict[str, Any], database: Database, site: Site
) -> Answer[Any]:
    """Make the person a member; the next page makes recovery codes."""
    state, credential = read_answer(data)
    ceremony = await database.write(take_ceremony, state, JOIN)
    started = await database.write(finish_join, site, ceremony, secret, credential, visit_of(request))
    return session_answer(site, started, "/devices?welcome=1")


def read_answer(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the state and the credential that a browser sent. Raises BadRequest."""
    state, credential = data.get("state"), data.get("credential")
    if not isinstance(state, str) or not isinstance(credential, dict):
        raise BadRequest(
            "The browser's answer is incomplete: it needs `state` and `credential`.", field="credential"
        ).in_words(said("The browser's answer is incomplete. Begin again."))
    return state, credential


def passkeys_work(site: Site) -> bool:
    """Whether browsers offer passkeys here: by TLS or on localhost, and never for a bare address."""
    secure = site.https or site.host == "localhost" or site.host.endswith(".localhost")
    return secure and not site.host.replace(".", "").isdigit() and ":" not in site.host


@get("/sign-in", include_in_schema=False)
async def show_sign_in_page(
    request: AnyRequest, database: Database, site: Site, actor: Actor | None
) -> Template | Redirect:
    """Ask for a passkey."""
    wanted = own_path(request.query_params.get("next"))
    if actor is not None and "again" not in request.query_params:
        return Redirect(wanted, status_code=303)
    if moved := move_to_own_host(request, site):
        return moved
    owned = await database.read(has_owner)
    return Template(
        "members/sign_in.html", context={"next": wanted, "owned": owned, "passkeys_work": passkeys_work(site)}
    )


@post("/sign-in/begin", include_in_schema=False, status_code=200)
async def begin_signing_in(database: Database, site: Site) -> dict[str, Any]:
    """Give the options for showing a passkey."""
    begun = await database.write(begin_sign_in, site)
    return {"state": begun.state, "publicKey": begun.options}


@post("/sign-in/finish", include_in_schema=False, status_code=200)
async def finish_signing_in(request: AnyRequest, data: dict[str, Any], database: Database, site: Site) -> Answer[Any]:
    """Sign in by a passkey's answer."""
    state, credential = read_answer(data)
    ceremony = await database.write(take_ceremony, state, SIGN_IN)
    started = await database.write(finish_sign_in, site, ceremony, credential, visit_of(request))
    wanted = data.get("next")
    return session_answer(site, started, own_path(wanted if isinstance(wanted, str) else None))


@get("/prove", guards=SIGNED_IN, include_in_schema=False)
async def show_prove(request: AnyRequest) -> Template:
    """Ask who is signed in for the passkey again, and lead back to what was wanted."""
    wanted = own_path(request.query_params.get("next"))
    return Template("members/prove.html", context={"action": "", "fields": (), "next": wanted})


@post("/prove/begin", guards=SIGNED_IN, include_in_schema=False, status_code=200)
async def begin_proving(database: Database, site: Site, actor: Actor) -> dict[str, Any]:
    """Give the options for showing one's own passkey."""
    begun = await database.write(begin_proof, site, actor)
    return {"state": begun.state, "publicKey": begun.options}


@post("/prove/finish", guards=SIGNED_IN, include_in_schema=False, status_code=200)
async def finish_proving(data: dict[str, Any], database: Database, site: Site, actor: Actor) -> dict[str, str]:
    """Believe for a while that it is the member who holds this sign-in."""
    state, credential = read_answer(data)
    ceremony = await database.write(take_ceremony, state, PROVE)
    await database.write(finish_proof, site, actor, ceremony, credential)
    wanted = data.get("next")
    return {"location": own_path(wanted if isinstance(wanted, str) else None)}


@get("/recovery", include_in_schema=False)
async def show_recovery() -> Template:
    """Ask for a recovery code."""
    return Template("members/recovery.html", context={})


@post("/recovery", include_in_schema=False)
async def recover(request: AnyRequest, data: Form, database: Database, site: Site) -> Response[Any]:
    """Sign in by a recovery code; the next page asks for a new passkey."""
    started = await database.write(recover_by_code, data.get("code", ""), visit_of(request))
    return Redirect("/devices?recovered=1", status_code=303, cookies=[_cookie(site, started.secret)])


@post("/sign-out", include_in_schema=False)
async def leave(database: Database, site: Site, actor: Actor | None) -> Redirect:
    """End this browser's sign-in."""
    if actor is not None and actor.sign_in_id is not None:
        await database.write(sign_out, actor)
    headers = {"Clear-Site-Data": '"cache"'}
    return Redirect("/sign-in", status_code=303, cookies=[_cookie(site, "")], headers=headers)


ROUTES = [
    show_join,
    begin_joining,
    finish_joining,
    show_sign_in_page,
    begin_signing_in,
    finish_signing_in,
    show_prove,
    begin_proving,
    finish_proving,
    show_recovery,
    recover,
    leave,
    *people_pages.ROUTES,
]
