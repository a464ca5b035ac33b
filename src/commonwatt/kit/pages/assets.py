"""What `web/build.py` built, served by us: names with a digest in them, so a browser keeps them for ever.

`asset("app.css")` turns a plain name into an address; `STATIC_ROUTES` serve them compressed. The stylesheet of the
site's own colour is made here, because only the owner knows it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from markupsafe import Markup

from commonwatt.kernel import Broken, Missing, sha256_hex
from commonwatt.kit.pages.colour import accent_stylesheet

BUILT = Path(__file__).parent / "static" / "built"
FOREVER = "public, max-age=31536000, immutable"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_ACCENT = re.compile(r"accent-([0-9a-f]{6})\.css")
_SYMBOL = re.compile(r'<symbol id="([a-z0-9-]+)"')


class AssetsNotBuilt(Broken):
    """The browser files are missing from this installation."""

    slug = "assets-not-built"
    title = "The browser files are not built"


@dataclass(frozen=True, slots=True)
class Asset:
    """One built file in memory, with its gzip twin where it compresses."""

    media_type: str
    content: bytes
    packed: bytes | None
    tag: str


@dataclass(frozen=True, slots=True)
class Build:
    """One whole build in memory (a megabyte), so that a build beside a running server changes nothing for it."""

    names: dict[str, str]
    """Plain names -> built names."""
    files: dict[str, Asset]
    icons: frozenset[str]


@cache
def build() -> Build:
    """Read the build. Raises AssetsNotBuilt."""
    try:
        names: dict[str, str] = json.loads((BUILT / "manifest.json").read_text("utf-8"))
        files = {path.name: _read(path) for path in sorted(BUILT.iterdir()) if path.suffix in TYPES}
        sprite = files[names["icons.svg"]].content.decode()
    except (OSError, KeyError, ValueError) as error:
        raise AssetsNotBuilt(
            "The stylesheet and scripts of the pages are not built. In a working copy run `make web`; an installed "
            "wheel always has them, so install it anew."
        ) from error
    return Build(names, files, frozenset(_SYMBOL.findall(sprite)))


def _read(path: Path) -> Asset:
    content, twin = path.read_bytes(), path.with_name(f"{path.name}.gz")
    packed = twin.read_bytes() if twin.is_file() else None
    return Asset(TYPES[path.suffix], content, packed, sha256_hex(content)[:16])


def asset(name: str) -> str:
    """Return the address of a built file by its plain name, `app.css`. Raises AssetsNotBuilt."""
    try:
        return f"/static/{build().names[name]}"
    except KeyError as error:
        raise AssetsNotBuilt(f"The browser file {name} is not in this build: run `make web`.", name=name) from error


@cache
def icon(name: str, label: str = "") -> Markup:
    """Return an icon of the sprite; decorative unless a label says what it means. Raises AssetsNotBuilt."""
    if name not in build().icons:
        raise AssetsNotBuilt(f"There is no icon {name!r}: add it to web/icons.json and run `make web`.", name=name)
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"/></svg>').format(spoken, asset("icons.svg"), name)


@lru_cache(maxsize=64)
def accent_asset(colour: str) -> Asset:
    """Return the stylesheet of a colour `#rrggbb`."""
    content = accent_stylesheet(colour).encode()
    return Asset(TYPES[".css"], content, None, sha256_hex(content)[:16])


def find_asset(file: str) -> Asset | None:
    """Return a built file by its built name; what is not of a known type or not built is None."""
    if match := _ACCENT.fullmatch(file):
        return accent_asset(f"#{match[1]}")
    return build().files.get(file)


def answer_asset(request: Request[Any, Any, Any], found: Asset, caching: str) -> Response[bytes]:
    """Answer with a file, its compressed twin, or nothing when the browser has it already."""
    packed = found.packed is not None and "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": caching, "ETag": f'"{found.tag}{"-gz" if packed else ""}"', "Vary": "Accept-Encoding"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=found.media_type)
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = found.packed if packed and found.packed is not None else found.content
    return Response(body, headers=headers, media_type=found.media_type)


@get("/static/{file:str}", include_in_schema=False, name="static", opt={"any_host": True})
async def show_asset(request: Request[Any, Any, Any], file: str) -> Response[bytes]:
    """Serve one built file."""
    found = find_asset(file)
    if found is None:
        raise Missing("There is no such file. A page that was open during an update asks for old ones: reload it.")
    return answer_asset(request, found, FOREVER)


@get("/favicon.ico", include_in_schema=False)
async def show_mark(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Serve the mark to browsers that ask for it without reading the page."""
    found = find_asset(build().names["mark.svg"])
    if found is None:
        raise Missing("This build has no mark.")
    return answer_asset(request, found, "public, max-age=86400")


STATIC_ROUTES = [show_asset, show_mark]
