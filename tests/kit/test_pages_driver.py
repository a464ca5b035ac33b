"""The driver's pages render in every state, without script in them, and say what matters."""

from __future__ import annotations

import re

import pytest
from tests.kit import pages_fakes as fakes

from commonwatt.kit.pages import Page, template_engine
from commonwatt.kit.pages.assets import BUILT
from commonwatt.kit.web import Site

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
SITE = Site("Hilltop Charging", "http://localhost:8080", timezone="Europe/Prague", sandbox=True)
STATES = ("offered", "starting", "started", "charging", "stopping", "ended", "cancelled")


@pytest.fixture(scope="module")
def engine():
    return template_engine().engine_instance


def render(engine, name, context, language="en"):
    page = Page(fakes.NOW, SITE, language=language, path="/c/cp-1-1")
    return engine.get_template(name).render(page=page, **context)


def words(html: str) -> str:
    html = re.sub(r"<(script|svg|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


@pytest.mark.parametrize("language", ["en", "de", "fr", "cs"])
@pytest.mark.parametrize("status", STATES)
def test_a_session_page_renders_in_each_state_and_language(engine, status, language):
    for change in ("none", "running", "owed", "paying", "paid", "failed"):
        html = render(engine, "charging/session.html", fakes.session_context(status, change), language)
        assert f'<html lang="{language}"' in html
        assert " style=" not in html, "the content policy forbids style attributes"
        assert not re.search(r"<script(?![^>]*(?:src=|application/json))", html), "no script inside a page"


def test_a_free_connector_asks_one_question_and_posts_to_its_own_address(engine):
    html = render(engine, "charging/connector.html", fakes.connector_context("free"))
    assert html.count('class="main-button"') == 1
    assert 'action="/c/cp-1-1/pay"' in html
    assert "0.42 EUR/kWh" in words(html).replace("\xa0", " ")
    assert "30.0 kWh in about" in words(html).replace("\u202f", " ")


@pytest.mark.parametrize("state", ["busy", "offline", "out"])
def test_a_connector_that_cannot_charge_offers_no_payment(engine, state):
    html = render(engine, "charging/connector.html", fakes.connector_context(state))
    assert "<form" not in html
    assert "lnurl1" not in html.lower()


def test_a_connector_without_rate_says_why_and_takes_no_money(engine):
    context = fakes.connector_context("free", choices=[], lnurl="", address="", trouble="No rate is known now.")
    html = render(engine, "charging/connector.html", context)
    assert "No rate is known now." in html
    assert "<form" not in html


def test_a_hostile_name_is_escaped(engine):
    context = fakes.connector_context(connector=fakes.connector(station_name="<script>alert(1)</script>"))
    html = render(engine, "charging/connector.html", context)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_only_a_running_session_can_be_stopped(engine):
    for status in STATES:
        html = render(engine, "charging/session.html", fakes.session_context(status))
        assert (f"/s/{fakes.SECRET}/stop" in html) == (status == "charging"), status


def test_the_page_never_leaks_its_secret_to_other_sites(engine):
    html = render(engine, "charging/session.html", fakes.session_context("charging"))
    assert '<meta name="referrer" content="no-referrer">' in html


@pytest.mark.parametrize("status", STATES)
def test_no_jargon(engine, status):
    said = words(render(engine, "charging/session.html", fakes.session_context(status, "owed"))).lower()
    for word in ("ocpp", "msat", "evse", "invoice", "connector", "successfully", "please", "!"):
        assert word not in said, word


def test_a_receipt_adds_up_on_one_page(engine):
    said = (
        words(render(engine, "charging/receipt.html", fakes.receipt_context()))
        .replace("\xa0", " ")
        .replace("\u202f", " ")
    )
    assert "3.79 EUR" in said
    assert "0.50 EUR" in said
    assert "4.29 EUR" in said
    assert "1,203.400 kWh \u2013 1,212.420 kWh" in said


def test_a_receipt_of_a_session_that_never_began_has_no_lines(engine):
    context = fakes.receipt_context(bill=None, began=None, ended=None, meter_start_wh=None, meter_stop_wh=None)
    assert "never began" in render(engine, "charging/receipt.html", context)
