"""Writes the pages that the code itself makes: `python -m commonwatt.main.reference docs/reference`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import commonwatt as package
from commonwatt.kit.cli import EXIT_CODES
from commonwatt.kit.metrics import reference as metrics_reference
from commonwatt.main.cli import commonwatt
from commonwatt.main.explain import reference as configuration_reference


def pages() -> dict[str, str]:
    """Return each page's text by its file name."""
    import_everything()
    return {
        "commands.md": commands_reference(),
        "configuration.md": configuration_reference() + "\n",
        "metrics.md": metrics_reference(),
    }


def import_everything() -> None:
    """Import every module of the package, so that all that declares itself has done so."""
    for module in pkgutil.walk_packages(package.__path__, "commonwatt."):
        if not module.name.endswith("__main__") and ".versions." not in module.name:
            importlib.import_module(module.name)


def commands_reference() -> str:
    """Return every command with its arguments and options as Markdown."""
    lines = ["# Commands", ""]
    lines += [f"{_takes_json()} `--json` for programs, and every one `--help` for people. Exit codes:", ""]
    lines += [f"* `{code}`: {says}" for code, says in EXIT_CODES.items()]
    for words, command in every_command(commonwatt, ("commonwatt",)):
        shown = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
        arguments = [
            param.make_metavar(click.Context(command)) for param in command.params if isinstance(param, click.Argument)
        ]
        lines += ["", f"## `{' '.join((*words, *arguments))}`", "", *(command.help or "").strip().splitlines()]
        rows = [f"| `{', '.join(option.opts)}` | {_says(option)} |" for option in shown]
        if rows:
            lines += ["", "| option | what it does |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _takes_json() -> str:
    """Say which commands answer in JSON: all, or all but those that have no such option."""
    without = [
        f"`{' '.join(words)}`"
        for words, command in every_command(commonwatt, ("commonwatt",))
        if all("--json" not in param.opts for param in command.params)
    ]
    return f"Every command but {', '.join(without)} takes" if without else "Every command takes"


def _says(option: click.Option) -> str:
    default = f"Default: {option.default}." if option.show_default and option.default is not None else ""
    return " ".join(part for part in ((option.help or "").replace("|", "\\|"), default) if part)


def every_command(group: click.Group, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield the commands below a group that do something themselves, with the words that call them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*words, name))
        elif command is not None and not command.hidden:
            yield (*words, name), command


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
