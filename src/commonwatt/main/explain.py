"""`commonwatt config explain`: every key with its type, default, value, where that came from, and what it does."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Sequence
from typing import Any

import click

from commonwatt.kernel import Missing
from commonwatt.kit.cli import Program, say, styled, with_program
from commonwatt.main.configuration import Loaded, Slip, refusal
from commonwatt.main.keys import DOTS, KeySpec, key_specs, shown


class NoSuchKey(Missing):
    """The configuration has no key of this name."""

    slug = "no-such-key"
    title = "No such key"


@click.group()
def config() -> None:
    """What each setting does, and where its value comes from."""


@config.command()
@click.argument("key", required=False)
@click.option("--markdown", is_flag=True, help="Print the reference of all keys as Markdown.")
@with_program()
def explain(program: Program, key: str | None, *, markdown: bool) -> None:
    """Explain KEY (`stations.unknown`), a section, or all settings.

    Settings that cannot be used are told after the list, exit code 1; in the list such a key has its default.
    """
    if markdown:
        say(reference())
        return
    loaded, slips = _loaded(program)
    wanted = [spec for spec in key_specs() if key is None or spec.name == key or spec.name.startswith(f"{key}.")]
    if not wanted:
        near = difflib.get_close_matches(str(key), [spec.name for spec in key_specs()], n=1)
        hint = f" The nearest is {near[0]}." if near else " `commonwatt config explain` lists all."
        raise NoSuchKey(f"There is no key {key}.{hint}", key=key)
    found = {spec.name: as_data(spec, loaded, slips) for spec in wanted}
    program.answer(found, lambda: _text(wanted, loaded, slips))
    if slips:
        raise refusal(slips)


def as_data(spec: KeySpec, loaded: Loaded, slips: Sequence[Slip] = ()) -> dict[str, Any]:
    """Return what there is to know about a key for programs; a secret's value as dots."""
    wrong = [slip.text for slip in slips if slip.key == spec.name]
    return {
        "type": spec.type_text,
        "default": as_json(spec.default),
        "value": as_json(loaded.value(spec.name), secret=spec.secret),
        "origin": loaded.origins.get(spec.name, "default"),
        "variable": spec.variable,
        "says": spec.says,
    } | ({"wrong": " ".join(wrong)} if wrong else {})


def as_json(value: Any, *, secret: bool = False) -> Any:
    """Return a key's value as JSON has it: numbers, truth values and lists as such, all else as text."""
    match value:
        case None | "":
            return ""
        case _ if secret:
            return DOTS
        case bool() | int():
            return value
        case tuple():
            return [as_json(item) for item in value]
        case _:
            return str(value)


def reference() -> str:
    """Return the reference of all keys as Markdown, a table per section; defaults as on any machine."""
    lines = [
        "# Configuration",
        "",
        "Keys live in `commonwatt.toml` of the data directory, or in the file that `--config` or `COMMONWATT_CONFIG`",
        "names. An environment variable wins over the file, an option of the command line over both. This page is",
        "printed by `commonwatt config explain --markdown`.",
    ]
    section = ""
    for spec in key_specs():
        head, _, name = spec.name.partition(".")
        if head != section:
            section = head
            lines += ["", f"## [{head}]", "", "| key | type | default | what it does |", "|---|---|---|---|"]
        default = "`~/.local/share/commonwatt`" if spec.name == "data.dir" else f"`{shown(spec.default)}`"
        lines.append(f"| `{name}` | {spec.type_text} | {default} | {spec.says} |")
    return "\n".join(lines)


def _loaded(program: Program) -> tuple[Loaded, list[Slip]]:
    from commonwatt.main.cli import load_what_can_be  # noqa: PLC0415 (the root imports this module)

    loaded, slips = load_what_can_be(program.overrides)
    return loaded, slips


def _text(specs: list[KeySpec], loaded: Loaded, slips: Sequence[Slip]) -> str:
    parts = [f"File: {loaded.file or 'none; commonwatt.toml in the data directory is read when it exists'}"]
    for spec in specs:
        head = f"{styled(spec.name, bold=True)} = {loaded.shown(spec)}"
        origin = loaded.origins.get(spec.name, "default")
        detail = f"{spec.type_text}; default {shown(spec.default)}; from {origin}; {spec.variable}"
        wrong = [_indented(f"WRONG: {slip.text}") for slip in slips if slip.key == spec.name]
        parts.append("\n".join([head, *wrong, _indented(spec.says), _indented(detail)]))
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    return textwrap.fill(text, 80, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
