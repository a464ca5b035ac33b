"""`commonwatt tariff`: what charging costs, shown, tried and changed in the terminal."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from commonwatt.kernel import Amount, Asset, Instant, amount_text
from commonwatt.kit.cli import (
    Program,
    instant_text,
    short,
    table,
    with_program,
    wrapped,
)
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Work
from commonwatt.members import TERMINAL
from commonwatt.tariffs import store
from commonwatt.tariffs.actions.assign_tariff import assign_tariff
from commonwatt.tariffs.actions.create_tariff import create_tariff
from commonwatt.tariffs.actions.retire_tariff import retire_tariff
from commonwatt.tariffs.actions.revise_tariff import revise_tariff
from commonwatt.tariffs.document import parse_tariff, tariff_zone, write_tariff
from commonwatt.tariffs.errors import TariffInvalid
from commonwatt.tariffs.forms import FIELDS, form_from_tariff, span_seconds, tariff_from_form
from commonwatt.tariffs.lines import bill_text, history_text, indented, list_text, moment_text, place_text, show_text
from commonwatt.tariffs.model.bill import preview
from commonwatt.tariffs.model.tariff import Tariff
from commonwatt.tariffs.ports import PlaceCheck, anywhere
from commonwatt.tariffs.reading import BYTES_MAX, decode, exact, moment
from commonwatt.tariffs.showing import show_assignment, show_bill, show_history, show_listed, show_rate, show_version

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")
PLACES = "commonwatt.tariffs.places"
"""Where `main` leaves, in click's context, how to ask whether a place exists (`ports.PlaceCheck`)."""
OPTIONS = [name for name in FIELDS if name != "document"]
_ENERGY = re.compile(r"([0-9.]+)\s*(k?wh)?", re.ASCII | re.IGNORECASE)


def _described(function: F) -> F:
    """Give a command the ways to describe a tariff: one option per field of the form, or a file."""
    for name in reversed(OPTIONS):
        function = click.option(f"--{name.replace('_', '-')}", name, metavar="TEXT", help=_sentence(FIELDS[name]))(
            function
        )
    file_help = "A tariff as JSON or TOML, `-` for the standard input."
    return click.option("--file", "file", metavar="FILE", help=file_help)(function)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


@click.group()
def tariff() -> None:
    """Prices of charging: shown, tried and changed."""


@tariff.command("list")
@click.option("--search", default="", help="Only tariffs whose name contains this.")
@click.option("--retired", is_flag=True, help="Retired ones too.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Tariffs at most.")
@with_program()
def list_command(program: Program, search: str, retired: bool, limit: int) -> None:  # noqa: FBT001
    """List tariffs with their first price and where they hold."""
    rows = program.read(store.list_tariffs, _now(), limit=limit, retired=retired, search=search)
    empty = "No tariff yet. Create one: commonwatt tariff create --name Standard --energy 0.45 --vat 20"
    program.answer([show_listed(row) for row in rows], lambda: list_text(rows) if rows else empty)


@tariff.command("show")
@click.argument("tariff_name", metavar="TARIFF")
@with_program()
def show_command(program: Program, tariff_name: str) -> None:
    """Show TARIFF, by its name or id, in words and as it is stored."""

    def query(connection: Connection) -> store.Listed:
        return store.show_tariff(connection, store.find_tariff(connection, tariff_name), _now())

    listed = program.read(query)
    program.answer(show_listed(listed), lambda: show_text(listed))


@tariff.command("create")
@click.option("--assign", is_flag=True, help="Let it hold at the whole site at once.")
@_described
@with_program()
def create_command(program: Program, assign: bool, file: str | None, **fields: str | None) -> None:  # noqa: FBT001
    """Create a tariff from options or a file."""
    draft = _draft(program, file, fields)
    if not draft.name:
        raise click.UsageError("A tariff needs a name: --name Standard.")

    def act(work: Work) -> Tariff:
        made = create_tariff(work, draft, actor=TERMINAL)
        if assign:
            assign_tariff(work, made.id, actor=TERMINAL)
        return made

    made = program.write(act)
    hint = "" if assign else f"\nIt holds nowhere yet: commonwatt tariff assign {shlex.quote(made.name)}"
    said = f"Created {made.name}, {short(made.id)}.\n{indented(made)}{hint}"
    program.answer(show_version(made), lambda: wrapped(said, indent="    "))


