"""`commonwatt token`, `commonwatt member`, `commonwatt owner`: people and tokens from the machine itself."""

from __future__ import annotations

import re

import click

from commonwatt.kernel import Refused
from commonwatt.kit.cli import ID_LEAST, Program, instant_text, short, table, with_program, wrapped
from commonwatt.members import lists
from commonwatt.members.actions.create_token import create_token, revoke_token
from commonwatt.members.actions.invite_member import Link, invite_member, make_owner_link
from commonwatt.members.errors import NoSuchToken
from commonwatt.members.model.actor import SCOPES, TERMINAL, Role

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}


class BadSpan(Refused):
    """A span of time is not written as a number and a unit."""

    slug = "bad-span"
    title = "This span of time cannot be read"


def read_span(text: str) -> int | None:
    """Return seconds of `90d`, `12h`, `30m`, `2w`, `1y`; None for `never`. Raises BadSpan."""
    if text == "never":
        return None
    match = re.fullmatch(r"([0-9]{1,6})([smhdwy])", text)
    if match is None or int(match[1]) == 0:
        raise BadSpan(f"{text!r} is no span of time. Write a number and a unit: 90d, 12h, 30m, 2w, 1y; or never.")
    return int(match[1]) * _UNITS[match[2]]


class _Span(click.ParamType[str]):
    name = "SPAN"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            read_span(value)
        except BadSpan as error:
            self.fail(error.detail, param, ctx)
        return value


SPAN = _Span()


@click.group()
def token() -> None:
    """Tokens for programs."""


@token.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="A scope like stations:read, or * for all; repeatable.")
@click.option("--expires", type=SPAN, default="90d", show_default=True, help="90d, 12h, 1y, or never.")
@with_program()
def create_one(program: Program, name: str, scopes: tuple[str, ...], expires: str) -> None:
    """Make a token and show it, this once."""
    if not scopes:
        raise click.UsageError(f"Say what it may do with --scope. There are: {', '.join(sorted(SCOPES))}, *")
    wanted = [scope for said in scopes for scope in said.split(",")]
    new = program.write(create_token, TERMINAL, name, wanted, read_span(expires))
    until = instant_text(new.expires) if new.expires else "never"
    program.answer(new, wrapped(f"{new.token}\n\nShown only now. Scopes: {' '.join(new.scopes)}. Expires: {until}."))


@token.command("list")
@with_program()
def list_all(program: Program) -> None:
    """List the tokens, newest first."""
    found = program.read(lists.list_tokens)
    rows = [
        [
            short(one.id),
            one.name,
            " ".join(one.scopes),
            instant_text(one.expires) if one.expires else "never",
            instant_text(one.last_used) if one.last_used else "not yet",
        ]
        for one in found
    ]
    empty = "No tokens yet. Make one:  commonwatt token create NAME --scope stations:read"
    program.answer(
        {"items": found}, lambda: table(["id", "name", "scopes", "expires", "used"], rows) if rows else empty
    )


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@with_program()
def revoke_one(program: Program, token_id: str) -> None:
    """End the token ID, or the one whose id ends in it, at once."""
    found = [one for one in program.read(lists.list_tokens) if one.id == token_id]
    if not found and len(token_id) >= ID_LEAST:
        found = [one for one in program.read(lists.list_tokens) if one.id.endswith(token_id)]
    if len(found) != 1:
        raise NoSuchToken(
            f"No token, or more than one, has the id {token_id[:60]}. `commonwatt token list` shows them.",
            id=token_id[:60],
        )
    program.write(revoke_token, TERMINAL, found[0].id)
    said = f"{found[0].name} is revoked. The program that uses it is refused from its next request on."
    program.answer({"revoked": found[0].id, "name": found[0].name}, wrapped(said))


@click.group()
def member() -> None:
    """People who may sign in."""


@member.command("list")
@with_program()
def list_people(program: Program) -> None:
    """List the members."""
    found = program.read(lists.list_members)
    rows = [
        [short(one.id), one.name, one.role.value, instant_text(one.last_seen) if one.last_seen else "not yet"]
        for one in found
    ]
    empty = "Nobody yet. Make the first owner's link:  commonwatt owner link"
    program.answer({"items": found}, lambda: table(["id", "name", "role", "last seen"], rows) if rows else empty)


@member.command("invite")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="operator", show_default=True)
@click.option("--expires", type=SPAN, default="7d", show_default=True, help="How long the link is valid: 7d, 12h.")
@with_program()
def invite_one(program: Program, name: str, role: str, expires: str) -> None:
    """Make an invitation's link and show it, this once."""
    seconds = read_span(expires)
    if seconds is None:
        raise BadSpan("An invitation always expires; say when, for instance 7d.")
    link = program.write(invite_member, TERMINAL, name, Role(role), seconds)
    _tell_link(program, link)


@click.group()
def owner() -> None:
    """Whoever owns this site."""


@owner.command("link")
@with_program()
def new_link(program: Program) -> None:
    """Make a one-time link for an owner: at the first start, or when all passkeys are lost."""
    link = program.write(make_owner_link)
    _tell_link(program, link)


def _tell_link(program: Program, link: Link) -> None:
    running = program.running()
    address = f"{program.pages()}{link.path}"
    until = instant_text(link.expires)
    said = f"{address}\n\nWorks once, until {until}."
    if running is None:
        said += " No server runs over this data now; start it first, and where it listens must be the link's beginning."
    program.answer({"link": address, "expires": link.expires, "running": running is not None}, wrapped(said))
