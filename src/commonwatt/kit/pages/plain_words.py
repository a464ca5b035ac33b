"""What programs write, in words for people: facts of an act, and sentences that hold code between backticks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup, escape

from commonwatt.kernel import Instant
from commonwatt.kit.pages import values
from commonwatt.kit.pages.page import current_page

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CODE = re.compile(r"`([^`]+)`")


def _(text: str) -> str:
    """Mark a text for the catalogs; it is translated where it is shown."""
    return text


def coded(text: str) -> Markup:
    """Show a sentence with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped before)


def fact(value: object) -> Markup:
    """Show one value: yes or no, a date and time, words."""
    match value:
        case None | "" | [] | {}:
            return Markup("{}").format(values.DASH)
        case bool():
            return escape(current_page().text(_("yes") if value else _("no")))
        case str() if _INSTANT.fullmatch(value):
            return _moment(value)
        case list():
            return escape(", ".join(str(one) for one in value))
        case _:
            return escape(value)


def _moment(text: str) -> Markup:
    try:
        return values.date(Instant.parse(text))
    except (ValueError, OverflowError):
        return escape(text)


def facts(detail: Mapping[str, object]) -> Markup:
    """Show named facts, `valid_from` as `valid from`; what is nested unfolds as tidy JSON, what is none is left out."""
    told = {name.replace("_", " "): value for name, value in detail.items() if value is not None}
    plain = [_FACT.format(name, fact(value)) for name, value in told.items() if not _nested(value)]
    nested = [_NESTED.format(name, _json(value)) for name, value in told.items() if _nested(value)]
    return Markup(" ").join([*plain, *nested])


_FACT = Markup('<span><span class="what">{}</span> {}</span>')
_NESTED = Markup('<details class="frame"><summary>{}</summary><pre><code>{}</code></pre></details>')


def _nested(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, list | dict) for one in value))


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


FILTERS: dict[str, Callable[..., Any]] = {"coded": coded, "facts": facts}