@tariff.command("revise")
@click.argument("tariff_name", metavar="TARIFF")
@_described
@with_program()
def revise_command(program: Program, tariff_name: str, file: str | None, **fields: str | None) -> None:
    """Change TARIFF by a new version; what was sold keeps its price. Prices that are not named stay."""
    found = program.read(_named, tariff_name)
    draft = _revised(program, found, file, fields)

    def act(work: Work) -> Tariff:
        return revise_tariff(work, found.id, draft, expected=_newest(work.sql, found.id), actor=TERMINAL)

    made = program.write(act)
    program.answer(
        show_version(made), lambda: wrapped(f"{made.name} from {moment_text(made.valid_from)} on:\n{indented(made)}")
    )


@tariff.command("assign")
@click.argument("tariff_name", metavar="TARIFF", required=False)
@click.option("--station", default="", help="Only at this station; without, at the whole site.")
@click.option("--connector", type=int, default=0, help="Only at this connector of the station.")
@click.option("--none", "clear", is_flag=True, help="Take the place's own tariff away.")
@click.option("--since", help="From when on, 2026-06-01T00:00:00Z; without, from now on.")
@with_program()
def assign_command(
    program: Program,
    tariff_name: str | None,
    station: str,
    connector: int,
    clear: bool,  # noqa: FBT001
    since: str | None,
) -> None:
    """Let TARIFF hold at the site, a station or a connector."""
    if clear == (tariff_name is not None):
        raise click.UsageError("Name a tariff, or say --none.")
    begins = None if since is None else _said(moment, since, "since")
    check_place: PlaceCheck = click.get_current_context().meta.get(PLACES, anywhere)

    def act(work: Work) -> tuple[store.Assignment, str]:
        tariff_id = None if tariff_name is None else store.find_tariff(work.sql, tariff_name)
        made = assign_tariff(work, tariff_id, station, connector, since=begins, actor=TERMINAL, check_place=check_place)
        return made, "No own tariff" if tariff_id is None else store.tariff_row(work.sql, tariff_id).name

    made, name = program.write(act)
    said = f"{name} at {place_text(made)} from {instant_text(made.since)} on."
    program.answer(show_assignment(made), wrapped(said))


@tariff.command("retire")
@click.argument("tariff_name", metavar="TARIFF")
@with_program()
def retire_command(program: Program, tariff_name: str) -> None:
    """Retire TARIFF, which must not hold anywhere any more."""

    def act(work: Work) -> store.Listed:
        tariff_id = store.find_tariff(work.sql, tariff_name)
        retire_tariff(work, tariff_id, actor=TERMINAL)
        return store.show_tariff(work.sql, tariff_id, work.now)

    gone = program.write(act)
    program.answer(
        {"id": gone.id, "name": gone.name, "retired": True},
        wrapped(f"{gone.name} is retired; what it priced stays as it was."),
    )


@tariff.command("preview")
@click.argument("tariff_name", metavar="TARIFF", required=False)
@click.option("--use", "use", default="30 kWh", show_default=True, help="How much energy: 30, 30 kWh, 500 Wh.")
@click.option("--for", "duration", default="1h", show_default=True, help="How long it charges: 1h, 45m.")
@click.option("--parked", default="0", help="How long it then stays connected: 20m.")
@click.option("--start", help="When it starts, 2026-06-01T22:00:00Z; without, now.")
@_described
@with_program()
def preview_command(
    program: Program,
    tariff_name: str | None,
    use: str,
    duration: str,
    parked: str,
    start: str | None,
    file: str | None,
    **fields: str | None,
) -> None:
    """Tell what a session costs under TARIFF, or under one that is only described here."""
    chosen = _draft(program, file, fields) if tariff_name is None else program.read(_named, tariff_name)
    begins = _now() if start is None else _said(moment, start, "start")
    spans = _said(span_seconds, duration, "for"), _said(span_seconds, parked, "parked")
    bill = preview(chosen, _said(_energy_wh, use, "use"), *spans, begins)
    program.answer(show_bill(bill), lambda: bill_text(bill))


@tariff.command("history")
@click.argument("tariff_name", metavar="TARIFF")
@with_program()
def history_command(program: Program, tariff_name: str) -> None:
    """Show all versions of TARIFF, the newest first."""

    def query(connection: Connection) -> list[store.Version]:
        return store.history(connection, store.find_tariff(connection, tariff_name))

    versions = program.read(query)
    program.answer([show_history(one) for one in versions], lambda: history_text(versions))


