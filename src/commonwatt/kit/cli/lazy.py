"""Command groups that import a command only when it is used, so that `--help` answers at once.

Commands are declared as data: a name, where to find it, and the one line that help shows.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command that is not imported yet: `target` is "package.module:attribute"."""

    name: str
    target: str
    says: str
    hidden: bool = False


class LazyGroup(click.Group):
    """A group over declared commands; groups may nest, and their own commands may be declared or not."""

    def __init__(self, *args: Any, lazy: Sequence[Lazy] = (), **kwargs: Any) -> None:
        """Take the declarations, shown in this order."""
        super().__init__(*args, **kwargs)
        self._lazy = {one.name: one for one in lazy}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the declared commands, then those that were added in the usual way."""
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that was asked for."""
        declared = self._lazy.get(cmd_name)
        if declared is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = declared.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            msg = f"{declared.target} is not a command"
            raise TypeError(msg)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a name that does not exist is answered with the nearest that does."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near:
                raise
            raise click.UsageError(f"There is no command {args[0]!r}. Did you mean {near[0]!r}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the declared lines without importing anything."""
        rows = [(one.name, one.says) for one in self._lazy.values() if not one.hidden]
        for name in super().list_commands(ctx):
            command = super().get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=max(40, formatter.width - 16))))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
