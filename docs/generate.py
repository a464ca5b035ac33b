"""Writes the pages that the code itself makes; `make docs` runs it, and a test says when one of them is stale.

python docs/generate.py           writes what changed
python docs/generate.py --check   writes nothing; the exit code tells whether anything is stale
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import draw_session

from commonwatt.adapters.station.ocpp16 import outgoing, routes
from commonwatt.adapters.station.ports import Ports
from commonwatt.books.model.account import KINDS, Side
from commonwatt.charging import Rules
from commonwatt.kit.database import Effect, Event
from commonwatt.main import reference
from commonwatt.main.reactions import reactions

DOCS = Path(__file__).parent


def pages() -> dict[str, str]:
    """Return the text of every generated page by its path below `docs/`."""
    made = {f"reference/{name}": text for name, text in reference.pages().items()}
    return made | {
        "reference/events.md": events_page(),
        "protocols/session.md": draw_session.table(),
        "protocols/session.svg": draw_session.picture(),
        "protocols/ocpp-1.6.md": ocpp_page(),
        "protocols/accounts.md": accounts_page(),
    }


def events_page() -> str:
    """Describe every event with who reacts to it, and every effect with its fields."""
    heard = dict(reactions(Rules()))
    lines = [
        "# Events and effects",
        "",
        "An **event** says what happened; `src/commonwatt/main/reactions.py` is the whole table "
        "of who reacts to it, each once, in a transaction of its own. An **effect** is what the world is "
        "asked to do after the commit; it is "
        "repeated until the answer is known. Both are kept in the table `outbox`.",
        "",
        "## Events",
    ]
    for kind in kinds_of(Event):
        names = ", ".join(f"`{_name(reaction)}`" for reaction in heard.get(kind, ()))
        lines += ["", *_kind(kind), "", f"Heard by: {names or 'nobody; it is not stored'}."]
    lines += ["", "## Effects"]
    for kind in kinds_of(Effect):
        lines += ["", *_kind(kind)]
    return "\n".join(lines) + "\n"


def kinds_of(root: type[Any]) -> list[type[Any]]:
    """Return all events, or all effects, of the package by name."""
    reference.import_everything()
    found = [
        kind
        for kind in root.__subclasses__()
        if kind.__module__.startswith("commonwatt.")
        and getattr(sys.modules[kind.__module__], kind.__name__, None) is kind
    ]
    return sorted(found, key=lambda kind: str(kind.kind))


def _kind(kind: type[Any]) -> list[str]:
    given = ", ".join(f"`{field.name}`" for field in fields(kind))
    return [f"### `{kind.kind}`", "", first_sentence(kind), "", f"Carries: {given or 'nothing'}."]


def _name(reaction: Any) -> str:
    plain = getattr(reaction, "func", reaction)
    return f"{plain.__module__.split('.')[1]}.{plain.__name__}"


def first_sentence(thing: Any) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def ocpp_page() -> str:
    """Describe which OCPP 1.6 messages are understood, from the routing tables themselves."""
    incoming = Path(routes.__file__).parent / "incoming"
    ports = Ports(**dict.fromkeys((field.name for field in fields(Ports)), None))  # type: ignore[arg-type]
    waits, at_once = routes.stored(None, ports, 300), routes.instant()  # type: ignore[arg-type]
    known = sorted({**waits, **at_once})
    rows = [
        f"| `{action}` | {_module_says(incoming / f'{_snake(action)}.py')} "
        f"| {'after the commit' if action in routes.DURABLE else 'at once' if action in at_once else 'after a look'} |"
        for action in known
    ]
    typed = {path.stem: path for path in sorted(Path(outgoing.__file__).parent.glob("*.py")) if path.stem != "__init__"}
    sent = [
        f"| `{action}` | {_module_says(typed[_snake(action)]) if _snake(action) in typed else 'as a raw command'} |"
        for action in sorted(routes.ASKED_OF_STATIONS)
    ]
    return "\n".join(
        (
            "# OCPP 1.6J",
            "",
            "Stations connect to `ws://HOST:PORT/ocpp/{identity}` with the subprotocol `ocpp1.6`. Each "
            "message has one file below `src/commonwatt/adapters/station/ocpp16/`; this page is written from "
            "its routing table. Every "
            "message is checked against the published JSON schemas in both directions.",
            "",
            "## From stations",
            "",
            "| message | what it does here | answered |",
            "|---|---|---|",
            *rows,
            "",
            "Any other action is answered with the CALLERROR `NotImplemented`.",
            "",
            "## To stations",
            "",
            "What has no form of its own can be sent as it is: `commonwatt station send`, or "
            "`POST /api/v1/stations/{identity}/commands/{Action}`.",
            "",
            "| message | what it does |",
            "|---|---|",
            *sent,
            "",
        )
    )


def _snake(action: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action).lstrip("_")


def _module_says(path: Path) -> str:
    text = path.read_text("utf-8").split('"""')[1]
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def accounts_page() -> str:
    """Describe every kind of account of the books."""
    rows = [
        f"| `{kind.prefix}` | {'debits' if kind.side is Side.DEBIT else 'credits'} "
        f"| {'yes' if kind.overdraft else 'never'} | {kind.says} |"
        for kind in KINDS.values()
    ]
    return "\n".join(
        (
            "# The accounts of the books",
            "",
            "Double entry over assets: bitcoin in millisatoshi, currencies in millionths, energy in "
            "watt-hours. A posting sums to zero in every asset. Names are paths, `session:<id>` or `rail:lnd`; "
            "the first part is the kind. A "
            "balance is told in the account's own direction.",
            "",
            "| kind | grows by | below zero | holds |",
            "|---|---|---|---|",
            *rows,
            "",
        )
    )


def stale() -> list[str]:
    """Return the paths of generated pages that are not what the code makes now."""
    return [
        name
        for name, text in pages().items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text("utf-8") != text
    ]


def write() -> None:
    """Write every generated page that changed."""
    for name, text in pages().items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def main() -> int:
    """Write the pages, or with `--check` say which are stale."""
    if "--check" not in sys.argv[1:]:
        write()
        return 0
    for name in (found := stale()):
        print(f"docs/{name} is stale; run: python docs/generate.py")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
