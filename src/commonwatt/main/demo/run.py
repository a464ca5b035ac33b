"""`commonwatt demo`: starts the town, prints where to look, and goes on where it stopped the last time."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import click

from commonwatt.kit.cli import Program, say, with_program
from commonwatt.kit.log import configure_log
from commonwatt.main.config import Address, Config, StationAuth, UnknownStations
from commonwatt.main.serve import run

DATA = Path.home() / ".local" / "share" / "commonwatt-demo"
FIRST_HTTP, FIRST_STATIONS = 8080, 8180


@click.command()
@click.option("--walk", "only_walk", is_flag=True, help="Tell one whole paid session in the terminal, then end.")
@click.option("--http", "http_bind", metavar="HOST:PORT", help="Where pages listen; 8080 or a free port unless told.")
@with_program()
def demo(program: Program, *, only_walk: bool, http_bind: str | None) -> None:
    """Run a whole community with play money: stations, cars, a wallet, prices. Ctrl-C stops, the next start goes on."""
    if only_walk:
        from commonwatt.main.demo.walk import walk  # noqa: PLC0415 (only for the walk)

        configure_log("auto", "error")
        run(walk())
        return
    if "data.dir" not in program.overrides:
        program.overrides["data.dir"] = str(DATA)
    config = demo_config(program.config, Address.parse(http_bind) if http_bind else None)
    configure_log(config.log.format, "warning")
    run(_demo(config))


def demo_config(config: Config, http: Address | None = None, stations: Address | None = None) -> Config:
    """Return the configuration with what a demo needs: play money, open stations on this machine, quick readings."""
    return replace(
        config,
        site=replace(config.site, name="Commonwatt demo"),
        http=replace(config.http, bind=http or Address("127.0.0.1", free_port(FIRST_HTTP))),
        stations=replace(
            config.stations,
            bind=stations or Address("127.0.0.1", free_port(FIRST_STATIONS)),
            auth=StationAuth.OPEN_FOR_TRIAL,
            unknown=UnknownStations.WAITING_ROOM,
        ),
        payments=replace(config.payments, rails=("sandbox",)),
        charging=replace(config.charging, sample_s=5),
    )


def free_port(wanted: int) -> int:
    """Return the wanted port when it is free, else 0: any."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


async def _demo(config: Config) -> None:
    from commonwatt.adapters.payment.sandbox import SandboxRail  # noqa: PLC0415 (heavy; not for `--help`)
    from commonwatt.main.demo.town import PLACES, Passers, build_fleet, furnish  # noqa: PLC0415
    from commonwatt.main.serving import serving, until_stopped  # noqa: PLC0415

    async with serving(config) as running:
        house, network = running.house, running.worlds.sandbox
        await house.database.write(furnish)
        seed = house.clock.now().ms
        fleet = build_fleet(running.stations_url, config.data.dir, seed)
        await fleet.start()
        rail = house.rails["sandbox"]
        assert network is not None  # noqa: S101 (the demo's rails are the sandbox)
        assert isinstance(rail, SandboxRail)  # noqa: S101
        passers = Passers(house, network, rail, seed)
        await passers.start()
        site = running.site
        say(
            _welcome(
                charge_point=site.url(f"/c/{PLACES[1][0].lower()}-1"),
                wallet=site.url("/wallet"),
                owner=running.setup_link or site.url("/overview"),
                first=running.setup_link is not None,
                stations=running.stations_url,
            )
        )
        try:
            await until_stopped()
        finally:
            say("Stopping; the next start goes on from here.")
            await passers.stop()
            await fleet.stop()
            await asyncio.sleep(0)


def _welcome(*, charge_point: str, wallet: str, owner: str, first: bool, stations: str) -> str:
    once = "  (sets up your passkey, once)" if first else ""
    return "\n".join(
        (
            "",
            "The demo runs: virtual stations and cars, play money, real protocols.",
            "",
            f"  A charge point      {charge_point}",
            f"  The wallet          {wallet}",
            f"  The owner's pages   {owner}{once}",
            f"  Stations connect    {stations}/{{identity}}",
            "",
            "Open the charge point, choose an amount, and pay with the wallet. Ctrl-C stops.",
        )
    )
