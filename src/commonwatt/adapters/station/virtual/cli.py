"""`commonwatt station run`: one virtual charge point in a terminal, told line by line and moved by typed words."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import click

from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.faults import EXPLANATIONS, Faults
from commonwatt.adapters.station.virtual.model import Effect, Ended
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.kernel import CONNECTORS_MAX, Instant
from commonwatt.kit.cli import Program, say, say_json, with_program
from commonwatt.kit.cli.problems import OK, REFUSED
from commonwatt.kit.clock import SystemClock

_NEWS_S = 10.0
"""Real seconds between two lines about the same running charge."""
_WITH_CONNECTOR = frozenset({"plug", "unplug", "scan", "pause", "resume"})
_WORDS = "plug [N] · unplug [N] · scan TAG [N] · pause [N] · resume [N] · offline · online · reboot · quit"
_FAULTS = "\n".join(
    f"  {fault}{f'={told.amount}' if told.amount else ''}\n      {told.text}" for fault, told in EXPLANATIONS.items()
)
_EPILOG = (
    f"While it runs, type: {_WORDS}.\n\n\b\nFaults, each with the number that it has unless you name another "
    f"(seconds):\n{_FAULTS}"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall happen at connector 1 without anybody typing."""

    plug_after_s: float | None
    scan: str | None
    unplug_after_s: float | None
    once: bool
    car: Car


def _websocket(_context: click.Context, _option: click.Parameter, url: str) -> str:
    if not url.startswith(("ws://", "wss://")):
        raise click.BadParameter("must begin with ws:// or wss://, as ws://127.0.0.1:8180/ocpp")
    return url


def _complete_fault(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    return [str(fault) for fault in EXPLANATIONS if str(fault).startswith(begun)]


@click.command("run", epilog=_EPILOG)
@click.option("--identity", required=True, help="The station's name, the last part of its address.")
@click.option(
    "--url",
    required=True,
    metavar="WS",
    callback=_websocket,
    help="The server, for example ws://127.0.0.1:8180/ocpp.",
)
@click.option("--connectors", default=1, type=click.IntRange(1, CONNECTORS_MAX), show_default=True)
@click.option("--password", envvar="COMMONWATT_STATION_PASSWORD", help="For HTTP Basic authentication.")
@click.option("--plug-after", type=click.FloatRange(0), help="Plug a car in so long after the start, in seconds.")
@click.option("--scan", metavar="TAG", help="Then show this RFID tag.")
@click.option("--unplug-after", type=click.FloatRange(0), help="Unplug so long after plugging in, in seconds.")
@click.option("--once", is_flag=True, help="End when one charge is over and the server has heard of it.")
@click.option("--speed", default=1.0, type=click.FloatRange(0.01, 100_000), show_default=True, help="Of its clock.")
@click.option("--sample", type=click.IntRange(0, 86_400), help="Seconds between two meter values.")
@click.option("--battery-kwh", default=60.0, type=click.FloatRange(0.1, 1000), show_default=True)
@click.option("--power-kw", default=11.0, type=click.FloatRange(0.1, 1000), show_default=True)
@click.option("--charged", default=30.0, type=click.FloatRange(0, 100), show_default=True, help="Percent at arrival.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME",
    shell_complete=_complete_fault,
    help="What it does wrong (see below); repeatable.",
)
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="Where it remembers over a restart.")
@with_program()
def run_station(program: Program, **options: Any) -> int:
    """Run a virtual charge point (OCPP 1.6J) until Ctrl-C; a remote start makes a car come and plug in.

    It dials again when the network is down; when the server refuses its password it ends, exit code 1.
    """
    battery_wh = round(options["battery_kwh"] * 1000)
    car = Car(
        battery_wh=battery_wh,
        stored_wh=battery_wh * options["charged"] / 100,
        power_w_max=options["power_kw"] * 1000,
    )
    plan = Plan(options["plug_after"], options["scan"], options["unplug_after"], options["once"], car)
    teller = _Teller(as_json=program.as_json)
    station = VirtualStation(
        options["identity"],
        options["url"],
        connectors=options["connectors"],
        password=options["password"],
        speed=options["speed"],
        faults=Faults.of(*options["faults"]),
        state_file=options["state"],
        tell=teller.tell,
    )
    station.persistent = False
    teller.clock = station.now
    if options["sample"] is not None:
        station.charger.settings.change("MeterValueSampleInterval", str(options["sample"]))
    return asyncio.run(_run(station, plan, teller))


class _Teller:
    """Prints what happens, for people or for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.clock: Callable[[], Instant] = SystemClock().now

    def tell(self, text: str) -> None:
        """Print one line with the station's time."""
        at = self.clock()
        if self._as_json:
            say_json({"at": at, "told": text})
        else:
            say(f"{at.utc():%H:%M:%S}  {text}")

    def ended(self, effect: Effect) -> None:
        """Print the end of a charge for programs."""
        if self._as_json and isinstance(effect, Ended):
            say_json({"at": effect.at, "ended": effect.transaction.key, "energy_wh": effect.energy_wh})


