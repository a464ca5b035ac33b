"""Every text of a passer-by page is there in four languages, every text of an owner's page in two."""

from __future__ import annotations

import re

import pytest

from commonwatt.kit.pages import catalog
from commonwatt.kit.pages.texts import OWNER_LANGUAGES, PASSER_LANGUAGES, choose_language, texts


@pytest.mark.parametrize("language", PASSER_LANGUAGES[1:])
def test_nothing_is_untranslated(language):
    lacking = catalog.missing(language)
    assert not lacking, f"run `python -m commonwatt.kit.pages.catalog`, then translate: {lacking[:10]}"


@pytest.mark.parametrize("language", PASSER_LANGUAGES[1:])
def test_translations_keep_the_placeholders(language):
    for message in catalog.load(language):
        if message.id and message.string:
            ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            wanted = set(re.findall(r"%\(\w+\)s", " ".join(ids)))
            for string in filter(None, strings):
                assert set(re.findall(r"%\(\w+\)s", string)) == wanted, message.id
                assert not re.search(r"%(?![%(])", string.replace("%%", "")) or "%%" not in ids[0], message.id
                assert "!" not in string


@pytest.mark.parametrize("language", PASSER_LANGUAGES[1:])
def test_a_catalog_is_in_use(language):
    assert texts(language).gettext("Pay and charge") != "Pay and charge"


def test_passer_pages_are_found_by_what_they_extend():
    passers = catalog.passer_templates()
    assert "charging/session.html" in passers
    assert "parts/qr_card.html" in passers
    assert "charging/sessions.html" not in passers


@pytest.mark.parametrize(
    ("cookie", "accepted", "chosen"),
    [
        ("de", "fr", "de"),
        (None, "fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        (None, "pl, cs;q=0.5, en;q=0.2", "cs"),
        (None, "de;q=0, en;q=0.5", "en"),
        (None, "xx", "en"),
        (None, "", "en"),
        ("xx", "de", "de"),
        (None, "de;q=banana, fr;q=0.1", "fr"),
        (None, "," * 10_000 + "de", "en"),
    ],
)
def test_the_language_is_the_visitors(cookie, accepted, chosen):
    assert choose_language(cookie, accepted, "en", PASSER_LANGUAGES) == chosen


def test_owner_pages_speak_two_languages():
    assert choose_language("fr", "cs, de;q=0.3", "en", OWNER_LANGUAGES) == "de"
