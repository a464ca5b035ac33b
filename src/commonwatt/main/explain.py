"""`commonwatt config explain`: every key with its type, default, value, where that came from, and what it does."""

from __future__ import annotations

import difflib
import textwrap
from typing import Any

import click

from commonwatt.kernel import Missing
from commonwatt.kit.cli import Program, say, styled, with_program
from commonwatt.main.configuration import KeySpec, Loaded, key_specs, shown


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
    """Explain KEY (`stations.unknown`), a section, or all settings."""
    if markdown:
        say(reference())
        return
    loaded = _loaded(program)
    wanted = [spec for spec in key_specs() if key is None or spec.name == key or spec.name.startswith(f"{key}.")]
    if not wanted:
        near = difflib.get_close_matches(str(key), [spec.name for spec in key_specs()], n=1)
        hint = f" The nearest is {near[0]}." if near else " `commonwatt config explain` lists all."
        raise NoSuchKey(f"There is no key {key}.{hint}", key=key)
    program.answer({spec.name: as_data(spec, loaded) for spec in wanted}, lambda: _text(wanted, loaded))


def as_data(spec: KeySpec, loaded: Loaded) -> dict[str, Any]:
    """Return what there is to know about a key; a secret's value as dots."""
    return {
        "type": spec.type_text,
        "default": shown(spec.default),
        "value": loaded.shown(spec),
        "origin": loaded.origins.get(spec.name, "default"),
        "variable": spec.variable,
        "says": spec.says,
    }


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


def _loaded(program: Program) -> Loaded:
    from commonwatt.main.cli import load_config  # noqa: PLC0415 (the root imports this module)

    loaded: Loaded = load_config(program.overrides)
    return loaded


def _text(specs: list[KeySpec], loaded: Loaded) -> str:
    parts = [f"File: {loaded.file or 'none; commonwatt.toml in the data directory is read when it exists'}"]
    for spec in specs:
        data = as_data(spec, loaded)
        head = f"{styled(spec.name, bold=True)} = {data['value']}"
        detail = f"{data['type']}; default {data['default']}; from {data['origin']}; {data['variable']}"
        parts.append("\n".join([head, _indented(spec.says), _indented(detail)]))
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    return textwrap.fill(text, 80, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
