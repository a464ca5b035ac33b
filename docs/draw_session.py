"""Draws the session from its own machine: `docs/protocols/session.svg`, and the table beside it in `session.md`.

Which state leads to which is not copied from anywhere: every happening is tried on every session that can be reached
with a few amounts, and what the machine answers is drawn. `python docs/generate.py` writes both; a test compares them.
"""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from html import escape
from itertools import pairwise

from commonwatt.charging.model import happenings as words
from commonwatt.charging.model.session import RULES, Session, Status, Terms, step
from commonwatt.kernel import Instant

NOON = Instant(1_800_000_000_000)
CREDIT_MAX = 3000
TRIED: tuple[words.Happening, ...] = (
    words.Held(1000),
    words.Held(1000, free=False),
    words.Paid(1000),
    words.Paid(1000, free=False),
    words.Paid(1000, was_held=True),
    words.HoldLost(1000),
    words.OfferWithdrawn("withdrawn"),
    words.StartAnswered(True),
    words.StartAnswered(False),
    words.StartAnswered(None),
    words.StopAnswered(True),
    words.StopAnswered(False),
    words.Began(7),
    words.Metered(0, 0),
    words.Metered(10, 500),
    words.Metered(20, 1000, enough=False),
    words.StopAsked("asked"),
    words.Finished(0, 0),
    words.Finished(20, 1000, "EVDisconnected"),
    words.Vanished(),
    words.Expired(),
)
BEGINNINGS = (
    Session(Status.OFFERED, deadline_ms=NOON.ms),
    Session(Status.STARTED, prepaid=False),
)
"""A passer-by's session, and one of a local user, which begins with the transaction."""

Moves = dict[tuple[Status, Status], list[str]]


def moves() -> Moves:
    """Return by which happenings each state leads to each other one, in the order of `RULES`."""
    found: dict[tuple[Status, Status], set[str]] = defaultdict(set)
    seen = set(BEGINNINGS)
    waiting = list(BEGINNINGS)
    while waiting:
        session = waiting.pop()
        for happening in TRIED:
            after = step(session, happening, Terms(), NOON).session
            if after.status is not session.status:
                found[session.status, after.status].add(type(happening).__name__)
            if after not in seen and after.credit_msat <= CREDIT_MAX:
                seen.add(after)
                waiting.append(after)
    order = list(dict.fromkeys(rule.on.__name__ for rule in RULES))
    return {edge: sorted(names, key=order.index) for edge, names in found.items()}


WIDTH, HEIGHT = 1120, 480
BOX_W, BOX_H = 118, 52
ROW_Y = 270
PLACES = {status: (90 + 188 * index, ROW_Y) for index, status in enumerate(list(Status)[:6])}
BACK_Y, BACK_LEFT, BACK_RIGHT = 445, 31, 901
"""CANCELLED is a bar below all the states that can lead to it."""
LINE, JOINED_MAX = 16, 2
PEAKS = {1: 0, 2: 105, 3: 215}
"""How high an arrow rises that jumps over states, by how far it leads."""
STYLE = """
  svg { font: 13px system-ui, "Segoe UI", "Noto Sans", sans-serif; }
  .box { fill: #fff; stroke: #0b6e4f; stroke-width: 1.6; }
  .end { fill: #0b6e4f; } .end + text { fill: #fff; }
  .void { fill: #eef2f0; stroke: #5a6661; }
  .edge { fill: none; stroke: #5a6661; stroke-width: 1.3; }
  text { fill: #1d2421; text-anchor: middle; } .name { font-weight: 650; font-size: 15px; }
  svg .by { font-size: 14px; fill: #5a6661; } .side { text-anchor: start; } #tip { fill: #5a6661; }
  @media (prefers-color-scheme: dark) {
    .box { fill: #191f1c; stroke: #5cc79d; } .end { fill: #5cc79d; } .end + text { fill: #0d1411; }
    .void { fill: #222a26; stroke: #9fada7; } .edge { stroke: #9fada7; } #tip { fill: #9fada7; }
    text { fill: #e4eae7; } .by { fill: #9fada7; }
  }
"""


