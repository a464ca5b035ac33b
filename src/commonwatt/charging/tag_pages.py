"""The owner's page about local tags, which charge on account."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter
from litestar.response import Redirect, Stream, Template

from commonwatt.charging import queries
from commonwatt.charging.actions.keep_tags import add_tag, block_tag, remove_tag
from commonwatt.charging.charge import account_of_tag
from commonwatt.charging.showing import shown_tag
from commonwatt.kernel import Refused
from commonwatt.kit.database import Database
from commonwatt.kit.web import CSV_ROWS_MAX, AsFile, Paging, csv_answer, sorted_page
from commonwatt.members import Actor, require_scope

WRITE = [require_scope("sessions:write")]
Order = Annotated[str, Parameter(pattern=queries.TAGS.pattern)]
Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/tags", guards=WRITE, include_in_schema=False)
async def show_tags(
    database: Database,
    paging: Paging,
    q: Annotated[str, Parameter(max_length=100)] = "",
    sort: Order = "",
    tag: str = "",
    done: str = "",
    as_file: AsFile = "",
) -> Template | Stream:
    """List the tags that charge on account; `tag` fills the form, as when it was seen at a station.

    `format=csv` gives the list as a file.
    """
    if as_file:
        rows = await database.read(queries.list_tags, text=q, sort=sort or "holder", limit=CSV_ROWS_MAX)
        told = (tuple(shown_tag(row).values()) for row in rows)
        return csv_answer("tags", ("id_tag", "holder", "state", "made", "account"), told)
    return await _page(database, paging, q, {"id_tag": tag[:20]} if tag else {}, sort=sort, done=done)


async def _page(
    database: Database,
    paging: Paging,
    q: str = "",
    typed: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
    *,
    sort: str = "",
    done: str = "",
    status: int = 200,
) -> Template:
    sorted_by = (queries.TAGS, sort or "holder", paging)
    page = await sorted_page(database, queries.list_tags, text=q, order=sorted_by)
    context = {
        "tags": page.items,
        "next_cursor": page.next_cursor,
        "account_of_tag": account_of_tag,
        "filtered": bool(q),
        "may_change": True,
        "typed": typed or {},
        "errors": errors or [],
        "done": done,
    }
    return Template("charging/tags.html", context=context, status_code=status)


@post("/tags", guards=WRITE, include_in_schema=False)
async def add(data: Form, database: Database, actor: Actor) -> Template | Redirect:
    """Let a tag charge on account of its holder."""
    typed = {name: str(data.get(name, "")).strip() for name in ("id_tag", "holder")}
    try:
        await database.write(add_tag, typed["id_tag"], typed["holder"], actor=actor)
    except Refused as error:
        wrong = [{"field": "id_tag", "message": error.said}]
        return await _page(database, Paging(), "", typed, wrong, status=error.status)
    return Redirect("/tags?done=added", status_code=303)


@post("/tags/{tag_id:str}/block", guards=WRITE, include_in_schema=False)
async def block(tag_id: str, database: Database, actor: Actor) -> Redirect:
    """Refuse a tag from now on."""
    await database.write(block_tag, tag_id, actor=actor)
    return Redirect("/tags?done=blocked", status_code=303)


@post("/tags/{tag_id:str}/unblock", guards=WRITE, include_in_schema=False)
async def unblock(tag_id: str, database: Database, actor: Actor) -> Redirect:
    """Let a tag in again."""
    await database.write(block_tag, tag_id, blocked=False, actor=actor)
    return Redirect("/tags?done=unblocked", status_code=303)


@post("/tags/{tag_id:str}/remove", guards=WRITE, include_in_schema=False)
async def remove(tag_id: str, database: Database, actor: Actor) -> Redirect:
    """Forget a tag."""
    await database.write(remove_tag, tag_id, actor=actor)
    return Redirect("/tags?done=removed", status_code=303)


ROUTES = [show_tags, add, block, unblock, remove]
