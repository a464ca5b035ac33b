"""The API's reference as a page of ours: rendered from OpenAPI on the server, no script, nothing from elsewhere."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

from litestar import Request, get
from litestar.openapi.plugins import OpenAPIRenderPlugin

from commonwatt.kit.web.problems import render_own

_OFFERED = ("/api/", "/.well-known/", "/lnurl")
_METHODS = ("get", "post", "put", "patch", "delete")
_REFUSED = "400"
"""Statuses from here on are refusals, all of one shape."""
say = html.escape


@get("/api/v1/openapi.json", include_in_schema=False, sync_to_thread=False)
def show_schema(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Return the description of the API, OpenAPI 3.1."""
    return request.app.openapi_schema.to_schema()


class ReferencePage(OpenAPIRenderPlugin):
    """Renders every operation with its parameters, body and answers."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page; inside the site's own layout (`reference.html`) where the page kit has one."""
        body = "".join(_groups(openapi_schema))
        info = openapi_schema["info"]
        title = f"{info['title']} {info['version']}"
        lead = (
            "<p>Programs sign in with <code>Authorization: Bearer cw_...</code>; make a token under Settings or with "
            "<code>commonwatt token create</code>. The machine-readable description is "
            "<a href='/api/v1/openapi.json'>openapi.json</a>. Refusals are problem details (RFC 9457) whose "
            "<code>slug</code> names the rule; each has a page, to which <code>type</code> leads.</p>"
        )
        page = render_own(request, "reference.html", title=title, body=lead + body)
        if page is not None:
            return page.encode()
        return (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>{say(title)}</title><main><h1>{say(title)}</h1>{lead}{body}</main></html>"
        ).encode()


def _groups(schema: dict[str, Any]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for path, item in sorted(schema.get("paths", {}).items()):
        for method in _METHODS:
            if method in item and path.startswith(_OFFERED):
                operation = item[method]
                tag = (operation.get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append(_operation(path, method, operation, schema))
    return [
        f"<section><h2>{say(tag.capitalize())}</h2>{''.join(parts)}</section>" for tag, parts in sorted(groups.items())
    ]


def _operation(path: str, method: str, operation: dict[str, Any], schema: dict[str, Any]) -> str:
    parts = [f"<p>{say(operation.get('description') or '')}</p>"]
    if parameters := operation.get("parameters"):
        rows = [
            f"<td><code>{say(one['name'])}</code></td><td>{say(one['in'])}</td>"
            f"<td>{say(_kind(one.get('schema', {})))}</td><td>{'required' if one.get('required') else ''}</td>"
            f"<td>{say(one.get('description') or '')}</td>"
            for one in parameters
        ]
        parts.append(_table(("Parameter", "In", "Kind", "", "Meaning"), rows))
    for media, content in (operation.get("requestBody") or {}).get("content", {}).items():
        parts.append(_shape(f"Body ({media})", content.get("schema", {}), schema))
    refusals = []
    for status, answer in sorted(operation.get("responses", {}).items()):
        words = answer.get("description", "")
        if status >= _REFUSED:
            refusals.append(f"<td><code>{say(status)}</code></td><td>{say(words)}</td>")
            continue
        contents: dict[str, Any] = answer.get("content") or {}
        shape: dict[str, Any] = next((content.get("schema", {}) for content in contents.values()), {})
        parts.append(_shape(f"Answer {status}: {words}", shape, schema))
    if refusals:
        parts.append(_table(("Refusal", "Meaning"), refusals))
    what = say(operation.get("summary") or path)
    head = f"<strong class=verb>{method.upper()}</strong> <span class=what>{what}</span> <code>{say(path)}</code>"
    return f"<details><summary>{head}</summary>{''.join(parts)}</details>"


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{say(one)}</th>" for one in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<div class=table-box><table class=table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _shape(title: str, shape: dict[str, Any], schema: dict[str, Any]) -> str:
    if not shape:
        return f"<p>{say(title)}</p>"
    text = json.dumps(_resolved(shape, schema, 4), indent=2, ensure_ascii=False)
    return f"<p>{say(title)}</p><pre><code>{say(text)}</code></pre>"


def _kind(shape: dict[str, Any]) -> str:
    kinds = [one.get("type", "") for one in shape.get("oneOf", [])] or [shape.get("type", "")]
    return " or ".join(str(kind) for kind in kinds if kind and kind != "null")


def _resolved(shape: Any, schema: dict[str, Any], depth: int) -> Any:
    """Replace references by what they name, a few levels deep."""
    if isinstance(shape, list):
        return [_resolved(item, schema, depth) for item in shape]
    if not isinstance(shape, dict):
        return shape
    if "$ref" in shape:
        name = str(shape["$ref"]).rsplit("/", 1)[-1]
        if depth == 0:
            return name
        return _resolved(schema.get("components", {}).get("schemas", {}).get(name, {}), schema, depth - 1)
    return {key: _resolved(value, schema, depth) for key, value in shape.items() if key != "title"}
