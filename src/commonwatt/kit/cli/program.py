"""What a command gets: the data that it works on, whether programs read the answer, and who may say yes."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click
from click.core import ParameterSource

from commonwatt.kernel import Amount, Refused, Unavailable, amount_text
from commonwatt.kit.cli.output import say, say_json, wrapped
from commonwatt.kit.running import Running, base_address, find_running, server_runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from commonwatt.kit.database import Database, Work

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
_SERVER = "commonwatt.server"
"""Where a command line keeps the address that was typed last."""
SCOPE = "commonwatt.scope"
"""Where a command line keeps what its token must be allowed to do."""


class NotConfirmed(Refused):
    """A command that moves money was not confirmed."""

    slug = "not-confirmed"
    title = "Nothing was done"


class NoServer(Unavailable):
    """A command needs the running server, and none runs over the data that it works on."""

    slug = "no-server"
    title = "No server runs over this data"


class Program:
    """The running command line. `main` makes it; every command takes it by `@with_program`."""

    def __init__(self, load: Callable[[dict[str, str]], Any], open_database: Callable[[Any, bool], Database]) -> None:
        """Take how to build the configuration from overrides, and how to open its database (read-only or not)."""
        self._load = load
        self._open = open_database
        self.overrides: dict[str, str] = {}
        """Configuration keys that options of the command line have set, such as `data.dir`."""
        self.as_json = False
        self.yes = False

    @functools.cached_property
    def config(self) -> Any:
        """The configuration tree, built at first use, after all options were read."""
        return self._load(self.overrides)

    def read(self, query: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a query on the data directory's database, which a running server may have open as well."""
        database = self._open(self.config, True)
        try:
            with database.engine.connect() as connection:
                return query(connection, *args, **kwargs)
        finally:
            database.close()

    def write(self, action: Callable[Concatenate[Work, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an action on the data directory's database in one transaction; SQLite lets one writer in at a time."""
        import asyncio  # noqa: PLC0415 (a third of what `--help` would import)

        database = self._open(self.config, False)
        try:
            return asyncio.run(database.write(action, *args, **kwargs))
        finally:
            database.close()

    def running(self) -> Running | None:
        """Return where the server over the data directory listens; None when none runs."""
        return find_running(self.config.data.dir)

    def server(self, told: str | None) -> str:
        """Return the address of the running server: as told, or as it wrote beside its data.

        Raises NoServer where none runs over the data: what listens where it would may be somebody else's.
        """
        if told:
            if not told.startswith(("http://", "https://")):
                raise click.BadParameter(f"must begin with http:// or https://, not {told!r}.", param_hint="--server")
            return told.rstrip("/")
        running = self.running()
        if running is not None:
            return running.api
        data = str(self.config.data.dir)
        if server_runs(self.config.data.dir):
            msg = f"The server over {data} is starting and does not answer yet. Try again in a moment."
        else:
            start = f"commonwatt serve --data {shlex.quote(data)}"
            msg = f"No server runs over {data}. Start one with `{start}`, or name another by --server."
        raise NoServer(msg, data=data)

    def pages(self) -> str:
        """Return the address that people open, without a slash at the end."""
        running = self.running()
        return base_address(self.config) if running is None else running.pages.rstrip("/")

    def answer(self, value: Any, text: str | Callable[[], str]) -> None:
        """Print `value` as JSON when that was asked for, else the text for people."""
        if self.as_json:
            say_json(value)
        else:
            say(text if isinstance(text, str) else text())

    def confirm(self, what: str, *, amount: Amount | None = None, to: str | None = None, undo: str) -> None:
        """Ask before money moves or data goes: what will happen, how much, to whom, whether it can be undone.

        `--yes` answers for the person. Raises NotConfirmed on a no, or where nobody is there to ask.
        """
        if self.yes:
            return
        facts = [("Amount", amount_text(amount))] if amount is not None else []
        facts += [("To", to)] if to is not None else []
        if not sys.stdin.isatty():
            known = "".join(f" {name}: {text}." for name, text in facts)
            raise NotConfirmed(
                f"{what}{known} Only somebody at a terminal can say yes, and this is none: what comes through a pipe "
                "is not read. Repeat the command with --yes if it shall be done."
            )
        facts.append(("Afterwards", undo))
        lines = [wrapped(what), *(wrapped(f"  {name:<10} {text}", indent=" " * 13) for name, text in facts)]
        say("\n".join(lines))
        if not click.confirm("Go on?", default=False):
            raise NotConfirmed("You said no; everything is as it was.")


def with_program(*, confirms: bool = False) -> Callable[[F], F]:
    """Give a command its `program` as first argument, and the options `--json` and `--data` (`--yes` if it asks)."""

    def decorate(function: F) -> F:
        @click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
        @click.option("--data", "data_dir", metavar="DIR", help="The data directory.", type=click.Path(file_okay=False))
        @click.pass_context
        @functools.wraps(function)
        def run(ctx: click.Context, /, *args: Any, as_json: bool, data_dir: str | None, **kwargs: Any) -> Any:
            program = ctx.find_object(Program)
            if program is None:
                msg = "the command was started without a program"
                raise RuntimeError(msg)
            program.as_json = program.as_json or as_json
            if data_dir is not None:
                program.overrides["data.dir"] = data_dir
            if confirms:
                program.yes = program.yes or kwargs.pop("yes")
            return function(program, *args, **kwargs)

        if confirms:
            run = click.option("--yes", is_flag=True, help="Do not ask before going on.")(run)
        return run  # type: ignore[return-value] # click's options keep the shape that mypy cannot follow

    return decorate


def server_option(*also: str) -> Callable[[F], F]:
    """Give a command `--server`, by other names too if it had them; without it `Program.server` finds the address.

    A group may have it as well: its commands then take the address that stands before them.
    """
    return click.option(
        "--server",
        *also,
        "server",
        callback=_keep_server,
        envvar=["COMMONWATT_SERVER", "COMMONWATT_URL"],
        metavar="URL",
        help="The running server; the one over the data directory unless told. COMMONWATT_SERVER names it as well.",
    )


def _keep_server(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return what was typed last; a variable of the environment gives way to an address typed before the command."""
    typed = ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    if typed or ctx.meta.get(_SERVER) is None:
        ctx.meta[_SERVER] = value
    told: str | None = ctx.meta[_SERVER]
    return told


def token_option(scope: str) -> Callable[[F], F]:
    """Give a command `--token`, for what only the running server can do; one that is missing is told how to make."""

    def keep(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
        ctx.meta[SCOPE] = scope
        if not value and not ctx.resilient_parsing:
            msg = f"--token is missing, and COMMONWATT_TOKEN is not set. Make one: {make_token(scope)}"
            raise click.UsageError(msg, ctx)
        return value

    says = f"A token with the scope {scope}, needed; COMMONWATT_TOKEN holds it as well."
    return click.option("--token", envvar="COMMONWATT_TOKEN", metavar="TOKEN", callback=keep, help=says)


def make_token(scope: str) -> str:
    """Return the command that makes a token for something."""
    return f"commonwatt token create NAME --scope {scope}"


def run_group(group: click.Group, arguments: list[str] | None, program: Program) -> int:
    """Run the command line and return its exit code; errors are told, never traced."""
    from commonwatt.kernel import Fault  # noqa: PLC0415
    from commonwatt.kit.cli.disk import fault_of  # noqa: PLC0415
    from commonwatt.kit.cli.problems import OK, STOPPED, USAGE, report  # noqa: PLC0415

    words = sys.argv[1:] if arguments is None else arguments
    try:
        answer = group.main(words, prog_name="commonwatt", obj=program, standalone_mode=False)
    except Fault as fault:
        return report(fault, as_json=program.as_json or "--json" in words)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.ClickException as error:
        _show(error)
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return STOPPED
    except Exception as error:
        known = fault_of(error)
        if known is None:
            raise
        return report(known, as_json=program.as_json or "--json" in words)
    return answer if isinstance(answer, int) else OK


def _show(error: click.ClickException) -> None:
    """Tell a wrong usage as click does, in lines that fit."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        if error.ctx.command.get_help_option(error.ctx) is not None:
            click.echo(wrapped(f"Try '{error.ctx.command_path} --help' for help.\n"), err=True)
    click.echo(wrapped(f"Error: {error.format_message()}"), err=True)
