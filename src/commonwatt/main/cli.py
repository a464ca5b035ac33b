"""The command line's root: every command is one line of `COMMANDS`, imported when it is used."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from commonwatt import __version__
from commonwatt.kit.cli import EXIT_CODES, Lazy, LazyGroup, Program, run_group

COMMANDS = (
    Lazy("serve", "commonwatt.main.serve:serve", "Serve pages, API and stations in one process."),
    Lazy("demo", "commonwatt.main.demo.run:demo", "A small town with play money, to look and try."),
    Lazy(
        "station",
        "commonwatt.main.station_commands:station",
        "Stations: add, admit, remove, command, pretend to be one.",
    ),
    Lazy("session", "commonwatt.charging.cli:session", "Charging sessions: list, show, stop, release change."),
    Lazy("tag", "commonwatt.charging.tag_cli:tag", "RFID tags that charge on account: add, list, block."),
    Lazy("wallet", "commonwatt.adapters.payment.sandbox.cli:wallet", "The sandbox's wallet: scan, pay, receive."),
    Lazy("replay", "commonwatt.main.replay.cli:replay", "Run past charges through the whole house, to the msat."),
    Lazy("books", "commonwatt.books.cli:books", "Balances, the journal, and whether all adds up."),
    Lazy("tariff", "commonwatt.main.tariff_commands:tariff", "Prices of charging: shown, tried and changed."),
    Lazy("token", "commonwatt.members.cli:token", "Keys for programs that use the API."),
    Lazy("member", "commonwatt.members.cli:member", "The people who run this site."),
    Lazy("owner", "commonwatt.members.cli:owner", "The way back in for an owner who lost it."),
    Lazy("backup", "commonwatt.main.backup_commands:backup", "Copy everything into one file, while the server runs."),
    Lazy("restore", "commonwatt.main.backup_commands:restore", "Put a backup into a data directory."),
    Lazy("config", "commonwatt.main.explain:config", "What each setting does, and where its value comes from."),
    Lazy("doctor", "commonwatt.main.doctor:doctor", "Look for what is wrong, and say what to do."),
    Lazy("completion", "commonwatt.main.completion:completion", "Print the completion script of a shell."),
)
"""All commands, in the order that help shows. A new one is one line here."""

_EPILOG = "Exit codes: " + ", ".join(f"{code} {says}" for code, says in EXIT_CODES.items()) + "."


@click.group(cls=LazyGroup, lazy=COMMANDS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="commonwatt")
@click.option("--config", "config_file", metavar="FILE", type=click.Path(dir_okay=False), help="The settings' file.")
@click.option("--data", "data_dir", metavar="DIR", type=click.Path(file_okay=False), help="The data directory.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
@click.pass_obj
def commonwatt(program: Program, *, config_file: str | None, data_dir: str | None, as_json: bool) -> None:
    """Run an energy community: charge, pay, get the change back, and see it all."""
    program.as_json = as_json
    if config_file is not None:
        program.overrides[CONFIG_FILE] = config_file
    if data_dir is not None:
        program.overrides["data.dir"] = data_dir


CONFIG_FILE = "--config"
"""The override that names the file itself, not one of its keys."""


def new_program() -> Program:
    """Make what the commands get: how to build the configuration and open its database, both when first used."""
    return Program(lambda overrides: load_config(overrides).config, _open)


def load_config(overrides: dict[str, str]) -> Any:
    """Build the configuration of this process with its origins (`configuration.Loaded`); raises ConfigRefused."""
    from commonwatt.main.configuration import load  # noqa: PLC0415 (only commands that need it pay for it)

    return load(*_sources(overrides))


def load_what_can_be(overrides: dict[str, str]) -> Any:
    """Build it as far as it can be understood, with the slips (`configuration.load_what_can_be`)."""
    from commonwatt.main import configuration  # noqa: PLC0415 (only commands that need it pay for it)

    return configuration.load_what_can_be(*_sources(overrides))


def _sources(overrides: dict[str, str]) -> tuple[dict[str, str], Mapping[str, str], Path | None]:
    keys = {name: value for name, value in overrides.items() if name != CONFIG_FILE}
    file = overrides.get(CONFIG_FILE)
    return keys, os.environ, Path(file) if file else None


def _open(config: Any, read_only: bool) -> Any:  # noqa: FBT001 (the shape that the command line kit asks)
    from commonwatt.main.opening import open_database  # noqa: PLC0415 (the database is slow to import)

    return open_database(config, read_only)


def run(arguments: list[str] | None = None) -> None:
    """Run the command line; the entry point of the script `commonwatt`."""
    sys.exit(run_group(commonwatt, arguments, new_program()))
