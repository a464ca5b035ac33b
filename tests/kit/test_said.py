"""Sentences of code: English for programs, every language for pages, whatever stands in their values."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest

from commonwatt import kernel
from commonwatt.kernel import Fault, Said, said
from commonwatt.kit.pages import catalog
from commonwatt.kit.pages.texts import PASSER_LANGUAGES, tell
from commonwatt.kit.web.encoding import to_json

LEAST = "One may pay %(least)s to %(most)s sats at once here."
SOURCE = Path(kernel.__file__).parents[1]


def test_it_is_the_english_sentence():
    sentence = said(LEAST, least=1000, most=1_000_000)
    assert sentence == "One may pay 1000 to 1000000 sats at once here."
    assert isinstance(sentence, str)
    assert to_json({"detail": sentence}) == b'{"detail":"One may pay 1000 to 1000000 sats at once here."}'


def test_an_error_tells_programs_a_plain_text_and_pages_the_sentence():
    error = Fault(said(LEAST, least=1, most=2), least=1)
    assert type(error.detail) is str
    assert str(error) == error.detail == "One may pay 1 to 2 sats at once here."
    assert isinstance(error.said, Said)
    assert tell(Fault("Not found").said, "de") == "Nicht gefunden", "a constant is looked up as it is"


def test_pages_may_say_it_in_other_words_than_programs():
    error = Fault("no route: code 7").in_words(said("Not found"))
    assert (error.detail, tell(error.said, "cs")) == ("no route: code 7", "Nenalezeno")


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "One may pay 1,000 to 1,000,000 sats at once here."),
        ("de", "Hier kann man 1.000 bis 1.000.000 Sats auf einmal zahlen."),
    ],
)
def test_numbers_are_written_in_the_language_s_way(language, told):
    assert tell(said(LEAST, least=1000, most=1_000_000), language) == told


def test_parts_of_a_satoshi_and_sentences_inside_sentences():
    assert tell(said("You can receive up to %(sats)s sats.", sats=Decimal("8862.8")), "de").endswith(
        "8.862,8 Sats empfangen."
    )
    inside = said("The other side says: %(reason)s", reason=said("The request cannot be read."))
    assert inside == "The other side says: The request cannot be read."
    assert tell(inside, "de") == "Die Gegenseite sagt: Die Anfrage kann nicht gelesen werden."


@pytest.mark.parametrize("hostile", ["%(least)s", "100 %", "%s%n", "%%", "<b>", "", "\N{SNOWMAN}" * 99])
def test_hostile_values_are_only_values(hostile):
    for language in PASSER_LANGUAGES:
        assert hostile in tell(said("The other side says: %(reason)s", reason=hostile), language)
        assert hostile in tell(said("The other side says: %(reason)s", reason=said(hostile)), language)
    assert tell("", "de") == "", "gettext answers the empty text with the catalog's head"


@pytest.mark.parametrize("place", catalog.SAID_TO_PASSERS)
def test_errors_that_passers_by_read_are_said(place):
    tree = ast.parse((SOURCE / place).read_text("utf-8"))
    worded = {
        node.func.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "in_words"
    }
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    names = {fault.id for fault in raised if isinstance(fault, ast.Name)}
    kept = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    raised += [node.value for node in kept if any(isinstance(to, ast.Name) and to.id in names for to in node.targets)]
    for node in raised:
        if isinstance(node, ast.Call) and node.args and node not in worded:
            name = ast.unparse(node.func)
            formatted = isinstance(node.args[0], ast.JoinedStr)
            bare = formatted or isinstance(node.args[0], ast.Constant)
            wire = formatted and name in {"LnurlError", "AmountOutOfRange"}
            assert not bare or wire or name.endswith(".in_words"), f"line {node.lineno}: say it with said()"


def test_what_passers_by_read_is_translated_into_their_languages():
    passers = catalog.passer_templates()
    for message in catalog.extract():
        if any(place in catalog.SAID_TO_PASSERS for place, _ in message.locations):
            assert catalog.languages_of(message, passers) == PASSER_LANGUAGES[1:]
