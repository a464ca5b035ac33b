"""What every page knows about its reader and its place, without being told by each handler.

It is read from the request when a template is rendered, and reaches macros and filters through a context variable, so a
part that is imported knows the language too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Request
from litestar.routes import HTTPRoute

from commonwatt.kernel import Instant
from commonwatt.kit.pages.navigation import Command, Section, commands_for, sections_for
from commonwatt.kit.pages.texts import OWNER_LANGUAGES, PASSER_LANGUAGES, choose_language, tell
from commonwatt.kit.web.forgery import csrf_token
from commonwatt.kit.web.site import Site

PASSER_PLACES = ("/c/", "/s/", "/r/", "/verify", "/explore", "/wallet", "/join", "/signin", "/sign-in", "/problems/")
"""Addresses of passer-by pages; they speak four languages."""
THEMES = ("light", "dark")
_SAFE = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is signed in, as the shell shows it."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Page:
    """The reader, the place and the moment of one page."""

    now: Instant
    site: Site
    language: str = "en"
    theme: str = ""
    """`light`, `dark`, or empty for what the system says."""
    path: str = "/"
    """Where the page is by GET, as far as it knows; see `lives_at` of `page_of`."""
    query: tuple[tuple[str, str], ...] = ()
    answers: bool = False
    """Whether the page answers a form that was posted, so that the browser's address may not be its own."""
    returns: bool = True
    """Whether following `link()` leads to this page again: not where it answers a form at an address that cannot be
    read, nor where it shows what is shown only once."""
    csrf: str = ""
    reader: Reader | None = None
    sections: tuple[Section, ...] = ()
    served: frozenset[str] = field(default=frozenset(), repr=False)
    languages: tuple[str, ...] = PASSER_LANGUAGES

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which times are shown: the site's."""
        return self.site.zone

    @property
    def section(self) -> Section | None:
        """The part of the map in which this page lies."""
        return next((section for section in self.sections if section.holds(self.path)), None)

    @property
    def commands(self) -> tuple[Command, ...]:
        """What the palette offers this reader to do."""
        return commands_for(self.reader.role, self.is_served) if self.reader else ()

    def link(self, **changes: object) -> str:
        """Return this page's address with other query values; None and the empty text remove one.

        The cursor goes unless it is given: another filter or order begins at its first page.
        """
        values = dict(self.query)
        if "cursor" not in changes:
            values.pop("cursor", None)
        for name, value in changes.items():
            if value is None or value == "":
                values.pop(name, None)
            else:
                values[name] = str(value)
        return f"{self.path}?{urlencode(values)}" if values else self.path

    def file(self, **changes: object) -> str:
        """Return the address of this list as a CSV file: this page's with `.csv`, its filters and its order."""
        return self.link(done=None, **changes).replace(self.path, f"{self.path}.csv", 1)

    def value(self, name: str, fallback: str = "") -> str:
        """Return one value of the address's query."""
        return dict(self.query).get(name, fallback)

    def is_served(self, path: str) -> bool:
        """Whether this installation has a page at an address."""
        return path in self.served

    def text(self, message: str) -> str:
        """Say a text in the reader's language, also a sentence that was made of a template and values."""
        return tell(message, self.language)


_CURRENT: ContextVar[Page] = ContextVar("page")


def current_page() -> Page:
    """Return the page that is being rendered; raises LookupError outside of one."""
    return _CURRENT.get()


@contextmanager
def rendering(page: Page) -> Iterator[None]:
    """Make a page the current one."""
    token = _CURRENT.set(page)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def page_of(request: Request[Any, Any, Any], now: Instant, *, lives_at: str = "", shown_once: bool = False) -> Page:
    """Read the page from a request: who reads, in which language, where.

    `lives_at` is the page's own address where it answers a form that is posted elsewhere; `shown_once` says that it
    holds a secret that is gone once the page is left.
    """
    site: Site = request.app.state.site
    reader = reader_of(request)
    path = lives_at or request.url.path
    answers = request.method not in _SAFE
    passing = path.startswith(PASSER_PLACES) or reader is None
    offered = PASSER_LANGUAGES if passing else OWNER_LANGUAGES
    accepted = request.headers.get("accept-language", "")
    theme = request.cookies.get("theme", "")
    served = served_paths(request)
    return Page(
        now=now,
        site=site,
        language=choose_language(request.cookies.get("lang"), accepted, site.language, offered),
        theme=theme if theme in THEMES else "",
        path=path,
        query=() if lives_at else tuple((str(key), str(value)) for key, value in request.query_params.multi_items()),
        answers=answers,
        returns=not shown_once and (not answers or bool(lives_at) or _is_readable(request)),
        csrf=csrf_token(request),
        reader=reader,
        sections=sections_for(reader.role, served.__contains__) if reader else (),
        served=served,
        languages=offered,
    )


def reader_of(request: Request[Any, Any, Any]) -> Reader | None:
    """Return who is signed in, from whatever the sign-in middleware left; None for a passer-by."""
    user = request.scope.get("user")
    name, role = getattr(user, "name", ""), getattr(user, "role", "")
    return Reader(str(name), str(getattr(role, "value", role))) if role else None


def _is_readable(request: Request[Any, Any, Any]) -> bool:
    """Whether the address that a form was posted to answers a browser that merely opens it."""
    template = request.scope.get("path_template")
    return any(
        isinstance(route, HTTPRoute) and route.path_format == template and "GET" in route.methods
        for route in request.app.routes
    )


def served_paths(request: Request[Any, Any, Any]) -> frozenset[str]:
    """Return the plain addresses that the application serves, worked out once."""
    state = request.app.state
    known: frozenset[str] | None = state.get("served_paths")
    if known is None:
        known = frozenset(route.path for route in request.app.routes)
        state["served_paths"] = known
    return known
