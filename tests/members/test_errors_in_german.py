"""Coming in: whatever is refused on the way is told in the reader's language, to a page's script too."""

from __future__ import annotations

import re

import pytest
from tests.german import GERMAN, english_in, words_of
from tests.members.conftest import BASE, HTML

OURS = {**HTML, **GERMAN}
CSRF = re.compile(r'name="csrf-token" content="([^"]*)"')


def told(answer, status):
    assert answer.status_code == status, answer.text
    assert english_in(answer.text) == [], words_of(answer.text)
    return words_of(answer.text)


def test_while_nobody_owns_the_site_there_is_no_passkey_to_show(browser):
    page = browser.get("/sign-in", headers=OURS)
    assert "noch keinen Eigentümer" in told(page, 200)
    assert "<code>commonwatt owner link</code>" in page.text
    assert "data-passkey" not in page.text
    assert "/recovery" not in page.text


def test_an_owned_site_asks_for_the_passkey(owner):
    owner.cookies.clear()
    page = owner.get("/sign-in", headers=OURS)
    assert 'data-passkey="sign-in"' in page.text
    assert "<code>commonwatt owner link</code>" in owner.get("/recovery", headers=OURS).text


def test_a_code_that_is_none_and_a_link_that_is_dead(browser):
    said = told(browser.post("/recovery", data={"code": "hello %s"}, headers=OURS), 400)
    assert "Dieser Code ist keiner von uns" in said
    dead = told(browser.get("/invitation/dead", headers=OURS), 410)
    assert "Dieser Link wurde benutzt" in dead
    assert "Erneut versuchen" in dead


def test_the_script_of_a_passkey_gets_the_reader_s_words_and_programs_get_english(browser):
    body = {"state": "gone", "credential": {}}
    headers = {"origin": BASE, "accept-language": "de", "accept": "application/json"}
    card = browser.post("/sign-in/finish", json=body, headers={**headers, "hx-request": "true"})
    what = re.search(r"<dd data-problem-what>(.*?)</dd>", card.text)
    assert what is not None
    assert what[1].startswith("Das hat länger als fünf Minuten gedauert")
    assert "<html" not in card.text
    plain = browser.post("/sign-in/finish", json=body, headers=headers)
    assert plain.json()["detail"] == "This took longer than five minutes, or was answered before. Begin again."
    torn = browser.post("/sign-in/finish", json={"state": 5}, headers={**headers, "hx-request": "true"})
    assert "Die Antwort des Browsers ist unvollständig." in torn.text


def test_guessing_meets_its_limit_in_german(browser):
    answers = [browser.post("/recovery", data={"code": "x"}, headers=OURS) for _ in range(22)]
    assert re.search("Warten Sie [0-9]+ s und machen Sie weiter", told(answers[-1], 429))


def test_another_site_s_page_and_a_page_out_of_date(owner):
    evil = {**GERMAN, "origin": "https://evil.example"}
    assert "Eine fremde Seite wollte das ändern" in told(owner.post("/recovery", data={"code": "x"}, headers=evil), 403)
    stale = owner.post("/recovery", data={"code": "x", "csrf": "0" * 64}, headers=OURS)
    assert "Diese Seite ist veraltet" in told(stale, 403)


@pytest.mark.parametrize("path", ["/nowhere", "/problems/nothing-like-it", "/static/nothing.css"])
def test_nothing_is_here(browser, path):
    answer = browser.get(path, headers=OURS)
    assert answer.status_code == 404
    if not path.startswith("/static"):
        assert "Prüfen Sie die Adresse" in told(answer, 404)


def test_a_page_about_a_problem_leads_back_to_where_one_came_from(browser):
    came = {**OURS, "referer": f"{BASE}/sign-in"}
    page = browser.get("/problems/refused", headers=came).text
    assert f'href="{BASE}/sign-in" data-back' in page
    assert "Zurück" in page
    foreign = browser.get("/problems/refused", headers={**OURS, "referer": "https://evil.example/x"}).text
    assert "evil.example" not in foreign
    assert "needs-script" in foreign
