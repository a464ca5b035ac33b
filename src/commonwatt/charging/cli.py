"""`commonwatt session`: list sessions, show one with its money, stop one, let change go that is withheld."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import click
from sqlalchemy import Connection, Row

from commonwatt.charging import queries, store
from commonwatt.charging.actions.release_change import release_changes
from commonwatt.charging.charge import Charge, Kind
from commonwatt.charging.errors import NoSuchSession
from commonwatt.charging.model.session import Status
from commonwatt.charging.showing import shown_session
from commonwatt.kernel import BTC, Amount, Asset, Instant, amount_text
from commonwatt.kit.cli import (
    ID_LEAST,
    MOMENT,
    Program,
    instant_text,
    rounded_text,
    server_option,
    short,
    table,
    token_option,
    with_program,
    wrapped,
)
from commonwatt.kit.cli.server import post_json
from commonwatt.kit.web import plain
from commonwatt.members import TERMINAL

ID_LENGTH = 36
"""Characters of a whole id (RFC 9562)."""
_STARRED = "* withheld since a backup was restored; look whether it was paid before, then commonwatt session release"
_MINUTE = len("2026-05-01 12:00")


@click.group()
def session() -> None:
    """Charging sessions: list them, show one, stop one, release change."""


@session.command("list")
@click.option("--station", help="Only at this station.")
@click.option("--connector", type=click.IntRange(1), help="Only at this connector of it.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only in this state.")
@click.option("--owed", is_flag=True, help="Only those with change that nobody has taken.")
@click.option("--from", "since", type=MOMENT, help="Made from this instant on.")
@click.option("--to", "until", type=MOMENT, help="Made before this instant.")
@click.option("--search", "text", default="", help="In ids, stations, tags, holders and reasons.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--cursor", help="The id of the last session of the page before.")
@with_program()
def list_all(program: Program, limit: int, cursor: str | None, **wanted: Any) -> None:
    """Show the sessions, the newest first."""
    if cursor is not None and program.read(store.charge_by_id, cursor) is None:
        said = f"{cursor!r} is no session's whole id; leave it out to begin at the first page."
        raise click.BadParameter(said, param_hint="--cursor")
    rows = program.read(
        queries.list_sessions,
        queries.SessionFilter(**wanted),
        after=(cursor,) if cursor else (),
        limit=limit + 1,
    )
    shown, more = rows[:limit], len(rows) > limit
    holders = program.read(queries.holders_of, [charge.debtor for charge in shown if charge.tag_id])
    value = {"items": [_value(charge, holders) for charge in shown], "next_cursor": shown[-1].id if more else None}
    heads = ("id", "made", "station", "status", "kWh", "cost", "owed, sat")
    lines = [_row(charge) for charge in shown]
    hint = f"\nMore: --cursor {shown[-1].id}" if more else ""
    if any(charge.withholds for charge in shown):
        hint = f"\n{wrapped(_STARRED)}{hint}"
    program.answer(value, lambda: table(heads, lines, "llllrrr") + hint if lines else wrapped(_none(wanted)))


@session.command("show")
@click.argument("session_id", metavar="ID")
@with_program()
def show(program: Program, session_id: str) -> None:
    """Show the session ID, or the one whose id ends in it, with its money and its meter."""
    found = program.read(_find, session_id)
    value = _value(found.charge, found.holders) | {"claims": [_claim(row) for row in found.claims]}
    program.answer(value, lambda: _story(found))


@session.command("stop")
@click.argument("session_id", metavar="ID")
@server_option()
@token_option("sessions:write")
@with_program(confirms=True)
def stop(program: Program, session_id: str, server: str | None, token: str) -> None:
    """Stop the running session ID through the running server; what was not used is the driver's.

    The end of an id is enough where the server's data is on this machine.
    """
    if len(session_id) < ID_LENGTH:
        session_id = program.read(_find, session_id).charge.id
    program.confirm(
        f"This asks the station to end session {session_id}.", undo="the driver gets the change; it cannot go on"
    )
    answer = post_json(f"{program.server(server)}/api/v1/sessions/{quote(session_id, safe='')}/stop", token, {})
    status = answer.get("status", "unknown") if isinstance(answer, dict) else "unknown"
    said = f"The session is {status}. `commonwatt session show {short(session_id)}` tells the end."
    program.answer(answer, wrapped(said))


@session.command("release")
@click.argument("session_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All change that is withheld now.")
@with_program(confirms=True)
def release(program: Program, session_ids: tuple[str, ...], everything: bool) -> None:  # noqa: FBT001
    """Let the change of the sessions ID go, which is withheld since a backup was restored.

    Look at the payments of the node first: what was paid after the backup was made is paid again. The end of an id is
    enough; `commonwatt session list --owed` tells what is withheld.
    """
    if everything == bool(session_ids):
        raise click.UsageError("Name sessions, or all of them with --all.")
    if everything:
        charges = program.read(store.withholding_charges)
    else:
        named = (program.read(_find, session_id).charge for session_id in session_ids)
        charges = [charge for charge in {one.id: one for one in named}.values() if charge.withheld]
    if charges:
        program.confirm(
            f"This releases the change of {len(charges)} session{'s' * (len(charges) > 1)}: it may have been paid.",
            amount=Amount(BTC, sum(charge.owed_msat for charge in charges)),
            to=", ".join(charge.address or f"who has the link of {short(charge.id)}" for charge in charges),
            undo="it cannot be undone; an address is paid at once",
        )
        charges = program.write(release_changes, [charge.id for charge in charges], actor=TERMINAL)
    holders: dict[str, str] = {}
    said = "\n".join(f"{short(charge.id)}  {_money(charge.owed_msat)} released." for charge in charges)
    value = {"items": [_value(charge, holders) for charge in charges], "next_cursor": None}
    program.answer(value, said or wrapped("Nothing of this is withheld; nothing was done."))


@dataclass(frozen=True, slots=True)
class _Found:
    charge: Charge
    claims: list[Row[Any]]
    holders: dict[str, str]


def _find(sql: Connection, session_id: str) -> _Found:
    """Return a session by its id or the end of it; raises NoSuchSession, also where the end fits several."""
    charge = store.charge_by_id(sql, session_id)
    if charge is None and len(session_id) >= ID_LEAST:
        like = queries.list_sessions(sql, queries.SessionFilter(text=session_id, offers=True), limit=50)
        ends = [one for one in like if one.id.endswith(session_id)]
        charge = ends[0] if len(ends) == 1 else None
    if charge is None:
        msg = f"No session, or more than one, has the id {session_id}. `commonwatt session list` shows them."
        raise NoSuchSession(msg, session=session_id)
    holders = queries.holders_of(sql, [charge.debtor] if charge.tag_id else [])
    return _Found(charge, queries.list_claims(sql, charge.id), holders)


def _none(wanted: dict[str, Any]) -> str:
    """Say why a list is empty."""
    if wanted["owed"]:
        return "Nothing is owed: all change of the sessions that match was taken."
    if any(wanted.values()):
        return "No session matches."
    return "There is no session yet. A driver opens one by the code on a connector; `commonwatt demo` shows how."


def _row(charge: Charge) -> tuple[str, ...]:
    session = charge.session
    made = f"{instant_text(charge.made)[:_MINUTE]}Z"
    place = f"{charge.station}/{charge.connector}"
    cost = rounded_text(Amount(Asset.of(charge.asset), charge.earned_units))
    owed = _money(charge.owed_msat).removesuffix(" sat") + "*" * charge.withholds
    return (short(charge.id), made, place, session.status.value, _kwh(session.energy_wh)[:-4], cost, owed)


def _story(found: _Found) -> str:
    charge, session = found.charge, found.charge.session
    lines = [
        ("Session", charge.id),
        ("State", f"{session.status.value}{': ' if session.reason else ''}{session.reason}"),
        ("Where", f"{charge.station}, connector {charge.connector}"),
        ("Who", _payer(charge, found.holders)),
        ("Made", instant_text(charge.made)),
        ("Began", _when(charge.began)),
        ("Ended", _when(charge.ended)),
        ("Energy", _kwh(session.energy_wh)),
        ("Price", amount_text(Amount(Asset.of(charge.asset), charge.gross_units))),
        ("Paid", "nothing yet; it is on account" if charge.kind is Kind.LOCAL else _money(session.paid_msat)),
        ("Locked", _money(session.held_msat)),
        ("Billed", _money(session.billed_msat) if session.billed else f"{_money(session.cost_msat)} so far"),
        ("Returned", _money(charge.returned_msat)),
        ("Owed", _owed(charge)),
        ("Tariff", charge.tariff_version),
    ]
    if charge.flags:
        lines.append(("Meter", ", ".join(charge.flags)))
    lines += [(f"Claim {row.number}", f"{_money(row.amount_msat)}, {row.state}") for row in found.claims]
    return "\n".join(wrapped(f"{name:<10}{text}", indent=" " * 10) for name, text in lines)


def _payer(charge: Charge, holders: dict[str, str]) -> str:
    if charge.tag_id is None:
        return "prepaid by a passer-by"
    holder = holders.get(charge.debtor, "somebody whose tag was removed")
    return f"on account of {holder}, with the tag {charge.id_tag}: {charge.debtor}"


def _value(charge: Charge, holders: dict[str, str]) -> dict[str, Any]:
    """Return a session for programs: what the API tells of it, whose it is, and on which account it is booked."""
    holder = holders.get(charge.debtor) if charge.tag_id else None
    account = charge.debtor if charge.tag_id else charge.account
    return {**plain(shown_session(charge, TERMINAL)), "holder": holder, "account": account}


def _claim(row: Row[Any]) -> dict[str, Any]:
    return {
        "number": row.number,
        "state": row.state,
        "amount": Amount(BTC, row.amount_msat),
        "made": Instant(row.made_ms),
    }


def _when(instant: Instant | None) -> str:
    return "not yet" if instant is None else instant_text(instant)


def _money(msat: int) -> str:
    return amount_text(Amount(BTC, msat))


def _owed(charge: Charge) -> str:
    if charge.withheld is None:
        return _money(charge.owed_msat)
    return f"{_money(charge.owed_msat)}; withheld, for a backup was restored {instant_text(charge.withheld)}"


def _kwh(wh: int) -> str:
    return f"{wh // 1000}.{wh % 1000:03d} kWh"
