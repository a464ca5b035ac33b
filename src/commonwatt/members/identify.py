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
from commonwatt.members.actions.start_session import SEEN_EVERY_MS, touch_session
from commonwatt.members.lists import find_by_session, find_by_token
from commonwatt.members.model.actor import Actor
from commonwatt.members.secrets import digest

_SECRET_MAX = 200


class Identify(ASGIMiddleware):
    """Puts the `Actor`, or None, where guards and handlers find it: `request.user`."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, database: Database, site: Site) -> None:
        """Take where sessions and tokens are, and the site whose cookie counts."""
        self._database = database
        self._cookie = session_cookie(site)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Identify one request and pass it on."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        scope["user"] = await self._actor(connection)
        await next_app(scope, receive, send)

    async def _actor(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor | None:
        said = connection.headers.get("authorization")
        if said is not None:
            kind, _, secret = said.partition(" ")
            return await self._by_token(connection, secret.strip()) if kind.lower() == "bearer" else None
        cookie = connection.cookies.get(self._cookie)
        return await self._by_session(connection, cookie) if cookie else None

    async def _by_token(self, connection: ASGIConnection[Any, Any, Any, Any], secret: str) -> Actor | None:
        if not 0 < len(secret) <= _SECRET_MAX:
            return None
        now = self._database.clock.now()
        found = await self._database.read(find_by_token, digest(secret), now, client_of(connection.scope))
        if found is None:
            return None
        actor, used_ms = found
        if now.ms - used_ms >= SEEN_EVERY_MS and actor.token_id is not None:
            await self._database.write(touch_token, actor.token_id)
        return actor

    async def _by_session(self, connection: ASGIConnection[Any, Any, Any, Any], secret: str) -> Actor | None:
        if len(secret) > _SECRET_MAX:
            return None
        now = self._database.clock.now()
        found = await self._database.read(find_by_session, digest(secret), now, client_of(connection.scope))
        if found is None:
            return None
        actor, seen_ms = found
        if now.ms - seen_ms >= SEEN_EVERY_MS and actor.session_id is not None:
            await self._database.write(touch_session, actor.session_id)
        return actor


async def read_actor(request: Request[Any, Any, Any]) -> Actor | None:
    """Return who asks: the dependency `actor`; None for a passer-by."""
    user = request.scope.get("user")
    return user if isinstance(user, Actor) else None


DEPENDENCIES: dict[str, Any] = {"actor": Provide(read_actor)}
