"""The driver's pages render in every state, without script in them, and say what matters."""

from __future__ import annotations

import gzip
import re

import pytest
from tests.kit import pages_fakes as fakes

from commonwatt.kernel import BTC, EUR, Amount
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
    assert "about 11.9 kWh" in words(html).replace("\u202f", " ")
    assert "in about" not in words(html), "the choices say it already"


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


def test_the_code_for_more_credit_keeps_its_parts_apart(engine):
    html = render(engine, "charging/session.html", fakes.session_context("charging", top_up=fakes.invoice()))
    unfolded = re.search(r"Add credit</summary>(.*?)</details>", html, re.DOTALL)[1]
    assert re.match(r'\s*<div class="stack"><div class="qr">', unfolded)
    for part in ("sandbox-wallet", 'class="countdown"'):
        assert part in unfolded


def test_a_done_step_has_a_mark_and_the_time_left_is_a_figure(engine):
    html = render(engine, "charging/session.html", fakes.session_context("starting"))
    done = re.search(r'<li class="done">(.*?)</li>', html, re.DOTALL)
    assert done is not None
    assert "#check" in done[1]
    assert re.search(r'<p class="countdown" role="timer">.*data-countdown', html)
    assert "Until" in words(html), "without script the moment itself is told"


def test_a_session_calls_its_connector_as_the_connector_s_page_does(engine):
    nameless = fakes.connector(label="")
    pages = [render(engine, "charging/connector.html", fakes.connector_context("free", connector=nameless))]
    for status in ("offered", "starting", "charging", "ended"):
        context = {**fakes.session_context(status), "connector": nameless}
        pages.append(render(engine, "charging/session.html", context))
    for html in pages:
        assert f"Connector {nameless.number}" in words(html)
        assert nameless.name not in words(html).split()


def test_a_price_of_parking_says_from_which_minute_on(engine):
    html = render(engine, "charging/connector.html", fakes.connector_context("free"), "de")
    assert "ab Minute" in words(html)


@pytest.mark.parametrize(("language", "rate"), [("en", "1 BTC = 68,756.70 EUR"), ("de", "1 BTC = 68.756,70 EUR")])
def test_a_receipt_names_its_rate_and_prices_by_locale(engine, language, rate):
    said = words(render(engine, "charging/receipt.html", fakes.receipt_context(), language)).replace("\xa0", " ")
    assert rate in said
    assert "EUR/kWh" in said


@pytest.mark.parametrize("language", ["en", "de", "fr", "cs"])
def test_the_first_paint_is_small(engine, language):
    for name, context in (
        ("charging/connector.html", fakes.connector_context("free")),
        ("charging/session.html", fakes.session_context("charging")),
    ):
        html = render(engine, name, context, language)
        styles = (BUILT / re.search(r"/static/(app-[0-9a-f]+[.]css)", html)[1]).read_bytes()
        assert len(gzip.compress(html.encode())) + len(gzip.compress(styles)) < 100_000


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
    context = fakes.receipt_context(bill=None, vat=0, began=None, ended=None, meter_start_wh=None, meter_stop_wh=None)
    assert "never began" in render(engine, "charging/receipt.html", context)


@pytest.mark.parametrize(
    ("status", "change", "seconds"),
    [
        ("offered", "none", 15),
        ("starting", "none", 60),
        ("started", "none", 60),
        ("charging", "none", 60),
        ("stopping", "none", 15),
        ("ended", "paying", 15),
        ("ended", "owed", 0),
        ("ended", "paid", 0),
    ],
)
def test_without_script_a_session_page_looks_again_while_something_is_awaited(engine, status, change, seconds):
    html = render(engine, "charging/session.html", fakes.session_context(status, change, top_up=None))
    renewed = re.findall(r'<noscript><meta http-equiv="refresh" content="([^"]*)"></noscript>', html)
    assert renewed == ([f"{seconds}; url=/s/{fakes.SECRET}"] if seconds else [])
    assert ("Look again" in words(html)) == (f"every {seconds} seconds" in words(html)) == bool(seconds)


def test_the_sats_of_a_receipt_add_up_on_paper(engine):
    def both(msat):
        return {"amount": Amount(EUR, msat), "sats": Amount(BTC, msat)}

    sums = {"paid": both(16_667_000), "total": both(262_500), "returned": both(16_404_500), "owed": both(0)}
    said = words(render(engine, "charging/receipt.html", fakes.receipt_context(**sums))).replace("\xa0", " ")
    for text in ("16,667 sats", "262.500 sats", "16,404.500 sats"):
        assert text in said
