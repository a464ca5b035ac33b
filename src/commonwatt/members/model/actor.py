"""The one who acts: a member signed in, or a program with a token; and what each may do.

Roles are a ladder: an auditor reads, an operator also runs the stations and the money, an owner does everything.
A token has scopes instead, words of the form `thing:verb`; `write` includes `read` of the same thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from commonwatt.kernel import Instant


class Role(StrEnum):
    """What a member may do, from little to everything."""

    AUDITOR = "auditor"
    OPERATOR = "operator"
    OWNER = "owner"

    def includes(self, other: Role) -> bool:
        """Whether this role may do all that the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


EVERYTHING = "*"
SCOPES: dict[str, Role] = {
    "stations:read": Role.AUDITOR,
    "stations:write": Role.OPERATOR,
    "stations:command": Role.OPERATOR,
    "sessions:read": Role.AUDITOR,
    "sessions:write": Role.OPERATOR,
    "payments:read": Role.AUDITOR,
    "payments:write": Role.OPERATOR,
    "tariffs:read": Role.AUDITOR,
    "tariffs:write": Role.OPERATOR,
    "books:read": Role.AUDITOR,
    "jobs:read": Role.AUDITOR,
    "jobs:write": Role.OPERATOR,
    "metrics:read": Role.AUDITOR,
    "audit:read": Role.AUDITOR,
    "members:admin": Role.OWNER,
}
"""Every scope, and the least role of a member that may do the same."""


TOPICS: dict[str, tuple[str, ...]] = {
    "overview": ("stations:read", "sessions:read", "payments:read"),
    "station": ("stations:read",),
    "connector": ("stations:read",),
    "session": ("sessions:read",),
    "payment": ("payments:read",),
    "tariffs": ("tariffs:read",),
    "rates": ("tariffs:read",),
    "books": ("books:read",),
    "jobs": ("jobs:read",),
    "audit": ("audit:read",),
}
"""All scopes that listening to a live topic asks for, by the topic's first word; other topics ask for everything."""


FRESH_MS = 15 * 60 * 1000
"""A passkey shown so long ago still counts for dangerous acts."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. `id` is what the audit log keeps: `member/<id>`, `token/<id>` or `terminal`."""

    id: str
    name: str
    role: Role | None = None
    """A member's role; None for tokens."""
    scopes: frozenset[str] = frozenset()
    """A token's scopes; empty for members."""
    address: str = ""
    """Where the request came from."""
    member_id: str | None = None
    sign_in_id: str | None = None
    """The browser's sign-in that a member's request came by; None for tokens and the terminal."""
    token_id: str | None = None
    root_id: str | None = None
    """The member whom a token comes from, through however many tokens; None for members, and for the terminal's."""
    proved_ms: int = 0
    """When this member last proved by passkey who it is."""

    def may(self, scope: str, role: Role | None = None) -> bool:
        """Whether this actor may do what a scope names; `role` replaces the least role that the scope asks for.

        Raises KeyError for a scope that does not exist.
        """
        least = role or (Role.OWNER if scope == EVERYTHING else SCOPES[scope])
        if self.role is not None:
            return self.role.includes(least)
        if EVERYTHING in self.scopes or scope in self.scopes:
            return True
        thing, _, verb = scope.partition(":")
        return verb == "read" and f"{thing}:write" in self.scopes

    def has_proved(self, now: Instant) -> bool:
        """Whether this actor may act dangerously: programs may, members who showed a passkey a short time ago."""
        return self.member_id is None or now.ms - self.proved_ms <= FRESH_MS

    def may_give(self, role: Role) -> bool:
        """Whether this actor may make somebody a member of a role: only if it may do all that the role may."""
        if self.role is not None:
            return self.role.includes(role)
        whole = role is not Role.OWNER or self.may(EVERYTHING)
        return whole and all(self.may(scope) for scope, least in SCOPES.items() if role.includes(least))

    def may_hear(self, topic: str) -> bool:
        """Whether this actor may listen to a live topic such as `station/CP-1`."""
        return all(self.may(scope) for scope in TOPICS.get(topic.partition("/")[0], (EVERYTHING,)))

    @property
    def responsible_id(self) -> str | None:
        """The member who answers for this actor: itself, or whom the token comes from; None for the terminal's."""
        return self.member_id or self.root_id

    @property
    def sees_id_tags(self) -> bool:
        """Whether this actor reads drivers' id tags in clear; auditors do not."""
        return self.may("sessions:write")


TERMINAL = Actor("terminal", "terminal", Role.OWNER)
"""Whoever can run commands on the machine itself: it owns the data already."""
SYSTEM = Actor("system", "system", Role.OWNER)
"""The program itself, where no person asked."""


def mask_id_tag(actor: Actor | None, id_tag: str) -> str:
    """Return an id tag as this actor may see it: in clear, or its last two characters after dots."""
    if actor is not None and actor.sees_id_tags:
        return id_tag
    return "\u2022\u2022\u2022\u2022" + (id_tag[-2:] if len(id_tag) > 4 else "")  # noqa: PLR2004 (a short tag is hidden whole)
