"""Errors in a terminal: what happened, what it means, what to do; and an exit code that programs can rely on.

0 done · 1 refused · 2 wrong usage · 3 missing · 4 unavailable · 5 broken · 130 stopped by Ctrl-C
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from pathlib import Path

import click

from commonwatt.kernel import Broken, Fault, Missing, Refused, Unavailable
from commonwatt.kit.cli.output import WIDTH, plain, styled

OK, REFUSED, USAGE, MISSING, UNAVAILABLE, BROKEN, STOPPED = 0, 1, 2, 3, 4, 5, 130
EXIT_CODES = {
    OK: "done",
    REFUSED: "a rule says no; another request may be accepted",
    USAGE: "the command was not understood",
    MISSING: "there is no such thing",
    UNAVAILABLE: "something is out of reach; the same may succeed later",
    BROKEN: "an internal check failed; look before going on",
    STOPPED: "stopped by Ctrl-C",
}
_PLACES = (
    Path(__file__).parents[1] / "web" / "problem_pages",
    Path(__file__).parents[4] / "docs" / "problems",
)
"""Where the pages about problems are: in an installed wheel, and in a working copy."""
_SECTIONS = ("What it means for money and energy", "What to do")


def exit_code(fault: Fault) -> int:
    """Return the exit code of an error's family; of the status, where a running server answered for us."""
    match fault:
        case Fault(fields={"http_status": int(status)}):
            return _of_status(status)
        case Refused():
            return REFUSED
        case Missing():
            return MISSING
        case Unavailable():
            return UNAVAILABLE
        case Broken() | _:
            return BROKEN


def _of_status(status: int) -> int:
    """Return the exit code for what a server answered; 502 says that somebody behind it refused."""
    match status:
        case 404:
            return MISSING
        case 503 | 504:
            return UNAVAILABLE
        case 502:
            return REFUSED
        case _ if 400 <= status < 500:  # noqa: PLR2004 (HTTP: the client's errors)
            return REFUSED
        case _:
            return BROKEN


def report(fault: Fault, *, as_json: bool) -> int:
    """Tell an error on the standard error stream and return its exit code."""
    if as_json:
        body = {**plain(fault.fields), "slug": fault.slug, "title": fault.title, "detail": fault.detail}
        click.echo(json.dumps(body, ensure_ascii=False), err=True)
        return exit_code(fault)
    click.echo(styled(f"{fault.title}.", sys.stderr, fg="red", bold=True), err=True)
    click.echo(_wrapped(fault.detail), err=True)
    page = find_page(fault.slug)
    for heading in _SECTIONS:
        if text := section(page, heading):
            click.echo(f"\n{styled(heading, sys.stderr, bold=True)}\n{_wrapped(text)}", err=True)
    return exit_code(fault)


def find_page(slug: str) -> str:
    """Return the Markdown about a kind of problem; empty when there is none."""
    if not re.fullmatch(r"[a-z0-9-]+", slug):
        return ""
    found = (place / f"{slug}.md" for place in _PLACES)
    return next((path.read_text("utf-8") for path in found if path.is_file()), "")


def section(page: str, heading: str) -> str:
    """Return the text below a heading of a page; empty when there is none."""
    match = re.search(rf"^#+ {re.escape(heading)}\s*\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    return match[1].strip() if match else ""


_MARKUP = re.compile(
    r"`(?P<code>[^`]*)`|\[(?P<link>[^\]]*)\]\([^)]*\)|(?<![\w*])(?P<stars>\*{1,2})(?P<stressed>[^\s*][^*]*)(?P=stars)(?![\w*])"
)


def unmarked(markdown: str) -> str:
    """Return Markdown as a terminal shows it: without backticks, stars around words, and the targets of links."""

    def words(found: re.Match[str]) -> str:
        if found["code"] is not None:
            return found["code"]
        return unmarked(found["stressed"] if found["link"] is None else found["link"])

    return _MARKUP.sub(words, markdown)


def _wrapped(text: str) -> str:
    parts = []
    for paragraph in unmarked(text).split("\n\n"):
        for line in re.split(r"\n(?=[*-] )", paragraph):
            indent = "  " if line.startswith(("* ", "- ")) else ""
            whole = " ".join(line.split())
            parts.append(
                textwrap.fill(whole, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
            )
    return "\n".join(parts)