@tariff.command("rates")
@click.option("--currency", help="Another than the site's.")
@click.option("--limit", type=click.IntRange(1, 500), default=10, show_default=True, help="Rates at most.")
@with_program()
def rates_command(program: Program, currency: str | None, limit: int) -> None:
    """Show the prices of bitcoin that were used, the newest first."""
    code = currency or program.config.site.currency
    rates = program.read(store.list_rates, code, limit=limit)
    rows = [
        (instant_text(rate.at), amount_text(Amount(Asset.of(rate.currency), rate.micro_per_btc)), ", ".join(rate.used))
        for rate in rates
    ]
    empty = f"No price of bitcoin in {code} is known yet; the server asks for it while it runs."
    program.answer(
        [show_rate(rate) for rate in rates],
        lambda: table(("at", "one bitcoin", "sources"), rows, "lrl") if rows else empty,
    )


def _draft(program: Program, file: str | None, fields: dict[str, str | None]) -> Tariff:
    said = {name: value for name, value in fields.items() if value is not None}
    site = program.config.site
    if file is not None:
        return _filed(file, said, site.timezone)
    try:
        return tariff_from_form(said, currency=site.currency, timezone=site.timezone)
    except TariffInvalid as error:
        raise _misspelt(error) from None


def _revised(program: Program, found: Tariff, file: str | None, fields: dict[str, str | None]) -> Tariff:
    said = {name: value for name, value in fields.items() if value is not None}
    if file is not None:
        return _filed(file, said, program.read(store.newest_version, found.id).tariff.timezone, found.name)
    if not said:
        raise click.UsageError("Say what changes, for instance --energy 0.50.")
    form = form_from_tariff(found)
    if form is None:
        raise TariffInvalid(
            f"{found.name} says more than options can. Write it to a file with `commonwatt tariff show {found.id} "
            "--json`, change the file, and give it with --file.",
            field="file",
        )
    return _draft(program, None, {**form, **said})


def _filed(file: str, said: dict[str, str], timezone: str, name: str = "") -> Tariff:
    """Read the tariff of a file; options fill the zone that it does not name, and name it otherwise."""
    if set(said) - {"name", "timezone"}:
        raise click.UsageError("Describe the tariff by a file or by options, not by both.")
    document = _read_file(file)
    named, wished = document.get("timezone"), said.get("timezone")
    if wished is not None and named is not None and wished != named:
        raise click.BadParameter(
            f"{file} names the zone {named}. Leave the option out, or change the file.", param_hint="--timezone"
        )
    try:
        zone = timezone if wished is None else tariff_zone(wished)
    except TariffInvalid as error:
        raise _misspelt(error) from None
    draft = _parsed(document, zone)
    return _parsed(
        {**write_tariff(draft), "name": said.get("name") or document.get("name") or name or draft.name}, zone
    )


def _read_file(name: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read(BYTES_MAX + 1) if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else "it is no UTF-8 text"
        raise click.BadParameter(f"{name} cannot be read: {why}", param_hint="--file") from None
    if len(text) > BYTES_MAX:
        raise TariffInvalid(f"A tariff has at most {BYTES_MAX} bytes.", field="file")
    if text.lstrip().startswith("{"):
        return decode(text)
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise TariffInvalid(f"The file is neither JSON nor TOML: {error}.", field="file") from None


def _parsed(document: dict[str, Any], timezone: str) -> Tariff:
    """Read a document; what is wrong in it is told with its place."""
    try:
        return parse_tariff(document, timezone=timezone)
    except TariffInvalid as error:
        field = str(error.fields.get("field") or "")
        raise TariffInvalid(f"{field}: {error.detail}" if field else error.detail, field=field) from None


def _said(read: Callable[[str, str], R], text: str, option: str) -> R:
    """Read the text of an option; one that makes no sense is a wrong usage."""
    try:
        return read(text, option)
    except TariffInvalid as error:
        raise _misspelt(error) from None


def _misspelt(error: TariffInvalid) -> Exception:
    """Return the usage error that names the option; the error itself when it is about no option."""
    field = str(error.fields.get("field") or "")
    if field not in {*OPTIONS, "for", "parked", "use", "start", "since"}:
        return error
    return click.BadParameter(error.detail, param_hint=f"--{field.replace('_', '-')}")


def _named(connection: Connection, word: str) -> Tariff:
    tariff_id = store.find_tariff(connection, word)
    return store.version_at(connection, tariff_id, _now()) or store.newest_version(connection, tariff_id).tariff


def _newest(connection: Connection, tariff_id: str) -> str:
    return store.newest_version(connection, tariff_id).tariff.version


def _now() -> Instant:
    return SystemClock().now()


def _energy_wh(said: str, field: str) -> int:
    found = _ENERGY.fullmatch(said.strip())
    if found is None:
        raise TariffInvalid(f"{said!r} is no energy. Write 30 kWh or 500 Wh.", field=field)
    return exact(found[1], 0 if (found[2] or "kWh").lower() == "wh" else 3, 10_000_000, field)
