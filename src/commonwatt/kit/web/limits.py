"""Each client has its share: a bucket of tokens per client and group of addresses, refilled steadily.

Groups are generous where many people share one address (a car park's network, a wallet's server) and tight where a
secret could be guessed, or where each request has an invoice made that may never be paid. A token of the API has its
own share, wherever it comes from.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from commonwatt.kernel import Clock, said
from commonwatt.kit.crowd import household_of
from commonwatt.kit.web.errors import TooManyRequests
from commonwatt.kit.web.surroundings import client_of


@dataclass(frozen=True, slots=True)
class Share:
    """What one client may ask of a group of addresses: `burst` at once, then `per_minute`."""

    name: str
    prefixes: tuple[str, ...]
    per_minute: int
    burst: int
    methods: frozenset[str] | None = None
    """Only requests of these methods count; None counts all."""
    pattern: re.Pattern[str] | None = None
    """Only addresses that match as a whole count; None counts all."""


UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SHARES = (
    Share("sign-in", ("/sign-in", "/setup", "/recovery", "/invitation"), per_minute=20, burst=20, methods=UNSAFE),
    # While an offer stands, ten and a half minutes as a rule, a client makes 62: fewer than a connector has room for.
    Share(
        "offers",
        ("/",),
        per_minute=4,
        burst=20,
        pattern=re.compile(r"/+(c/+[^/]+/+pay|s/+[^/]+/+top-up|lnurl/+(pay|topup)/+[^/]+/+callback(/.*)?)/*"),
    ),
    Share("lightning", ("/.well-known/lnurlp", "/lnurl", "/.well-known/keysend"), per_minute=3000, burst=1500),
    Share("api", ("/api/",), per_minute=3000, burst=1000),
    Share("files", ("/static/",), per_minute=12000, burst=4000),
    Share("pages", ("/",), per_minute=1200, burst=600),
)
CLIENTS_MAX = 20_000


class Buckets:
    """The buckets of all clients, in memory; the one least lately used goes first when there are too many."""

    def __init__(self, clock: Clock, shares: Sequence[Share] = SHARES) -> None:
        """Take the groups, of which the first that fits counts."""
        self._clock = clock
        self._shares = tuple(shares)
        self._levels: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def take(self, client: str, path: str, method: str) -> int | None:
        """Take one token; return None, or how many seconds to wait for the next one (at least 1)."""
        share = next((share for share in self._shares if _fits(share, path, method)), None)
        if share is None:
            return None
        now = self._clock.now().ms
        full = share.burst * 60_000
        level, since = self._levels.pop((share.name, client), (full, now))
        level = min(full, level + max(0, now - since) * share.per_minute)
        granted = level >= 60_000  # noqa: PLR2004 (a token is a minute's milliseconds: no fractions)
        self._levels[(share.name, client)] = (level - 60_000 if granted else level, now)
        if len(self._levels) > CLIENTS_MAX:
            self._levels.popitem(last=False)
        return None if granted else max(1, -(-(60_000 - level) // (share.per_minute * 1000)))


def _fits(share: Share, path: str, method: str) -> bool:
    if share.pattern is not None and not share.pattern.fullmatch(path):
        return False
    return path.startswith(share.prefixes) and (share.methods is None or method in share.methods)


class FairShares(ASGIMiddleware):
    """Answers 429 with `Retry-After` to whoever asks faster than its share."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "no_limit"

    def __init__(self, buckets: Buckets) -> None:
        """Take the buckets."""
        self._buckets = buckets

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Take a token or raise TooManyRequests."""
        wait = self._buckets.take(_who(scope), scope["path"], scope["method"])  # type: ignore[typeddict-item]
        if wait is not None:
            raise TooManyRequests(
                said(
                    "You ask faster than this address answers. Wait %(wait)s s and go on; nothing was done.", wait=wait
                ),
                retry_after=wait,
            )
        await next_app(scope, receive, send)


def _who(scope: Any) -> str:
    """Name the client: a signed-in token by its id, everybody else by address (IPv6 by its /64)."""
    user = scope.get("user")
    if user is not None and getattr(user, "token_id", None):
        return f"token {user.token_id}"
    return household_of(client_of(scope))