async def _run(station: VirtualStation, plan: Plan, teller: _Teller) -> int:
    station.on_effect = teller.ended
    comers: set[asyncio.Task[None]] = set()

    def come(connector: int, _id_tag: str) -> None:
        comer = asyncio.create_task(_come(station, connector, plan))
        comers.add(comer)
        comer.add_done_callback(comers.discard)

    station.on_remote_start = come
    await station.start()
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(_news(station, teller)),
        asyncio.create_task(_follow_plan(station, plan)),
    ]
    if _typed_to(sys.stdin):
        tasks.append(asyncio.create_task(_follow_keys(station, plan, teller)))
    over = asyncio.create_task(_until_over(station, once=plan.once))
    try:
        done, _ = await asyncio.wait({over, *tasks[2:]}, return_when=asyncio.FIRST_COMPLETED)
        if over not in done and not all(task.result() for task in done):  # the pipe ended, its words go on
            await asyncio.wait({over})
        if over.done():
            return over.result()
    finally:
        for task in (over, *tasks, *comers):
            task.cancel()
        await asyncio.gather(over, *tasks, *comers, return_exceptions=True)
        await station.stop()
    return 0


async def _until_over(station: VirtualStation, *, once: bool) -> int:
    """Return the exit code once the server refuses the password; `once`, also on any refusal, or after one charge."""

    def over(station: VirtualStation) -> bool:
        return station.locked_out or (once and (station.unwelcome or any(truth.settled for truth in station.truths)))

    await station.until(over, timeout_s=10**9)
    return OK if any(truth.settled for truth in station.truths) else REFUSED


def _typed_to(stdin: TextIO) -> bool:
    """Whether somebody may type, at a terminal or through a pipe; not where input is a file or nothing at all."""
    try:
        mode = os.fstat(stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stdin.isatty() or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


async def _come(station: VirtualStation, connector: int, plan: Plan) -> None:
    """Plug a car in after a remote start, as a driver would."""
    await station.sleep(plan.plug_after_s or 3.0)
    if station.connector(connector).car is None:
        await station.plug(connector, plan.car)
        await _leave(station, connector, plan)


async def _follow_plan(station: VirtualStation, plan: Plan) -> None:
    if plan.plug_after_s is None and plan.scan is None:
        return
    await station.until(lambda station: station.online, timeout_s=10**9)
    await station.sleep(plan.plug_after_s or 0.0)
    await station.plug(1, plan.car)
    if plan.scan is not None:
        await station.scan(1, plan.scan)
    await _leave(station, 1, plan)


async def _leave(station: VirtualStation, connector: int, plan: Plan) -> None:
    if plan.unplug_after_s is not None:
        await station.sleep(plan.unplug_after_s)
        await station.unplug(connector)


async def _news(station: VirtualStation, teller: _Teller) -> None:
    """Say now and then how a charge goes."""
    while True:
        await asyncio.sleep(_NEWS_S)
        for number, connector in station.charger.connectors.items():
            transaction, car = connector.transaction, connector.car
            if transaction is not None and car is not None:
                kwh = (connector.true_meter_wh - transaction.true_start_wh) / 1000
                kw, percent = connector.power_w / 1000, 100 * car.state_of_charge
                teller.tell(f"{station.identity}/{number}: {kwh:.3f} kWh, {kw:.1f} kW, {percent:.0f} %")


async def _follow_keys(station: VirtualStation, plan: Plan, teller: _Teller) -> bool:
    """Do what is typed, a line each; return whether the station shall end: at `quit`, and at a terminal's Ctrl-D."""
    teller.tell(f"type: {_WORDS}")
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(sys.stdin.fileno()))
    )
    while line := await reader.readline():
        words = line.decode(errors="replace").split()
        if words[:1] == ["quit"]:
            return True
        if words and not await do_typed(station, words, plan.car):
            teller.tell(_not_understood(station, words))
    return sys.stdin.isatty()


def _not_understood(station: VirtualStation, words: list[str]) -> str:
    there = list(station.charger.connectors)
    if len(words) > 1 and words[-1].isdecimal() and int(words[-1]) not in there and words[0] in _WITH_CONNECTOR:
        numbers = f"1 to {there[-1]}" if len(there) > 1 else "only 1"
        return f"there is no connector {words[-1]}: {station.identity} has {numbers}"
    return f"unknown: {' '.join(words)}; type: {_WORDS}"


async def do_typed(station: VirtualStation, words: list[str], car: Car) -> bool:
    """Do what one typed line says; return whether it was understood."""
    number, words = 1, list(words)
    if words[-1].isdecimal() and len(words) > (2 if words[0] == "scan" else 1):
        number = int(words.pop())
    if number not in station.charger.connectors:
        return False
    match words:
        case ["plug"]:
            await station.plug(number, car)
        case ["unplug"]:
            await station.unplug(number)
        case ["scan", tag]:
            await station.scan(number, tag)
        case ["pause" | "resume" as word]:
            await station.pause(number, on=word == "pause")
        case ["offline"]:
            await station.go_offline()
        case ["online"]:
            await station.go_online()
        case ["reboot"]:
            await station.reboot()
        case _:
            return False
    return True
