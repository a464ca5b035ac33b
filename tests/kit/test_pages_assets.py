"""Built files: names, caching, compression; the site's colour; the routes of the page kit in a real application."""

from __future__ import annotations

import gzip
import re

import pytest
from litestar import get
from litestar.response import Template
from litestar.testing import AsyncTestClient

from commonwatt.kernel import Missing
from commonwatt.kit import pages
from commonwatt.kit.pages import assets, colour
from commonwatt.kit.web import Behaviour, Live, Site, build_app

built = pytest.mark.skipif(not (assets.BUILT / "manifest.json").exists(), reason="run `make web` first")
SITE = Site("Hilltop Charging", "http://testserver.local", timezone="Europe/Prague", sandbox=True, accent="#aa5500")


@get("/c/{name:str}", include_in_schema=False)
async def show_empty(name: str) -> Template:
    if name == "gone":
        raise Missing("It is gone.")
    return Template("document.html", context={"title": name, "body": "<p>text</p>"})


@pytest.fixture
async def client(database, clock, ids):
    behaviour = Behaviour(template_config=pages.template_engine(clock))
    routes = [*pages.ROUTES, *pages.DEMO_ROUTES, show_empty]
    app = build_app(routes, site=SITE, database=database, clock=clock, ids=ids, live=Live(), behaviour=behaviour)
    async with AsyncTestClient(app, base_url=SITE.base_url) as client:
        yield client


@built
async def test_a_built_file_is_kept_for_ever_and_comes_compressed(client):
    answer = await client.get(pages.asset("app.css"), headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    again = await client.get(
        pages.asset("app.css"), headers={"if-none-match": answer.headers["etag"], "accept-encoding": "gzip"}
    )
    assert again.status_code == 304
    assert not again.content
    whole = await client.get(pages.asset("app.css"), headers={"accept-encoding": "identity"})
    assert "content-encoding" not in whole.headers
    assert whole.text == answer.text


@built
@pytest.mark.parametrize(
    "name", ["manifest.json", ".ready", "%2e%2e%2fpage.py", "..", "app.css", "x" * 500, "accent-zzz.css"]
)
async def test_nothing_else_is_served(client, name):
    assert (await client.get(f"/static/{name}", headers={"accept": "text/html"})).status_code == 404


@built
async def test_the_favicon_is_the_mark(client):
    assert (await client.get("/favicon.ico")).headers["content-type"] == "image/svg+xml"


@built
async def test_a_page_is_light_on_the_wire(client):
    """First paint of a passer-by page: page, stylesheets, font, icons and the script, below 100 KB compressed."""
    page = await client.get("/c/x", headers={"accept": "text/html"})
    names = set(re.findall(r'(?:href|src)="/static/([^"#]+)', page.text))
    total = len(gzip.compress(page.content))
    for name in names:
        found = assets.find_asset(name)
        assert found is not None, name
        total += len(found.packed or found.content)
    scripts = [name for name in names if name.startswith("passer")]
    for name in scripts:
        for part in re.findall(r'from"\./([^"]+)"|import"\./([^"]+)"', assets.find_asset(name).content.decode()):
            total += len(assets.find_asset(next(filter(None, part))).packed)
    assert total < 100_000


@built
async def test_a_page_obeys_the_content_policy(client):
    page = await client.get("/c/x", headers={"accept": "text/html"})
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert " style=" not in page.text
    assert "https://" not in re.sub(r"<!--.*?-->", "", page.text)


@built
async def test_the_page_speaks_the_language_of_its_visitor(client):
    page = await client.get("/c/x", headers={"accept": "text/html", "accept-language": "cs"})
    assert '<html lang="cs"' in page.text
    assert "hrací peníze" in page.text
    chosen = await client.get("/language/fr", params={"back": "/c/x"}, follow_redirects=False)
    assert chosen.status_code == 303
    assert chosen.headers["location"] == "/c/x"
    assert "lang=fr" in chosen.headers["set-cookie"]


@built
@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_the_choice_of_language_leads_nowhere_else(client, back):
    answer = await client.get("/language/de", params={"back": back}, follow_redirects=False)
    assert answer.headers["location"] == "/"


@built
async def test_a_language_that_is_not_offered_is_refused(client):
    assert (await client.get("/language/xx", follow_redirects=False)).status_code == 400


@built
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_theme_of_the_cookie_is_rendered_at_once(client, theme):
    page = await client.get("/c/x", headers={"accept": "text/html", "cookie": f"theme={theme}"})
    assert f'data-theme="{theme}"' in page.text


@built
async def test_a_hostile_theme_is_ignored(client):
    page = await client.get("/c/x", headers={"accept": "text/html", "cookie": 'theme="><script>'})
    assert "data-theme=" not in page.text.partition("<body")[0]


@built
async def test_an_error_is_a_page_for_people(client):
    page = await client.get("/c/gone", headers={"accept": "text/html", "accept-language": "de"})
    assert page.status_code == 404
    assert "Nicht gefunden" in page.text
    assert "It is gone." in page.text


@built
async def test_the_parts_are_shown_on_one_page(client):
    page = await client.get("/parts", headers={"accept": "text/html"})
    assert page.status_code == 200
    for part in (
        "pill tone-ok",
        "stat-value",
        "table cards",
        'class="filters"',
        'class="timeline"',
        "data-chart",
        "qr-box",
        "data-copy",
        "data-dialog",
        "<progress",
        'class="toast"',
        "card problem",
        "data-offline",
        'class="empty"',
        'class="pager"',
        'class="tabs"',
        'class="field"',
    ):
        assert part in page.text, part


def test_what_is_not_built_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "BUILT", tmp_path)
    assets.build.cache_clear()
    with pytest.raises(assets.AssetsNotBuilt, match="make web"):
        assets.asset("app.css")
    assets.build.cache_clear()


@built
def test_an_icon_that_is_not_in_the_sprite_is_named():
    with pytest.raises(assets.AssetsNotBuilt, match=r"icons\.json"):
        assets.icon("no-such-icon")


@pytest.mark.parametrize("accent", ["#0b6e4f", "#ffffff", "#000000", "#ffe600", "#ff0000", "#3399ff", "#808080"])
def test_any_colour_of_a_site_stays_readable(accent):
    sheet = colour.accent_stylesheet(accent)
    light, _, dark = re.findall(r"--accent:(#\w+);--accent-strong:#\w+;--accent-soft:(#\w+);--on-accent:(#\w+)", sheet)
    for (text, soft, on), ground in ((light, "#ffffff"), (dark, "#171d1a")):
        read = colour.read_colour
        assert colour.contrast(read(text), read(ground)) >= 4.4
        assert colour.contrast(read(text), read(soft)) >= 4.4
        assert colour.contrast(read(on), read(text)) >= 4.4


@pytest.mark.parametrize("text", ["", "red", "#12345", "123456#", "#12345g"])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ValueError, match=r"colour|invalid literal"):
        colour.accent_stylesheet(text)
