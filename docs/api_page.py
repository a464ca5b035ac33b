"""Describes the API from the OpenAPI description that a server itself gives: `api.md` and `openapi.json`."""

from __future__ import annotations

import asyncio
import functools
import json
import tempfile
from typing import Any

from commonwatt.kernel import SeededIds
from commonwatt.kit.clock import SteppedClock
from commonwatt.kit.database import open_engine
from commonwatt.main.asgi import build_pages
from commonwatt.main.assembly import assemble
from commonwatt.main.configuration import load
from commonwatt.main.serving import site_of
from commonwatt.main.worlds import open_worlds, rules_of

METHODS = ("get", "post", "put", "patch", "delete")
OFFERED = ("/api/", "/.well-known/", "/lnurl")


@functools.cache
def schema() -> dict[str, Any]:
    """Return the OpenAPI description of a house in the sandbox, as its `/api/v1/openapi.json` answers."""
    return asyncio.run(_ask())


async def _ask() -> dict[str, Any]:
    clock, ids = SteppedClock(), SeededIds()
    with tempfile.TemporaryDirectory() as folder:
        config = load({"data.dir": folder}, {}).config
        worlds = await open_worlds(config, clock, ids)
        house = assemble(
            site=site_of(config, 8080),
            engine=open_engine(None),
            clock=clock,
            ids=ids,
            rails=worlds.rails,
            rules=rules_of(config),
            inline=True,
        )
        described = build_pages(config, house, worlds).openapi_schema.to_schema()
        house.database.close()
        for source in worlds.rate_sources:
            await source.close()
        if worlds.sandbox is not None:
            worlds.sandbox.close()
    return described


def schema_json() -> str:
    """Return the description as a file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def page() -> str:
    """Return every operation as Markdown, by its group."""
    groups: dict[str, list[str]] = {}
    for path, item in sorted(schema()["paths"].items()):
        for method in METHODS:
            if method in item and path.startswith(OFFERED):
                groups.setdefault((item[method].get("tags") or ["other"])[0], []).extend(
                    _operation(method, path, item[method])
                )
    lines = [
        "# The API",
        "",
        "Programs sign in with `Authorization: Bearer cw_...`; `commonwatt token create` makes a token. Lists answer "
        '`{"items": [...], "next_cursor": ...}` and take `limit` and `cursor`; amounts are whole units of an asset, '
        "instants are RFC 3339, errors are problem details (RFC 9457) whose `type` leads to a page of the "
        "[problems](../problems/index.md). A running server shows the same with every shape at `/api/v1/reference`.",
        "",
        "The machine-readable description: [openapi.json](openapi.json) (OpenAPI 3.1).",
    ]
    for name, parts in sorted(groups.items()):
        lines += ["", f"## {name.capitalize()}", *parts]
    return "\n".join(lines) + "\n"


def _operation(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    words = operation.get("description") or operation.get("summary") or ""
    lines = ["", f"### `{method.upper()} {path}`", "", " ".join(words.split())]
    if rows := [_parameter(one) for one in operation.get("parameters", [])]:
        lines += ["", "| parameter | in | needed | meaning |", "|---|---|---|---|", *rows]
    return lines


def _parameter(one: dict[str, Any]) -> str:
    meaning = " ".join((one.get("description") or "").split()).replace("|", "\\|")
    return f"| `{one['name']}` | {one['in']} | {'yes' if one.get('required') else ''} | {meaning} |"
