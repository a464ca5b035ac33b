"""The owner's pages render empty and full, in English and German, for who may change things and who only looks."""

from __future__ import annotations

import re

import pytest
from tests.kit.pages_owner_fakes import FULL, NOW

from commonwatt.kit.pages import Page, template_engine
from commonwatt.kit.pages.assets import BUILT
from commonwatt.kit.pages.navigation import COMMANDS, MAP, commands_for
from commonwatt.kit.pages.page import Reader
from commonwatt.kit.web import Site

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
SITE = Site("Hilltop Charging", "http://localhost:8080", timezone="Europe/Prague")
LISTS = [
    "sessions",
    "cards",
    "needs",
    "tags",
    "stations",
    "waiting",
    "invoices",
    "payouts",
    "tariffs",
    "postings",
    "accounts",
    "jobs",
    "rails",
    "sheets",
    "quirks",
    "connectors",
    "trial",
    "errors",
    "events",
    "versions",
    "assignments",
    "settings",
    "frames",
    "examples",
    "places",
]


@pytest.fixture(scope="module")
def engine():
    return template_engine().engine_instance


def render(engine, name, context, language="en", role="owner"):
    page = Page(
        NOW,
        SITE,
        language=language,
        path="/stations",
        query=(("q", "<x>"), ("sort", "station")),
        csrf="token",
        reader=Reader("Alice", role),
        sections=MAP,
        served=frozenset({"/search", "/devices"}),
    )
    return engine.get_template(name).render(page=page, **context)


def emptied(context):
    return {
        key: ({} if key == "connectors" and isinstance(value, dict) else [] if key in LISTS else value)
        for key, value in context.items()
    }


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", FULL)
def test_an_owner_page_renders_full_and_empty(engine, name, language):
    for context in (FULL[name], emptied(FULL[name])):
        html = render(engine, name, context, language)
        assert "<h1" in html or name == "stations/qr_sheet.html"
        assert " style=" not in html, "the content policy forbids style attributes"
        assert not re.search(r"<script(?![^>]*(?:src=|application/json))", html), "no script inside a page"
        assert not re.search(r"\son[a-z]+=", html), "no handler attributes"
        assert '"<x>"' not in html, "the address's values are escaped"


@pytest.mark.parametrize(
    "name",
    ["stations/stations.html", "stations/station.html", "charging/tags.html", "tariffs/tariff.html", "jobs.html"],
)
def test_who_may_not_change_sees_no_form_that_posts(engine, name):
    html = render(engine, name, {**FULL[name], "may_change": False, "may_command": False}, role="auditor")
    main = html[html.index('<main class="page"') : html.index("</main>")]
    assert 'method="post"' not in main


def test_every_posting_form_carries_the_forgery_token(engine):
    for name, context in FULL.items():
        html = render(engine, name, context)
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", html, flags=re.DOTALL):
            assert 'name="csrf" value="token"' in form, name


@pytest.mark.parametrize("tab", ["overview", "messages", "configuration", "commands", "settings"])
def test_a_station_has_its_tabs(engine, tab):
    html = render(engine, "stations/station.html", {**FULL["stations/station.html"], "tab": tab})
    assert html.count('aria-current="page"') >= 1


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        ("owner", {"Add station", "Make tariff", "Add tag", "Print QR codes", "Invite somebody", "Make token"}),
        ("operator", {"Add station", "Make tariff", "Add tag", "Print QR codes", "Make token"}),
        ("auditor", {"Print QR codes"}),
    ],
)
def test_the_palette_offers_what_the_reader_may_do(role, offered):
    served = {command.path for command in COMMANDS}
    assert {command.label for command in commands_for(role, served.__contains__)} == offered
    assert commands_for(role, set().__contains__) == ()


def test_the_palette_knows_every_page_of_the_map(engine):
    html = render(engine, "settings.html", FULL["settings.html"])
    places = html[html.index('id="places-known"') :]
    for section in MAP:
        for entry in section.entries:
            assert f'href="{entry.href}"' in places


def test_what_happened_to_a_payment_is_told_in_the_readers_language(engine):
    events = [{"what": "Money received", "when": NOW}]
    html = render(engine, "payments/payment.html", {**FULL["payments/payment.html"], "events": events}, "de")
    assert "Geld erhalten" in html


def test_an_unknown_outcome_never_reads_as_failed(engine):
    html = render(engine, "payments/payments.html", {**FULL["payments/payments.html"], "tab": "out"})
    assert "Being settled" in html
    assert "Not delivered</span>" not in html
