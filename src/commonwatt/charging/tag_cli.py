"""`commonwatt tag`: the owner's own RFID tags, which charge on account."""

from __future__ import annotations

import click

from commonwatt.charging import queries, store
from commonwatt.charging.actions.keep_tags import add_tag, block_tag, remove_tag
from commonwatt.charging.charge import account_of_tag
from commonwatt.charging.errors import NoSuchTag
from commonwatt.charging.showing import shown_tag
from commonwatt.kernel import Instant
from commonwatt.kit.cli import Program, instant_text, table, with_program, wrapped
from commonwatt.kit.database import Work
from commonwatt.members import TERMINAL


@click.group()
def tag() -> None:
    """RFID tags that charge on account."""


@tag.command("add")
@click.argument("id_tag", metavar="TAG")
@click.option("--holder", required=True, help="Whose account it charges on: a person or a company.")
@with_program()
def add(program: Program, id_tag: str, holder: str) -> None:
    """Let TAG, as the station reads it, charge on account of its holder."""

    def act(work: Work) -> str:
        return account_of_tag(add_tag(work, id_tag, holder, actor=TERMINAL))

    account = program.write(act)
    said = f"{id_tag.strip()} may charge on account of {holder.strip()}."
    made = {"id_tag": id_tag.strip(), "holder": holder.strip(), "state": "accepted", "account": account}
    program.answer(made, f"{wrapped(said)}\nBalance: commonwatt books balance {account}")


@tag.command("list")
@click.option("--search", default="", help="In the tag or its holder.")
@with_program()
def list_all(program: Program, search: str) -> None:
    """List the tags by holder."""
    rows = program.read(queries.list_tags, text=search)
    empty = "No tag matches." if search else "No tag is known. Add one: commonwatt tag add TAG --holder NAME"
    heads = ("tag", "holder", "state", "since")
    lines = [(row.id_tag, row.holder, row.state, instant_text(Instant(row.made_ms))) for row in rows]
    value = {"items": [shown_tag(row) for row in rows], "next_cursor": None}
    program.answer(value, lambda: table(heads, lines) if lines else empty)


@tag.command("block")
@click.argument("id_tag", metavar="TAG")
@click.option("--off", is_flag=True, help="Let it in again.")
@with_program()
def block(program: Program, id_tag: str, off: bool) -> None:  # noqa: FBT001
    """Refuse TAG from now on; a charge that runs goes on."""
    program.write(block_tag, id_tag, blocked=not off, actor=TERMINAL)
    state = "accepted" if off else "blocked"
    program.answer({"id_tag": id_tag, "state": state}, f"{id_tag} is {state}.")


@tag.command("remove")
@click.argument("id_tag", metavar="TAG")
@with_program(confirms=True)
def remove(program: Program, id_tag: str) -> None:
    """Forget TAG; what it charged stays on the books."""
    if program.read(store.local_tag, id_tag) is None:
        raise NoSuchTag(f"No tag reads {id_tag}. `commonwatt tag list` shows them.", id_tag=id_tag)
    program.confirm(f"This forgets the tag {id_tag}.", undo="it can be added again; what it charged stays on the books")
    program.write(remove_tag, id_tag, actor=TERMINAL)
    program.answer({"id_tag": id_tag, "removed": True}, f"{id_tag} is removed.")