def picture() -> str:
    """Return the machine as one SVG: the way to the bill on a line, the way back below it."""
    parts = [_edge(source, target, names) for (source, target), names in sorted(moves().items(), key=_reading_order)]
    for status, (x, y) in PLACES.items():
        parts.append(_box("box end" if status is Status.ENDED else "box", status, x - BOX_W // 2, y, BOX_W))
    parts.append(_box("box void", Status.CANCELLED, BACK_LEFT, BACK_Y, BACK_RIGHT - BACK_LEFT))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="The states of a session and what leads from one to the next">\n'
        f"<style>{STYLE}</style>\n"
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path id="tip" d="M0 0L10 5L0 10z"/></marker></defs>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _reading_order(edge: tuple[tuple[Status, Status], list[str]]) -> tuple[int, int]:
    order = list(Status)
    return order.index(edge[0][0]), order.index(edge[0][1])


def _box(kind: str, status: Status, left: int, y: int, width: int) -> str:
    return (
        f'<rect class="{kind}" x="{left}" y="{y - BOX_H // 2}" width="{width}" height="{BOX_H}" rx="12"/>'
        f'<text class="name" x="{left + width // 2}" y="{y + 5}">{status.name}</text>'
    )


def _edge(source: Status, target: Status, names: list[str]) -> str:
    ax, top = PLACES[source][0], ROW_Y - BOX_H // 2
    if target is Status.CANCELLED:
        lines = [_text(ax + 9, ROW_Y + 54 + LINE * row, name, "by side") for row, name in enumerate(names)]
        return _arrow(f"M{ax} {ROW_Y + BOX_H // 2}V{BACK_Y - BOX_H // 2 - 2}") + "".join(lines)
    bx = PLACES[target][0]
    jump = (bx - ax) // 188
    middle = (ax + bx) // 2
    if jump == 1:
        lines = [_text(middle, ROW_Y - 8 - LINE * row, name) for row, name in enumerate(reversed(names))]
        return _arrow(f"M{ax + BOX_W // 2} {ROW_Y}H{bx - BOX_W // 2 - 2}") + "".join(lines)
    # a cubic rises to three quarters of its control points' height
    peak = PEAKS[jump] + (50 if source is Status.CHARGING else 0)
    lift = top - peak * 4 // 3
    path = f"M{ax + 30 - 15 * jump} {top}C{ax} {lift} {bx} {lift} {bx - 30 + 15 * jump} {top - 2}"
    if len(names) > JOINED_MAX:  # below its arrow, left of where the next one begins
        return _arrow(path) + "".join(
            _text(middle - 94, top - peak + 42 + LINE * at, name) for at, name in enumerate(names)
        )
    return _arrow(path) + _text(middle, top - peak - 7, ", ".join(names))


def _arrow(path: str) -> str:
    return f'<path class="edge" marker-end="url(#arrow)" d="{path}"/>'


def _text(x: int, y: int, words_: str, kind: str = "by") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(words_)}</text>'


def table() -> str:
    """Return `RULES` and the happenings as a Markdown page, with the picture on top."""
    rows = [
        f"| {', '.join(f'`{state.value}`' for state in rule.states)} | `{rule.on.__name__}` "
        f"| {', '.join(f'`{state.value}`' for state in rule.leads_to) or 'stays'} | {rule.words} |"
        for rule in RULES
    ]
    meanings = _meanings()
    states = [f"| `{status.value}` | {meanings[status.name]} |" for status in Status]
    facts = [f"| `{kind.__name__}` | {_first(kind.__doc__)} |" for kind in dict.fromkeys(rule.on for rule in RULES)]
    return "\n".join(
        (
            "# The session",
            "",
            "From the scan to the refund, as the program itself has it. This page is written by `docs/draw_session.py` "
            "from the table `RULES` in `src/commonwatt/charging/model/session.py`; the arrows are what the machine "
            "answered when every happening was tried in every state.",
            "",
            "![The states of a session and what leads from one to the next](session.svg)",
            "",
            "What is not in the table changes nothing: a report that comes twice, late or out of order finds no row.",
            "",
            "## States",
            "",
            "| state | meaning |",
            "|---|---|",
            *states,
            "",
            "## What can happen",
            "",
            "| happening | meaning |",
            "|---|---|",
            *facts,
            "",
            "## The table",
            "",
            "| in | on | may lead to | because |",
            "|---|---|---|---|",
            *rows,
            "",
        )
    )


def _meanings() -> dict[str, str]:
    """Return what the text below each state says in the source; the running class does not keep it."""
    body = ast.parse(inspect.getsource(Status)).body[0].body
    return {
        name.targets[0].id: text.value.value
        for name, text in pairwise(body)
        if isinstance(name, ast.Assign) and isinstance(text, ast.Expr)
    }


def _first(text: str | None) -> str:
    return " ".join((text or "").strip().splitlines()[0].split())
