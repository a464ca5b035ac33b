"""Four families of errors, each saying whose turn it is.

    Fault
    ├── Refused      a rule says no; asking again changes nothing, another request may
    ├── Missing      there is no such thing
    ├── Unavailable  the world is down; the same request may succeed later
    └── Broken       our own invariant does not hold; stop and call someone

Every class that is raised carries a slug, a title and typed fields, and has a page under `docs/problems`. Edges
render it as problem details (RFC 9457) or on the terminal.
"""

from __future__ import annotations

from typing import ClassVar, Self

from commonwatt.kernel.said import Said, said


class Fault(Exception):
    """An error that a person reads: what happened, what it means, what to do."""

    slug: ClassVar[str] = "fault"
    title: ClassVar[str] = "Something went wrong"
    status: ClassVar[int] = 500
    """The HTTP status that edges answer with."""

    def __init__(self, detail: str, **fields: str | int | bool | None) -> None:
        """Take what happened in one or two sentences, and the fields that programs read."""
        super().__init__(str(detail))
        self.detail = str(detail)
        self.said = detail if isinstance(detail, Said) else said(detail)
        """The same for a page, which says it in its reader's language."""
        self.fields = fields

    def in_words(self, words: Said) -> Self:
        """Give pages other words than programs, where `detail` carries a reason that only the owner can use."""
        self.said = words
        return self


class Refused(Fault):
    """A rule says no."""

    slug = "refused"
    title = "Not allowed"
    status = 409


class Missing(Fault):
    """There is no such thing."""

    slug = "missing"
    title = "Not found"
    status = 404


class Unavailable(Fault):
    """The world is down; try again later."""

    slug = "unavailable"
    title = "Out of reach for now"
    status = 503


class Broken(Fault):
    """An invariant of ours does not hold; nothing goes on before a person has looked."""

    slug = "broken"
    title = "An internal check failed"
    status = 500
