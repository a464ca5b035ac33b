"""Which methods an address takes: HEAD wherever GET is only a look, and one `Allow` that tells all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from litestar import Litestar
from litestar.routes import HTTPRoute

_NO_HEAD = ("/live", "/api/v1/events", "/lnurl")
"""Where a GET goes on for ever, or makes something: wallets know no other method (LUD-03, LUD-06)."""


def answers_head(path: str) -> bool:
    """Whether HEAD is answered at an address like GET, without the body (RFC 9110, 9.3.2)."""
    return not re.sub("/+", "/", path).startswith(_NO_HEAD)


def methods_of(app: Litestar) -> dict[str, frozenset[str]]:
    """Return the methods of each address, by its template."""
    found: dict[str, frozenset[str]] = {}
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            found[route.path_format] = found.get(route.path_format, frozenset()) | route.methods
    return found


def whole_allow(
    headers: Iterable[tuple[bytes, bytes]], scope: Mapping[str, Any], methods: Mapping[str, frozenset[str]]
) -> list[tuple[bytes, bytes]]:
    """Name all methods of an address, in one order whether they were asked for or missed (RFC 9110, 10.2.1).

    Litestar's answer to OPTIONS knows those alone that the address had when it was made.
    """
    told = list(headers)
    said = {word.strip() for name, value in told if name.lower() == b"allow" for word in value.decode().split(",")}
    said |= {"OPTIONS"} | methods.get(scope.get("path_template") or "", frozenset())
    if "GET" in said and answers_head(scope["path"]):
        said.add("HEAD")
    others = [(name, value) for name, value in told if name.lower() != b"allow"]
    return [*others, (b"allow", ", ".join(sorted(said - {""})).encode())]
