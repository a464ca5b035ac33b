"""Completion scripts for the shells that people use."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
_HINTS = {
    "bash": 'eval "$(commonwatt completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(commonwatt completion zsh)"   in ~/.zshrc',
    "fish": "commonwatt completion fish > ~/.config/fish/completions/commonwatt.fish",
}


@click.command(epilog="Use it with:  " + ";  ".join(_HINTS.values()))
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL."""
    root = ctx.find_root().command
    maker = _SHELLS[shell](root, {}, "commonwatt", "_COMMONWATT_COMPLETE")
    click.echo(maker.source_template % maker.source_vars())
