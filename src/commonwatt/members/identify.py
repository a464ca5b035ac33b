"""Finds out who asks: by the token of a program, else by the cookie of a browser, else nobody.

A request with an `Authorization` header is that token's or nobody's: its cookies count for nothing, which is what lets
the forgery check exempt it.
"""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from commonwatt.kit.database import Database
from commonwatt.kit.web import Site, client_of, session_cookie
from commonwatt.members.actions.create_token import touch_token
from commonwatt.members.actions.sign_in import SEEN_EVERY_MS, touch_sign_in
from commonwatt.members.lists import find_by_sign_in, find_by_token
from commonwatt.members.model.actor import Actor
from commonwatt.members.secrets import digest

_SECRET_MAX = 200
Connected = ASGIConnection[Any, Any, Any, Any]


class Identify(ASGIMiddleware):
    """Puts the `Actor`, or None, where guards and handlers find it: `request.user`."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, database: Database, site: Site) -> None:
        """Take where sign-ins and tokens are, and the site whose cookie counts."""
        self._database = database
        self._cookie = session_cookie(site)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Identify one request, note that its sign-in or token is in use, and pass it on."""
        found = await _find(ASGIConnection(scope), self._database, self._cookie)
        scope["user"] = None if found is None else found[0]
        if found is not None:
            await self._touch(*found)
        await next_app(scope, receive, send)

    async def _touch(self, actor: Actor, seen_ms: int) -> None:
        if self._database.clock.now().ms - seen_ms < SEEN_EVERY_MS:
            return
        if actor.token_id is not None:
            await self._database.write(touch_token, actor.token_id)
        elif actor.sign_in_id is not None:
            await self._database.write(touch_sign_in, actor.sign_in_id)


async def find_actor(connection: Connected, database: Database, site: Site) -> Actor | None:
    """Return who asks, as it is at this moment; None for a passer-by, and for whose sign-in or token has ended.

    For what lasts longer than its request: a stream that stays open keeps no sign-in in use.
    """
    found = await _find(connection, database, session_cookie(site))
    return None if found is None else found[0]


async def _find(connection: Connected, database: Database, cookie: str) -> tuple[Actor, int] | None:
    """Return the actor and when it was last seen."""
    said = connection.headers.get("authorization")
    kind, _, token = (said or "").partition(" ")
    secret = connection.cookies.get(cookie, "") if said is None else token.strip() if kind.lower() == "bearer" else ""
    if not 0 < len(secret) <= _SECRET_MAX:
        return None
    find = find_by_sign_in if said is None else find_by_token
    return await database.read(find, digest(secret), database.clock.now(), client_of(connection.scope))


async def read_actor(request: Request[Any, Any, Any]) -> Actor | None:
    """Return who asks: the dependency `actor`; None for a passer-by."""
    user = request.scope.get("user")
    return user if isinstance(user, Actor) else None


DEPENDENCIES: dict[str, Any] = {"actor": Provide(read_actor)}
