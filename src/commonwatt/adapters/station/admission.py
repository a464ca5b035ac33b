"""Who may connect: the site's policy, the station's password, the waiting room."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from commonwatt import stations
from commonwatt.kernel import Refused
from commonwatt.kit.database import Database
from commonwatt.stations import NO_SUBPROTOCOL, StationView

FAILURES_MAX = 8
"""Wrong passwords of one identity from one address in a minute; more are refused unread."""
FAILURES_S = 60
_FAILURES_KEPT = 10_000


class Strangers(StrEnum):
    """What happens to stations that nobody added."""

    ADMIT = "admit"
    """They are let in and added at once: for trials."""
    WAIT = "wait"
    """They wait until an operator admits them."""
    REJECT = "reject"
    """They are refused."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The site's rule for stations. A station that has a password must always give it."""

    require_password: bool = True
    """Whether stations without a password of their own are refused."""
    strangers: Strangers = Strangers.WAIT
    require_subprotocol: bool = True
    """Whether a handshake must name a version; a station's waiver `no-subprotocol` is stronger."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a handshake: an HTTP status (101 lets in), and why."""

    status: int
    reason: str = ""
    admitted: bool = False
    trusted: bool = True
    """Whether the connection may go on as it is, once an operator admits the station."""
    waivers: frozenset[str] = frozenset()
    flag: str = ""
    """The quirk for which a station that is known was turned away."""


class Admission:
    """Judges handshakes.

    Verified passwords are remembered as keyed digests, so that a reconnect storm costs no scrypt.
    """

    def __init__(self, database: Database, policy: Policy) -> None:
        """Take the stations and the rule."""
        self._database = database
        self.policy = policy
        self._key = secrets.token_bytes(32)
        self._verified: dict[str, tuple[str, bytes]] = {}
        self._failures: dict[tuple[str, str], deque[int]] = {}
        self._hashing = asyncio.Semaphore(2)

    async def judge(self, identity: str, authorization: str | None, address: str, *, subprotocol: bool) -> Verdict:
        """Decide about one handshake; `subprotocol` tells whether it named any.

        Who may come in but names none is turned away, and known from then on: its operator can grant the waiver.
        """
        verdict = await self._judge(identity, authorization, address)
        nameless = not subprotocol and self.policy.require_subprotocol and NO_SUBPROTOCOL not in verdict.waivers
        if verdict.status == 101 and nameless:  # noqa: PLR2004 (HTTP: switching protocols)
            said = f"Name a subprotocol (ocpp1.6), or ask the operator to grant the waiver {NO_SUBPROTOCOL}."
            return Verdict(400, said, flag="version-missing")
        return verdict

    async def _judge(self, identity: str, authorization: str | None, address: str) -> Verdict:
        try:
            given = _password(authorization)
        except ValueError:
            return Verdict(400, "The Authorization header is not Basic with base64 (RFC 7617).")
        view = await self._database.read(stations.find_station, identity)
        if view is None:
            return await self._stranger(identity, given)
        if view.state == stations.REJECTED:
            return Verdict(403, "This station is rejected by its operator.")
        if self._too_many(identity, address):
            return Verdict(429, "Too many wrong passwords; try again in a minute.")
        verdict = await self._known(view, given)
        if verdict.status == 401:  # noqa: PLR2004 (HTTP: unauthorised)
            self._failed(identity, address)
        return verdict

    async def _stranger(self, identity: str, given: bytes | None) -> Verdict:
        """Deal with a station that nobody added."""
        if self.policy.strangers is Strangers.REJECT:
            return Verdict(404, f"No station is called {identity}; its operator must add it first.")
        try:
            if self.policy.strangers is Strangers.ADMIT and not self.policy.require_password:
                await self._database.write(stations.add_station, identity, with_password=False)
                return Verdict(101, admitted=True)
            offered = None if given is None else await self._hash(given)
            await self._database.write(stations.await_admission, identity, offered)
        except stations.StationTaken:
            return Verdict(101, admitted=True)
        except Refused as refused:
            return Verdict(refused.status if refused.status != 409 else 403, refused.detail)  # noqa: PLR2004 (HTTP)
        return Verdict(101, trusted=given is not None or not self.policy.require_password)

    async def _known(self, view: StationView, given: bytes | None) -> Verdict:
        waivers = frozenset(view.waivers)
        waiting = view.state == stations.WAITING
        if waiting and not view.has_password:
            hashed = await self._database.read(stations.offered_hash_of, view.identity)
        else:
            hashed = await self._database.read(stations.secret_hash_of, view.identity)
        if hashed is not None:
            if given is None or not await self._matches(view.identity, given, hashed):
                return Verdict(401, "The password of this station is missing or wrong.")
            return Verdict(101, admitted=not waiting, waivers=waivers)
        if waiting:
            return Verdict(101, trusted=not self.policy.require_password, waivers=waivers)
        if self.policy.require_password:
            return Verdict(401, "This station has no password yet; its operator must set one first.")
        return Verdict(101, admitted=True, waivers=waivers)

    async def _matches(self, identity: str, given: bytes, hashed: str) -> bool:
        digest = hashlib.blake2b(given, key=self._key).digest()
        known = self._verified.get(identity)
        if known is not None and known[0] == hashed:
            return hmac.compare_digest(known[1], digest) or await self._derive(given, hashed)
        if await self._derive(given, hashed):
            self._verified[identity] = (hashed, digest)
            return True
        return False

    async def _derive(self, given: bytes, hashed: str) -> bool:
        async with self._hashing:
            return await asyncio.to_thread(_any_matches, given, hashed)

    async def _hash(self, given: bytes) -> str:
        async with self._hashing:
            salt = self._database.ids.secret(16)
            return await asyncio.to_thread(stations.hash_secret, given.decode(errors="replace"), salt)

    def _too_many(self, identity: str, address: str) -> bool:
        failures = self._failures.get((identity, address))
        since = self._database.clock.now().ms - FAILURES_S * 1000
        return failures is not None and sum(at > since for at in failures) >= FAILURES_MAX

    def _failed(self, identity: str, address: str) -> None:
        if len(self._failures) >= _FAILURES_KEPT:
            self._failures.clear()
        failures = self._failures.setdefault((identity, address), deque(maxlen=FAILURES_MAX))
        failures.append(self._database.clock.now().ms)


def _any_matches(given: bytes, hashed: str) -> bool:
    return any(stations.secret_matches(meant, hashed) for meant in stations.spellings(given))


def _password(authorization: str | None) -> bytes | None:
    """Return the password of a Basic header (RFC 7617), None without one; raises ValueError for another scheme."""
    if authorization is None:
        return None
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        msg = "not Basic"
        raise ValueError(msg)
    try:
        _, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if not colon:
        msg = "no colon"
        raise ValueError(msg)
    return password
