"""A command that a person writes by hand: what is wrong with it is said where it was written, and nothing is lost."""

from html import unescape

import pytest
from tests.charging.pages_house import House
from tests.german import GERMAN, words_of

from commonwatt.kernel import Failed
from commonwatt.kit.pages.assets import BUILT

pytestmark = pytest.mark.skipif(not (BUILT / "manifest.json").exists(), reason="run `make web` first")
RAW = "/stations/CP-1/ask/raw"
SCHEMA = 'PropertyConstraintViolation: type: "X" is not one of "Hard" or "Soft"'


@pytest.fixture
def house(database, clock, ids):
    house = House(database, clock, ids)
    house.furnish()
    return house


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("{bad", "Line 1, character 2: a name in double quotes belongs here."),
        ('{"type": "Soft"', "Line 1, character 16: a comma or a closing bracket is missing here."),
        ('\r\n{"type" "Soft"}', "Line 2, character 9: a colon is missing here."),
        ('{"type": Soft}', "Line 1, character 10: a value is missing here; a text needs double quotes."),
        ('{"type": "Soft}', "Line 1, character 10: the text that begins here has no closing quote."),
        ("{} x", "Line 1, character 4: the content ends before this; the rest is too much."),
        ("[" * 20_000, "nested too deep"),
        ("[" * 20_001, "more than 20,000 characters"),
        ("[1]", "must be a JSON object"),
    ],
)
def test_content_that_is_no_json_stays_where_it_was_typed(house, typed, words):
    page = house.send(RAW, 422, action="ClearCache", payload=typed)
    said = unescape(words_of(page))
    assert words in said
    assert "Expecting" not in said
    assert "ClearCache was not sent" in said
    assert '<option value="ClearCache" selected>' in page
    assert typed.replace('"', "&#34;") in page
    assert 'data-live-from="/stations/CP-1?tab=commands"' in page
    assert "04A2" in page, "the last messages are there"
    assert house.line.sent == []


def test_content_against_the_standard_names_the_field_and_stays(house):
    house.line.outcome = Failed(SCHEMA, "invalid")
    page = house.send(RAW, 422, action="Reset", payload='{"type": "X"}')
    said = unescape(words_of(page))
    assert "Reset was not sent" in said
    assert 'type is "X". It must be one of: Hard, Soft.' in said
    assert "PropertyConstraint" not in said
    assert '<option value="Reset" selected>' in page
    assert "{&#34;type&#34;: &#34;X&#34;}" in page
    assert "None yet" not in said
    german = house.client.post(RAW, data={"action": "Reset", "payload": '{"type": "X"}'}, headers=GERMAN)
    assert 'type ist "X". Erlaubt sind: Hard, Soft.' in unescape(words_of(german.text))


@pytest.mark.parametrize(("code", "words"), [("offline", "has no connection"), ("busy", "Other commands still wait")])
def test_what_could_not_be_sent_stays_too(house, code, words):
    house.line.outcome = Failed("gone", code)
    page = house.send(RAW, 422, action="Reset", payload='{"type": "Soft"}')
    assert words in unescape(words_of(page))
    assert "{&#34;type&#34;: &#34;Soft&#34;}" in page


def test_who_comes_back_to_the_address_of_a_command_finds_its_tab(house):
    answer = house.client.get(RAW, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/stations/CP-1?tab=commands")


def test_a_setting_that_cannot_be_sent_is_told_beside_the_others(house):
    page = house.send("/stations/CP-1/ask/configure", 422, key="AuthorizationKey", value="•••")
    assert "The dots stand for a password" in unescape(words_of(page))
    assert "HeartbeatInterval" in page
