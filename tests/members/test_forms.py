"""The forms of people's pages: a secret is made and shown once, and what is refused stays on its page."""

import re

import pytest
from tests.members.conftest import HTML

CODE = re.compile(r"<code>([0-9a-z]{4}(?:-[0-9a-z]{4}){3})</code>")
TOKEN = re.compile(r"cw_[A-Za-z0-9_-]{43}")
LINK = re.compile(r"/invitation/[A-Za-z0-9_-]{43}")
SECRETS = [
    ("/devices", "/devices/codes", {}, CODE, "These codes were made and shown before."),
    ("/tokens", "/tokens", {"name": "ci", "scope": ["books:read"], "days": "30"}, TOKEN, "This token was made"),
    ("/people", "/people/invite", {"name": "Bob", "role": "auditor", "days": "7"}, LINK, "This link was made"),
]
EACH = pytest.mark.parametrize(("page", "place", "fields", "secret", "said"), SECRETS, ids=["codes", "token", "link"])


def key_on(browser, page):
    """The key of the form that a page holds now."""
    return re.search(r'name="once" value="([0-9a-f]+)"', browser.get(page, headers=HTML).text)[1]


def acts(browser):
    """What was done until now, as the audit log has it."""
    return browser.get("/audit.csv").text.splitlines()


@EACH
def test_an_answer_that_is_loaded_anew_makes_nothing_new(owner, page, place, fields, secret, said):
    posted = {"once": key_on(owner, page), **fields}
    first = owner.send_form(place, page, **posted)
    assert secret.search(first.text)
    assert said not in first.text
    done = acts(owner)
    again = owner.send_form(place, page, **posted)
    assert again.status_code == first.status_code
    assert not secret.search(again.text)
    assert said in again.text
    assert acts(owner) == done
    anew = owner.send_form(place, page, **{**posted, "once": key_on(owner, page)})
    assert secret.search(anew.text), "a form that was opened anew makes another one"


def test_codes_that_were_shown_still_count_after_a_reload(owner):
    posted = {"once": key_on(owner, "/devices")}
    codes = CODE.findall(owner.send_form("/devices/codes", "/devices", **posted).text)
    owner.send_form("/devices/codes", "/devices", **posted)
    owner.cookies.clear()
    back = owner.post("/recovery", data={"code": codes[0]}, headers=HTML, follow_redirects=False)
    assert back.headers["location"] == "/devices?recovered=1"


def test_the_same_key_with_other_content_makes_another_one(owner):
    posted = {"once": key_on(owner, "/tokens"), "scope": "books:read", "days": "30"}
    tokens = [TOKEN.findall(owner.send_form("/tokens", "/tokens", name=name, **posted).text) for name in ("a", "b")]
    assert tokens[0] != tokens[1]
    assert all(len(found) > 0 for found in tokens)


@EACH
def test_the_page_of_a_secret_offers_no_language_that_would_lose_it(owner, page, place, fields, secret, said):
    assert "/language/" in owner.get(page, headers=HTML).text
    posted = {"once": key_on(owner, page), **fields}
    shown = owner.send_form(place, page, **posted).text
    assert secret.search(shown)
    assert "/language/" not in shown
    again = owner.send_form(place, page, **posted).text
    assert said in again
    assert f"/language/de?back=/{page.strip('/')}" in again


def test_a_secret_s_page_leads_on_from_its_own_address(owner):
    posted = {"once": key_on(owner, "/people"), "name": "Bob", "role": "auditor", "days": "7"}
    shown = owner.send_form("/people/invite", "/people", **posted).text
    assert "/people.csv" in shown
    assert 'class="filters" method="get" action="/people"' in shown
    assert "/people/invite.csv" not in shown


def test_a_token_without_a_scope_is_refused_on_its_page_and_what_was_typed_stays(owner):
    answer = owner.send_form("/tokens", "/tokens", name="night run", days="365")
    assert answer.status_code == 400
    assert "Choose at least one of the scopes" in answer.text
    assert 'value="night run"' in answer.text
    assert '<option value="365" selected>' in answer.text
    answer = owner.send_form("/tokens", "/tokens", name=" ", scope=["books:read", "sessions:read"], days="30")
    assert answer.status_code == 400
    assert 'href="#f-name"' in answer.text
    assert re.findall(r'name="scope" value="([a-z:]+)" checked', answer.text) == ["sessions:read", "books:read"]


def test_the_only_owner_stays_one_and_the_page_says_why(owner):
    (own,) = re.findall(r'action="/people/([0-9a-f-]+)/role"', owner.get("/people", headers=HTML).text)
    answer = owner.send_form(f"/people/{own}/role", "/people", role="operator")
    assert answer.status_code == 409
    assert "Ada is the only owner. Make somebody else an owner first." in answer.text
    assert '<option value="operator" selected>' in answer.text.partition("Make invitation link")[0]
    assert f'action="/people/{own}/role"' in answer.text
    assert 'action="/people"' in answer.text, "its search leads to the list"
    removed = owner.send_form(f"/people/{own}/remove", "/people")
    assert (removed.status_code, "is the only owner" in removed.text) == (409, True)
    assert f'action="/people/{own}/role"' in removed.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "x" * 81, "role": "auditor", "days": "30"}, "A name has 1 to 80 printable characters."),
        ({"name": " ", "role": "auditor", "days": "30"}, "A name has 1 to 80 printable characters."),
        ({"name": "Bob", "role": "auditor", "days": "400"}, "An invitation is valid for a minute to 90 days."),
        ({"name": "Bob", "role": "auditor", "days": "soon"}, "This must be a whole number."),
    ],
)
def test_an_invitation_that_is_refused_stays_in_its_form(owner, fields, said):
    answer = owner.send_form("/people/invite", "/people", **fields)
    assert answer.status_code == 400
    assert said in answer.text
    form = answer.text.partition('action="/people/invite"')[2]
    assert f'value="{fields["name"]}"' in form
    assert '<option value="auditor" selected>' in form
    assert not LINK.search(answer.text)


def test_a_refused_form_may_be_corrected_under_the_same_key(owner):
    key = key_on(owner, "/people")
    owner.send_form("/people/invite", "/people", once=key, name=" ", role="auditor", days="7")
    answer = owner.send_form("/people/invite", "/people", once=key, name="Bob", role="auditor", days="7")
    assert LINK.search(answer.text)
