"""The command line kit: lazy groups, tables, progress, questions before money moves, errors with exit codes.

A command is a plain click command:

    @click.command()
    @with_program()
    def balance(program: Program) -> None: ...

and one line of `main/cli.py` declares it. Nothing here imports the database or the web.
"""

from commonwatt.kit.cli.lazy import Lazy, LazyGroup
from commonwatt.kit.cli.moment import MOMENT
from commonwatt.kit.cli.output import (
    ID_LEAST,
    counted,
    instant_text,
    plain,
    rounded_text,
    say,
    say_json,
    short,
    styled,
    table,
    wrapped,
)
from commonwatt.kit.cli.problems import EXIT_CODES, exit_code, report
from commonwatt.kit.cli.program import NotConfirmed, Program, run_group, server_option, token_option, with_program
from commonwatt.kit.cli.progress import Progress

__all__ = [
    "EXIT_CODES",
    "ID_LEAST",
    "MOMENT",
    "Lazy",
    "LazyGroup",
    "NotConfirmed",
    "Program",
    "Progress",
    "counted",
    "exit_code",
    "instant_text",
    "plain",
    "report",
    "rounded_text",
    "run_group",
    "say",
    "say_json",
    "server_option",
    "short",
    "styled",
    "table",
    "token_option",
    "with_program",
    "wrapped",
]
