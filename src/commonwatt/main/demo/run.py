"""`commonwatt demo`: starts the town, prints where to look, and goes on where it stopped the last time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commonwatt.kit.cli import Program, with_program, wrapped
from commonwatt.kit.cli.problems import OK
from commonwatt.kit.log import configure_log
from commonwatt.main.config import Address, Config
from commonwatt.main.demo.settings import demo_config
from commonwatt.main.serve import ADDRESS, run

if TYPE_CHECKING:
    from commonwatt.main.serving import Serving

DATA = Path.home() / ".local" / "share" / "commonwatt-demo"
DATA_LND = DATA.with_name("commonwatt-demo-lnd")
"""Books of another kind of money: the demo over lnd has a folder of its own."""


@click.command()
@click.option("--walk", "only_walk", is_flag=True, help="Tell one whole paid session in the terminal, then end.")
@click.option("--lnd", "on_lnd", is_flag=True, help="Pay over two real Lightning nodes of this machine (make peers).")
@click.option("--pay", "code", metavar="CODE", help="With --lnd: pay or take what a code of the running demo says.")
@click.option("--sats", type=click.IntRange(1), help="With --pay: how much, where the code leaves a choice.")
@click.option("--http", "http_bind", type=ADDRESS, help="Where pages listen; 8080 or a free port unless told.")
@with_program()
def demo(
    program: Program, *, only_walk: bool, on_lnd: bool, code: str | None, sats: int | None, http_bind: str | None
) -> int:
    """Run a small town with play money: stations, cars, a wallet, prices. Ctrl-C stops, the next start goes on."""
    if only_walk and (on_lnd or code is not None):
        raise click.UsageError("--walk tells its story with play money; leave --lnd and --pay out.")
    if sats is not None and code is None:
        raise click.UsageError("--sats says how much --pay pays.")
    if only_walk:
        from commonwatt.main.demo.walk import walk  # noqa: PLC0415 (only for the walk)

        configure_log("auto", "error", sys.stderr)
        run(walk(as_json=program.as_json))
        return OK
    if code is not None and not on_lnd:
        raise click.UsageError("--pay needs --lnd; the demo with play money has `commonwatt wallet pay`.")
    if "data.dir" not in program.overrides:
        program.overrides["data.dir"] = str(DATA_LND if on_lnd else DATA)
    if code is not None:
        configure_log("auto", "error", sys.stderr)
        said = run(_use_code(program.config.data.dir, code, sats))
        program.answer({"told": said}, said)
        return OK
    config = demo_config(program.config, Address.parse(http_bind) if http_bind else None)
    configure_log(config.log.format, "warning", sys.stderr)
    return run((_demo_on_lnd if on_lnd else _demo)(config, program))


async def _demo(config: Config, program: Program) -> int:
    from commonwatt.adapters.payment.sandbox import SandboxRail  # noqa: PLC0415 (heavy; not for `--help`)
    from commonwatt.main.demo.town import Passers  # noqa: PLC0415
    from commonwatt.main.serving import hear_stop  # noqa: PLC0415

    async with _town(config, program) as running:
        house, network = running.house, running.worlds.sandbox
        rail = house.rails["sandbox"]
        assert network is not None  # noqa: S101 (the demo's rails are the sandbox)
        assert isinstance(rail, SandboxRail)  # noqa: S101
        passers = Passers(house, network, rail, house.clock.now().ms)
        await passers.start()
        wallet = running.site.url("/wallet")
        what = "virtual stations and cars, play money, real protocols"
        todo = "Open the charge point, choose an amount, and pay with the wallet."
        facts = _facts(running, config) | {"wallet": wallet}
        stopped = hear_stop()
        program.answer(facts, lambda: _welcome(facts, what, f"  The wallet          {wallet}", todo))
        try:
            return await stopped
        finally:
            await passers.stop()


async def _demo_on_lnd(config: Config, program: Program) -> int:
    from commonwatt.main.demo.practice import need_peers, over_lnd, practice_network  # noqa: PLC0415 (heavy; not for `--help`)
    from commonwatt.main.serving import hear_stop  # noqa: PLC0415

    need_peers()
    said = "Starting a chain and two lnd nodes on this machine; the first time takes about fifteen seconds."
    click.echo(wrapped(said), err=program.as_json)
    async with (
        practice_network(config.data.dir) as network,
        _town(over_lnd(config, network.shop), program) as running,
    ):
        where = "" if config.data.dir == DATA_LND else f" --data {config.data.dir}"
        wallet = f"  The driver's node   commonwatt demo --lnd{where} --pay CODE\n{'':22}(in another terminal)"
        what = "virtual stations and cars, two real lnd nodes, coins that are worth nothing"
        todo = "Open the charge point, choose an amount, and give the code to the driver's node; so too for the change."
        facts = _facts(running, config) | {"driver": f"commonwatt demo --lnd{where} --pay CODE"}
        stopped = hear_stop()
        program.answer(facts, lambda: _welcome(facts, what, wallet, todo))
        return await stopped


async def _use_code(data: Path, code: str, sats: int | None) -> str:
    from commonwatt.main.demo.practice import find_driver, use_code  # noqa: PLC0415 (heavy; not for `--help`)

    return await use_code(find_driver(data), code, None if sats is None else 1000 * sats)


@contextlib.asynccontextmanager
async def _town(config: Config, program: Program) -> AsyncIterator[Serving]:
    """Serve the town, with its stations on and its cars coming."""
    from commonwatt.main.demo.town import build_fleet, furnish  # noqa: PLC0415 (heavy; not for `--help`)
    from commonwatt.main.serving import serving  # noqa: PLC0415

    async with serving(config) as running:
        await running.house.database.write(furnish, config.site.timezone)
        fleet = build_fleet(running.stations_url, config.data.dir, running.house.clock.now().ms)
        await fleet.start()
        try:
            yield running
        finally:
            click.echo("Stopping; the next start goes on from here.", err=program.as_json)
            await fleet.stop()
            await asyncio.sleep(0)


def _facts(running: Serving, config: Config) -> dict[str, Any]:
    """Return where everything is, for programs and for the welcome."""
    from commonwatt.main.demo.town import PLACES  # noqa: PLC0415 (heavy; not for `--help`)

    site = running.site
    return {
        "http": site.base_url,
        "charge_point": site.url(f"/c/{PLACES[1][0].lower()}-1"),
        "owner": running.setup_link or site.url("/overview"),
        "owner_once": running.setup_link is not None,
        "stations": running.stations_url,
        "data": str(config.data.dir),
    }


def _welcome(facts: dict[str, Any], what: str, wallet: str, todo: str) -> str:
    once = f"\n{'':22}(sets up your passkey, once)" if facts["owner_once"] else ""
    return "\n".join(
        (
            "",
            wrapped(f"The demo runs: {what}."),
            "",
            f"  A charge point      {facts['charge_point']}",
            wallet,
            f"  The owner's pages   {facts['owner']}{once}",
            f"  Stations connect    {facts['stations']}/{{identity}}",
            f"  In a terminal       commonwatt session list --data {facts['data']}",
            "",
            wrapped(f"{todo} Ctrl-C stops."),
        )
    )
