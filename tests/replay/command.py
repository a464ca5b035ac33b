"""The command `replay` alone, as the command line runs it."""

from __future__ import annotations

import click

from commonwatt.kit.cli import run_group
from commonwatt.main.cli import new_program
from commonwatt.main.replay.cli import replay


def main(words):
    """Run it and return the exit code."""
    group = click.Group()
    group.add_command(replay)
    return run_group(group, words, new_program())
