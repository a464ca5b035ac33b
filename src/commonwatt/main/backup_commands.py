"""`commonwatt backup` and `commonwatt restore`: everything in one file, and back from it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from commonwatt.kit.cli import Program, say, with_program, wrapped
from commonwatt.kit.clock import SystemClock
from commonwatt.main.backup import databases_in, make_backup, refuse_while_served, restore_backup
from commonwatt.main.opening import refuse_what_is_not_ours


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_program()
def backup(program: Program, file: Path) -> None:
    """Copy everything into FILE, while the server runs; what an older version left too."""
    refuse_what_is_not_ours(program.config)
    manifest = make_backup(program.config.data, file, SystemClock().now())
    size = sum(one["bytes"] for one in manifest.files.values())
    said = f"{file} holds {', '.join(manifest.files)} ({size:,} bytes) as of {manifest.made}."
    program.answer(asdict(manifest), f"{said}\nPut it back with: commonwatt restore {file} --data DIR")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_program(confirms=True)
def restore(program: Program, file: Path) -> None:
    """Put the backup FILE into a data directory; one that holds data is replaced only after a yes."""
    data, replace = program.config.data, program.yes
    present = databases_in(data)
    if present and sys.stdin.isatty():
        refuse_while_served(data)
        undo = f"what is there now is kept beside it, as {present[0].name}.replaced-1 or with the next free number"
        program.confirm(f"{data.dir} holds data already. The state of {file} takes its place.", undo=undo)
        replace = True
    restored = restore_backup(data, file, SystemClock().now(), replace=replace)
    said = f"{data.dir} holds the state of {restored.manifest.made} now; its books add up."
    value = {**asdict(restored.manifest), "withheld": restored.withheld}
    program.answer(value, f"{said}{_withheld(restored.withheld)}\nNext: commonwatt serve --data {data.dir}")
    if not program.as_json:
        say("What was paid or charged after the backup is not in it; the first start asks the rails what became of it.")


def _withheld(sessions: int) -> str:
    if not sessions:
        return ""
    whose = "1 session" if sessions == 1 else f"{sessions} sessions"
    said = (
        f"The change of {whose} is withheld: it may have been paid after the backup was made. Look at the payments of "
        "your node, then release what is not there: on the page Change owed, or with commonwatt session release."
    )
    return f"\n{wrapped(said)}"
