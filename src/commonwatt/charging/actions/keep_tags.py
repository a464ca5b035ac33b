"""Local users: the owner's own RFID tags, which charge on account."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, update

from commonwatt.charging import store
from commonwatt.charging.errors import NoSuchTag, TagKnown, TagUnusable
from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.members import Actor, record_act

TAG_MAX = 20
"""Characters of an id tag, printable ASCII alone (OCPP 1.6, 7.28 IdToken: CiString20Type)."""


def add_tag(work: Work, id_tag: str, holder: str, *, actor: Actor | None = None) -> str:
    """Let a tag charge on account of its holder and return the id of its record, which names the account.

    Raises TagKnown, and TagUnusable for what no station can send.
    """
    tag = id_tag.strip()
    if not tag or len(tag) > TAG_MAX or not (tag.isascii() and tag.isprintable()) or not holder.strip():
        raise TagUnusable(
            said(
                "A tag has 1 to %(most)s printable characters without accents, and a holder has a name.", most=TAG_MAX
            ),
            id_tag=tag[:40],
        )
    if store.local_tag(work.sql, tag) is not None:
        raise TagKnown(said("The tag %(tag)s is known already. Change or remove it first.", tag=tag), id_tag=tag)
    tag_id = work.new_id()
    work.sql.execute(
        store.tags.insert().values(
            id=tag_id, id_tag=tag, holder=holder.strip()[:80], state="accepted", made_ms=work.now.ms
        )
    )
    record_act(work, actor, "add tag", f"tag/{tag}", {"holder": holder.strip()[:80]})
    return tag_id


def block_tag(work: Work, name: str, *, blocked: bool = True, actor: Actor | None = None) -> None:
    """Refuse a tag, named by itself or its record's id, from now on, or let it in again. A charge that runs goes on."""
    tag = _named(work, name)
    state = "blocked" if blocked else "accepted"
    work.sql.execute(update(store.tags).where(store.tags.c.id == tag.id).values(state=state))
    record_act(work, actor, "block tag" if blocked else "unblock tag", f"tag/{tag.id_tag}")


def remove_tag(work: Work, name: str, *, actor: Actor | None = None) -> None:
    """Forget a tag, named by itself or its record's id; what it charged stays on the books.

    Added again, it charges on an account of its own.
    """
    tag = _named(work, name)
    work.sql.execute(delete(store.tags).where(store.tags.c.id == tag.id))
    record_act(work, actor, "remove tag", f"tag/{tag.id_tag}")


def _named(work: Work, name: str) -> Row[Any]:
    tag = store.local_tag(work.sql, name)
    if tag is None:
        raise NoSuchTag(said("There is no local tag %(id_tag)s.", id_tag=name[:40]), id_tag=name[:40])
    return tag
