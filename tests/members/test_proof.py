"""Dangerous acts ask for the passkey again: a stolen cookie or a recovery code alone is not the member."""

import re

import pytest
from tests.members.authenticator import SoftAuthenticator
from tests.members.conftest import BASE, HTML
from tests.members.test_edges import bearer, make_token

QUARTER_S = 15 * 60


def prove(browser, device=None, **more):
    begun = browser.ask("/prove/begin", {}).json()
    credential = (device or browser.device).sign_in(begun["publicKey"])
    return browser.ask("/prove/finish", {"state": begun["state"], "credential": credential, **more})


def recovered(owner):
    """Sign in by a recovery code in place of the passkey."""
    codes = re.findall(r"<code>([0-9a-z-]{19})</code>", owner.send_form("/devices/codes", "/devices").text)
    owner.cookies.clear()
    assert owner.post("/recovery", data={"code": codes[0]}, headers=HTML, follow_redirects=False).status_code == 303
    return codes


def repeated(page):
    """The form that the page posts after the proof: where, and its fields without the page's token."""
    form = re.search(r'<form id="repeat" method="post" action="([^"]*)" hidden>(.*?)</form>', page, re.DOTALL)
    fields = re.findall(r'name="([^"]*)" value="([^"]*)"', form[2])
    return form[1], sorted((name, value) for name, value in fields if name != "csrf")


ACTS = [
    ("/people/invite", {"name": "Bob <b>", "role": "auditor", "days": "7"}),
    ("/people/{own}/role", {"role": "auditor"}),
    ("/people/{own}/remove", {}),
    ("/tokens", {"name": "ci", "scope": ["stations:read", "books:read"], "days": "30"}),
    ("/devices/codes", {}),
    ("/devices/passkeys/x/remove", {}),
]


@pytest.mark.parametrize(("place", "fields"), ACTS, ids=[place for place, _ in ACTS])
def test_an_old_session_and_a_recovered_one_are_asked_to_prove(owner, clock, place, fields):
    (own,) = re.findall(r'action="/people/([0-9a-f-]+)/role"', owner.get("/people", headers=HTML).text)
    place = place.format(own=own)
    recovered(owner)
    assert owner.send_form(place, "/devices", **fields).status_code == 403
    owner.sign_in()
    clock.step(seconds=QUARTER_S + 1)
    answer = owner.send_form(place, "/devices", **fields)
    assert (answer.status_code, answer.headers["cache-control"]) == (403, "no-store")
    assert "Prove it is you" in answer.text
    where, what = repeated(answer.text)
    assert where == place
    wanted = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    assert what == sorted((name, one.replace("<", "&lt;").replace(">", "&gt;")) for name, one in wanted)
    assert prove(owner).status_code == 200
    assert owner.send_form(place, "/devices", **fields).status_code in (200, 201, 303, 404, 409)


def test_htmx_gets_the_same_page_in_place_of_its_own(owner, clock):
    clock.step(seconds=QUARTER_S + 1)
    token = re.search(r'name="csrf-token" content="([^"]*)"', owner.get("/devices", headers=HTML).text)[1]
    headers = {"hx-request": "true", "x-csrf-token": token, "origin": BASE}
    answer = owner.post("/people/invite", data={"name": "Bob", "role": "auditor", "days": "7"}, headers=headers)
    assert (answer.status_code, answer.headers["hx-retarget"]) == (200, "body")
    assert repeated(answer.text) == ("/people/invite", [("days", "7"), ("name", "Bob"), ("role", "auditor")])
    assert "Bob" not in owner.get("/people", headers=HTML).text


async def test_the_api_asks_browsers_and_not_programs(owner, clock, database):
    clock.step(seconds=QUARTER_S + 1)
    for place, body in (
        ("/api/v1/tokens", {"name": "x", "scopes": ["*"]}),
        ("/api/v1/invitations", {"name": "x", "role": "owner"}),
        ("/devices/passkeys/begin", {}),
    ):
        answer = owner.ask(place, body)
        assert (answer.status_code, answer.json()["slug"]) == (403, "prove-it-is-you")
    admin = bearer(await make_token(database, "*"))
    assert owner.post("/api/v1/tokens", json={"name": "x", "scopes": ["*"]}, headers=admin).status_code == 201


def test_the_proof_leads_back_and_never_to_another_site(owner, clock):
    clock.step(seconds=QUARTER_S + 1)
    page = owner.get("/prove?next=/devices", headers=HTML).text
    assert 'name="next" value="/devices"' in page
    assert "repeat" not in page
    assert prove(owner, next="/devices").json() == {"location": "/devices"}
    assert prove(owner, next="//evil.example").json() == {"location": "/overview"}
    assert 'value="/overview"' in owner.get("/prove?next=https://evil.example", headers=HTML).text
    assert owner.ask("/devices/passkeys/begin", {}).status_code == 200


def test_only_a_passkey_of_the_member_itself_proves(owner, app, clock):
    from tests.members.conftest import Browser

    page = owner.send_form("/people/invite", "/people", name="Bob", role="owner", days="7")
    path = re.search(rf"{BASE}(/invitation/[^<\"]+)", page.text)[1]
    with Browser(app, base_url=BASE) as bob:
        bob.device = SoftAuthenticator(BASE)
        bob.join(path, "Bob")
        begun = bob.ask("/prove/begin", {}).json()
        answer = {"state": begun["state"], "credential": bob.device.sign_in(begun["publicKey"])}
        clock.step(seconds=60)
        stolen = owner.ask("/prove/finish", answer)
        assert (stolen.status_code, stolen.json()["slug"]) == (400, "passkey-refused")
        sign_in = bob.ask("/sign-in/begin", {}).json()
        other_kind = {"state": sign_in["state"], "credential": bob.device.sign_in(sign_in["publicKey"])}
        assert bob.ask("/prove/finish", other_kind).json()["slug"] == "passkey-refused"
        assert prove(bob, device=owner.device).json()["slug"] == "passkey-refused"
    owner.cookies.clear()
    assert owner.ask("/prove/begin", {}).status_code == 401


def test_a_recovery_code_makes_a_passkey_for_a_while_only(owner, clock):
    recovered(owner)
    assert owner.ask("/devices/passkeys/begin", {}).status_code == 200
    clock.step(seconds=QUARTER_S + 1)
    assert owner.ask("/devices/passkeys/begin", {}).json()["slug"] == "prove-it-is-you"


def test_proofs_are_written_down(owner):
    prove(owner)
    assert "prove identity" in owner.get("/audit", headers=HTML).text
