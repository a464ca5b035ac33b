"""`commonwatt station`: add, list, admit, reject, remove stations, and send them commands."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

import click

from commonwatt.kernel import Instant
from commonwatt.kit.cli import Program, instant_text, server_option, table, token_option, with_program, wrapped
from commonwatt.kit.cli.server import post_json
from commonwatt.kit.web import Site
from commonwatt.members import TERMINAL
from commonwatt.stations import queries
from commonwatt.stations.actions import admit_stations as acts
from commonwatt.stations.actions.administer import administer
from commonwatt.stations.address import open_for_trial, stations_address
from commonwatt.stations.queries import StationView
from commonwatt.stations.showing import shown_station


@click.group()
def station() -> None:
    """Add, list, admit, remove stations, and send them commands."""


@station.command("add")
@click.argument("identity")
@click.option("--name", default="", help="What people call it.")
@click.option("--no-password", is_flag=True, help="Let it connect without a password, where the site is open.")
@with_program()
def add(program: Program, identity: str, name: str, no_password: bool) -> None:  # noqa: FBT001
    """Make IDENTITY known and let it in; its password is shown this once."""
    password = program.write(
        administer, TERMINAL, "add station", identity, acts.add_station, name, with_password=not no_password
    )
    lines = [f"{identity} may connect now."]
    if password:
        lines.append(f"Its password, shown this once: {password}")
    elif not open_for_trial(program.config):
        lines = [_needs_password(identity)]
    address = _address(program, identity)
    entered = "the address, the identity and the password" if password else "the address and the identity"
    lines += [f"Its address: {address}", f"Enter {entered} at the station; `commonwatt station list` shows it."]
    program.answer({"identity": identity, "password": password, "address": address}, wrapped("\n".join(lines)))


@station.command("list")
@click.option("--search", default="", help="In identity, name, vendor, model or serial number.")
@click.option("--state", type=click.Choice(["admitted", "waiting", "rejected"]), help="Only in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--cursor", help="The identity of the last station of the page before.")
@with_program()
def list_all(program: Program, search: str, state: str | None, limit: int, cursor: str | None) -> None:
    """Show the stations."""
    if cursor is not None and program.read(queries.find_station, cursor) is None:
        said = f"{cursor!r} is no station's identity; leave it out to begin at the first page."
        raise click.BadParameter(said, param_hint="--cursor")
    rows = program.read(queries.list_stations, search=search, state=state, after=cursor, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    value = {"items": [shown_station(view) for view in shown], "next_cursor": shown[-1].identity if more else None}
    empty = "No station is known. Point one at this server, or `commonwatt station add IDENTITY`."
    if search or state or cursor:
        empty = "No station matches."
    heads = ("identity", "name", "state", "here", "model", "last seen")
    hint = f"\nMore: --cursor {shlex.quote(shown[-1].identity)}" if more else ""
    program.answer(value, lambda: table(heads, [_row(view) for view in shown]) + hint if shown else wrapped(empty))


@station.command("admit")
@click.argument("identity")
@with_program()
def admit(program: Program, identity: str) -> None:
    """Let the waiting or rejected station IDENTITY in."""
    program.write(administer, TERMINAL, "admit station", identity, acts.admit_station)
    view = program.read(queries.find_station, identity)
    said = f"{identity} is admitted; it is let in within a minute."
    if view is not None and not view.has_password and not open_for_trial(program.config):
        said = _needs_password(identity)
    program.answer({"identity": identity, "state": "admitted"}, wrapped(said))


@station.command("reject")
@click.argument("identity")
@with_program()
def reject(program: Program, identity: str) -> None:
    """Keep the station IDENTITY out from its next connection on."""
    program.write(administer, TERMINAL, "reject station", identity, acts.reject_station)
    program.answer({"identity": identity, "state": "rejected"}, wrapped(f"{identity} is rejected."))


@station.command("remove")
@click.argument("identity")
@with_program(confirms=True)
def remove(program: Program, identity: str) -> None:
    """Forget the station IDENTITY with its connectors and frames; its sessions and its money stay on record."""
    program.read(queries.check_place, identity)
    program.confirm(
        f"This forgets the station {identity}, its connectors, its printed codes and all its frames.",
        undo="it cannot be undone; what runs there is billed by its last reading; sessions and money stay on record",
    )
    program.write(administer, TERMINAL, "remove station", identity, acts.remove_station)
    program.answer({"identity": identity, "removed": True}, wrapped(f"{identity} is removed; its sessions stay."))


@station.command("password")
@click.argument("identity")
@with_program()
def password(program: Program, identity: str) -> None:
    """Give the station IDENTITY a fresh password and show it, this once."""
    fresh = program.write(administer, TERMINAL, "set password", identity, acts.set_password)
    said = f"The password of {identity}, shown this once: {fresh}"
    program.answer({"identity": identity, "password": fresh}, wrapped(said))


@station.command("send")
@click.argument("identity")
@click.argument("action")
@click.argument("payload", default="{}")
@server_option()
@token_option("stations:command")
@with_program()
def send(program: Program, identity: str, action: str, payload: str, server: str | None, token: str) -> None:
    """Send ACTION with a JSON PAYLOAD to IDENTITY through the running server; show the station's answer."""
    try:
        given = json.loads(payload)
    except ValueError as error:
        raise click.BadParameter(f"{payload[:40]!r} is no JSON: {error}.", param_hint="PAYLOAD") from None
    answer = post_json(
        f"{program.server(server)}/api/v1/stations/{quote(identity)}/commands/{quote(action)}", token, given
    )
    program.answer(answer, json.dumps(answer["result"], indent=2, ensure_ascii=False))


def _row(view: StationView) -> tuple[str, ...]:
    seen = "never" if view.seen_ms is None else instant_text(Instant(view.seen_ms))
    connected = "yes" if view.connected else "no"
    return (view.identity, view.name, view.state, connected, view.model or view.vendor or "", seen)


def _needs_password(identity: str) -> str:
    """Say what a station that is let in waits for, where the site asks for passwords."""
    return (
        f"{identity} is admitted, but it has no password, and this site asks for one (stations.auth). Make one with "
        f"`commonwatt station password {shlex.quote(identity)}` and enter it at the station."
    )


def _address(program: Program, identity: str) -> str:
    """Return what a station is told to connect to."""
    running = program.running()
    if running is not None:
        base = f"{running.stations}/"
    else:
        base = stations_address(program.config, Site("", program.pages()))
    return base + quote(identity, safe=":@")
