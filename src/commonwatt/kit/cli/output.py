"""How answers look in a terminal: aligned tables, amounts and instants for people, JSON for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TextIO

import click

from commonwatt.kernel import Amount, Asset, Instant, Rounding, amount_text, divide
from commonwatt.kernel.quantity import Quantity

WIDTH = 80
ID_LEAST = 8
"""Characters of an id's end that are enough to name something."""
_LEAST_COLUMN = 8
_CENTS = 2


def is_terminal(stream: TextIO) -> bool:
    """Whether a person watches this stream."""
    return stream.isatty()


def colour_wanted(stream: TextIO) -> bool:
    """Whether to colour: only on a terminal, and not against the owner's wish (no-color.org)."""
    return is_terminal(stream) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def styled(text: str, stream: TextIO | None = None, **style: Any) -> str:
    """Colour a text for a terminal; leave it alone elsewhere."""
    return click.style(text, **style) if colour_wanted(stream or sys.stdout) else text


def say(text: str = "") -> None:
    """Print a line for people."""
    click.echo(text, color=colour_wanted(sys.stdout))


def say_json(value: Any) -> None:
    """Print one value as JSON on one line."""
    click.echo(json.dumps(plain(value), ensure_ascii=False))


def plain(value: Any) -> Any:
    """Return a value as JSON values only: instants as RFC 3339, amounts as asset, units and text."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | str():
            return value
        case Instant():
            return value.iso()
        case Amount():
            return {"asset": value.asset.code, "units": value.units, "text": amount_text(value)}
        case Asset():
            return value.code
        case Quantity():
            return value.value
        case Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return str(value)


def rounded_text(amount: Amount) -> str:
    """Write an amount as money reads: a currency to the hundredth, halves to even; bitcoin as exactly as it is."""
    if amount.asset.code in {"BTC", "WH"} or amount.asset.scale <= _CENTS:
        return amount_text(amount)
    step = 10 ** (amount.asset.scale - _CENTS)
    return amount_text(Amount(amount.asset, step * divide(amount.units, step, Rounding.HALF_EVEN).quotient))


def short(long_id: str) -> str:
    """Return the end of an id that is enough to name the thing in a command."""
    return long_id[-ID_LEAST:]


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with the word that it counts: `1 posting`, `1,234 postings`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def instant_text(instant: Instant) -> str:
    """Write an instant for a table: UTC, to the second."""
    return instant.utc().strftime("%Y-%m-%d %H:%M:%SZ")


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], align: str = "", width: int | None = None) -> str:
    """Return rows as aligned columns, two spaces apart; `align` has `l` or `r` per column.

    On a terminal of `width` columns (its own, 80 when unknown) the widest columns are cut with an ellipsis until the
    table fits; into a file or pipe nothing is cut.
    """
    if width is None and is_terminal(sys.stdout):
        width = shutil.get_terminal_size((WIDTH, 24)).columns
    grid = [[str(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(columns(row[at]) for row in grid) for at in range(len(headers))]
    if width is not None:
        widths = _fitted(widths, width - 2 * (len(widths) - 1))
    sides = align.ljust(len(widths), "l")
    lines = []
    for row in grid:
        cells = [_padded(_cut(cell, size), size, side) for cell, size, side in zip(row, widths, sides, strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines[0] = styled(lines[0], bold=True)
    return "\n".join(lines)


def wrapped(text: str, width: int = WIDTH, indent: str = "") -> str:
    """Return prose in lines of at most `width` columns, its own line breaks kept; words are never broken.

    Lines after the first of each get the `indent`.
    """
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


def columns(text: str) -> int:
    """Count the columns that a text takes on a terminal: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _fitted(widths: list[int], room: int) -> list[int]:
    fitted = list(widths)
    while sum(fitted) > room:
        widest = max(range(len(fitted)), key=lambda at: fitted[at])
        if fitted[widest] <= _LEAST_COLUMN:
            break
        fitted[widest] -= 1
    return fitted


def _cut(text: str, size: int) -> str:
    if columns(text) <= size:
        return text
    while columns(text) > size - 1:
        text = text[:-1]
    return text + "…"


def _padded(text: str, size: int, side: str) -> str:
    space = " " * (size - columns(text))
    return space + text if side == "r" else text + space
