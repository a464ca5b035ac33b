"""The pages that `type` of every problem points to: `docs/problems/<slug>.md`, shipped with the package."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from litestar import Request, Response, get

from commonwatt.kernel import said
from commonwatt.kit.web.errors import NoSuchPage
from commonwatt.kit.web.problems import render_own

PLACES = (
    Path(__file__).parent / "problem_pages",
    Path(__file__).parents[4] / "docs" / "problems",
)
"""Where the pages are in an installed wheel, and in a working copy."""
_SLUG_MAX = 80
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+|/[^)\s]*|[a-z0-9-]+\.md)\)"), r'<a href="\2">\1</a>'),
)


def find_page(slug: str) -> str | None:
    """Return the Markdown of a problem's page, or None."""
    if len(slug) > _SLUG_MAX or not _SLUG.fullmatch(slug):
        return None
    return next(((p / f"{slug}.md").read_text("utf-8") for p in PLACES if (p / f"{slug}.md").is_file()), None)


def to_html(markdown: str) -> str:
    """Render the few forms that our pages use: headings, paragraphs, lists, code, bold, links."""
    parts: list[str] = []
    for block in re.split(r"\n\s*\n", markdown.strip()):
        lines = block.strip().splitlines()
        if match := re.match(r"(#{1,3}) (.*)", lines[0]):
            level = len(match[1])
            parts.append(f"<h{level}>{_inline(match[2])}</h{level}>")
            lines = lines[1:]
        if not lines:
            continue
        if all(re.match(r"(?:[*-]|\d+\.) |  ", line) for line in lines):
            items = re.split(r"\n(?=[*-] |\d+\. )", "\n".join(lines))
            rows = "".join(f"<li>{_inline(re.sub(r'^(?:[*-]|[0-9]+[.]) ', '', item))}</li>" for item in items)
            tag = "ol" if lines[0][0].isdigit() else "ul"
            parts.append(f"<{tag}>{rows}</{tag}>")
        else:
            parts.append(f"<p>{_inline(' '.join(lines))}</p>")
    return "\n".join(parts)


def _inline(text: str) -> str:
    text = html.escape(text, quote=False)
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return re.sub(r'href="([a-z0-9-]+)\.md"', r'href="/problems/\1"', text)


@get("/problems/{slug:str}", include_in_schema=False, opt={"any_host": True})
async def show_problem(request: Request[Any, Any, Any], slug: str) -> Response[str]:
    """Explain one kind of problem."""
    text = find_page(slug)
    if text is None:
        raise NoSuchPage(said("There is no page about this problem."))
    body, title = to_html(text), text.splitlines()[0].lstrip("# ")
    page = render_own(request, "document.html", title=title, body=body)
    if page is None:
        page = (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>{html.escape(title)}</title><main>{body}</main></html>"
        )
    return Response(page, media_type="text/html")
