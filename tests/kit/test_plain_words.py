"""What programs write, told to people: yes and no, dates, and what is nested out of the way."""

import pytest
from tests.kit.test_pages_values import NOW, SITE, plain

from commonwatt.kit.pages import plain_words
from commonwatt.kit.pages.page import Page, rendering


@pytest.fixture(autouse=True)
def english():
    with rendering(Page(NOW, SITE)):
        yield


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        ("", "\u2014"),
        ([], "\u2014"),
        ("operator", "operator"),
        (7, "7"),
        (["stations:read", "books:read"], "stations:read, books:read"),
        ("2026-05-01T12:00:00.000Z", "1 May 2026, 14:00:00"),
        ("2026-13-01T12:00:00.000Z", "2026-13-01T12:00:00.000Z"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_one_fact(value, text):
    assert plain(plain_words.fact(value)) == text


def test_what_is_nested_unfolds_as_json_and_runs_no_markup():
    shown = plain_words.facts({"vat_included": True, "nothing": None, "elements": [{"kind": "</script><b>"}]})
    assert shown.startswith('<span><span class="what">vat included</span> yes</span> <details')
    assert "nothing" not in shown
    assert '<details class="frame">' in shown
    assert "&lt;/script&gt;&lt;b&gt;" in shown
    assert "{&#39;" not in shown


def test_backticks_are_code_and_nothing_else_is_markup():
    assert plain_words.coded("Where `HOST:PORT` <b> listens") == "Where <code>HOST:PORT</code> &lt;b&gt; listens"
