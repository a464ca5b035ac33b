"""`commonwatt serve`: one process for everything, ready when it says so."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from commonwatt.kit.cli import Program, say, with_program
from commonwatt.kit.log import configure_log
from commonwatt.main.config import Address, Config

T = TypeVar("T")


class _Address(click.ParamType[str]):
    name = "HOST:PORT"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            Address.parse(value)
        except ValueError as error:
            self.fail(f"{value!r} is no address to listen on: it {error}.", param, ctx)
        return value


ADDRESS = _Address()
"""Where to listen, checked before anything starts."""


@click.command()
@click.option(
    "--http",
    "http_bind",
    type=ADDRESS,
    metavar="HOST:PORT",
    help="Where pages and API listen; port 0 picks a free one.",
)
@click.option("--stations", "stations_bind", type=ADDRESS, help="Where stations connect.")
@with_program()
def serve(program: Program, *, http_bind: str | None, stations_bind: str | None) -> int:
    """Serve pages, API and stations until Ctrl-C."""
    if http_bind is not None:
        program.overrides["http.bind"] = http_bind
    if stations_bind is not None:
        program.overrides["stations.bind"] = stations_bind
    return run(_serve(program.config, as_json=program.as_json))


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on uvloop and return its result; what it makes is readable by its owner only.

    SIGINT stops it from the first moment on, also in the background of a script, where a shell has it ignored: whoever
    sends it means it.
    """
    import uvloop  # noqa: PLC0415 (only servers need it)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    before = os.umask(0o077)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(story)
    finally:
        os.umask(before)


async def _serve(config: Config, *, as_json: bool) -> int:
    gc.disable()  # the start makes much and drops little: looking for garbage costs a tenth of it
    from commonwatt.main.serving import hear_stop, serving  # noqa: PLC0415 (heavy; not for `--help`)

    configure_log(config.log.format, config.log.level, sys.stderr)
    async with serving(config) as running:
        stopped = hear_stop()
        gc.freeze()  # what the start made lives as long as the server: never search it for garbage
        gc.enable()
        facts = {
            "http": running.site.base_url,
            "http_port": running.http_port,
            "stations": running.stations_url,
            "stations_port": running.listener.port,
            "data": str(Path(config.data.dir)),
            "owner_link": running.setup_link,
        }
        if as_json:
            say(msgspec.json.encode(facts).decode())
        else:
            say(_welcome(facts))
        return await stopped


def _welcome(facts: dict[str, object]) -> str:
    lines = [
        f"Pages and API   {facts['http']}",
        f"Stations        {facts['stations']}/{{identity}}",
        f"Data            {facts['data']}",
    ]
    if facts["owner_link"]:
        lines.append(f"You are first   {facts['owner_link']}  (once, within a day)")
    return "\n".join([*lines, "Ctrl-C stops."])
