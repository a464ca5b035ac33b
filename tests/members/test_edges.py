"""The same through the web: pages, cookies, tokens, redirects, and what hostile requests get."""

import re

import pytest
from litestar.testing import TestClient
from tests.members.authenticator import SoftAuthenticator
from tests.members.conftest import BASE, HTML, Browser

from commonwatt.members import TERMINAL, Role, create_token, invite_member, record_act


async def make_token(database, *scopes, actor=TERMINAL):
    return (await database.write(create_token, actor, "test", scopes)).token


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def test_the_first_owner_sets_up_signs_out_and_in_again(browser, setup_path):
    page = browser.get(setup_path, headers=HTML)
    assert page.status_code == 200
    assert f'data-begin="{setup_path}/begin"' in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    done = browser.join(setup_path, "Ada")
    assert done.json() == {"location": "/devices?welcome=1"}
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert browser.get("/overview").text == "hello Ada"
    assert browser.get(setup_path, headers=HTML).status_code == 410
    left = browser.send_form("/sign-out", "/devices")
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert browser.get("/overview").status_code == 401
    assert browser.sign_in(next="/people").json() == {"location": "/people"}
    assert browser.get("/overview").text == "hello Ada"


def test_signing_out_ends_the_session_itself(owner, app):
    secret = owner.cookies["cw_session"]
    owner.send_form("/sign-out", "/devices")
    with TestClient(app, base_url=BASE) as thief:
        thief.cookies.set("cw_session", secret)
        assert thief.get("/overview").status_code == 401


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "", "/a\nb", "/x\\y", 5, None],
)
def test_signing_in_never_leads_to_another_site(owner, wanted):
    owner.cookies.clear()
    assert owner.sign_in(next=wanted).json() == {"location": "/overview"}


def test_passers_by_are_sent_to_sign_in_and_programs_get_401(browser):
    away = browser.get("/people?q=a%26b", headers=HTML, follow_redirects=False)
    assert (away.status_code, away.headers["location"]) == (303, "/sign-in?next=/people%3Fq%3Da%2526b")
    answer = browser.get("/api/v1/tokens", headers=HTML)
    assert (answer.status_code, answer.json()["slug"]) == (401, "not-signed-in")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    part = browser.get("/people", headers={"hx-request": "true"}, follow_redirects=False)
    assert part.headers["hx-redirect"] == "/sign-in"


async def test_tokens_open_what_their_scopes_say(browser, database):
    token = await make_token(database, "stations:command")
    assert browser.get("/api/v1/commands", headers=bearer(token)).json()["who"].startswith("token/")
    answer = browser.get("/api/v1/tokens", headers=bearer(token))
    assert (answer.status_code, answer.json()["slug"]) == (403, "not-permitted")
    assert answer.json()["needs"] == "members:admin"


@pytest.mark.parametrize("said", ["Bearer", "Bearer ", "Bearer cw_wrong", "Basic YTpi", "Bearer " + "x" * 5000, "cw_x"])
def test_other_credentials_open_nothing_even_beside_a_cookie(owner, said):
    assert owner.get("/overview").status_code == 200
    assert owner.get("/overview", headers={"authorization": said}).status_code == 401


def test_a_made_up_cookie_opens_nothing(browser):
    for value in ("x", "x" * 5000, "'; drop table member; --"):
        browser.cookies.set("cw_session", value)
        assert browser.get("/overview").status_code == 401


def test_another_site_cannot_sign_anybody_out(owner):
    foreign = owner.post("/sign-out", headers={"origin": "http://evil.example"}, follow_redirects=False)
    assert (foreign.status_code, foreign.json()["slug"]) == (403, "foreign-request")
    assert owner.get("/overview").status_code == 200


def test_an_owner_invites_by_a_link_that_is_shown_once(owner, app):
    page = owner.send_form("/people/invite", "/people", name="Bob <b>", role="auditor", days="7")
    path = re.search(rf"{BASE}(/invitation/[^<\"]+)", page.text)[1]
    assert "Bob &lt;b&gt;" in owner.get("/people", headers=HTML).text
    assert path not in owner.get("/people", headers=HTML).text
    with Browser(app, base_url=BASE) as guest:
        guest.device = SoftAuthenticator(BASE)
        assert guest.join(path, "Bob").status_code == 200
        assert guest.get("/people", headers=HTML).status_code == 200
        assert "/people/invite" not in guest.get("/people", headers=HTML).text
        assert guest.send_form("/people/invite", "/people", name="x", role="owner", days="1").status_code == 403
        assert guest.get("/tokens", headers=HTML).status_code == 403
    people = owner.get("/people", headers=HTML).text
    _ada, bob = re.findall(r'action="/people/([0-9a-f-]+)/role"', people)
    assert re.findall(r'action="/people/([0-9a-f-]+)/remove"', people) == [bob], "nobody is offered to remove herself"
    assert owner.send_form(f"/people/{bob}/role", "/people", role="operator").headers["location"] == "/people?done=role"
    assert owner.send_form(f"/people/{bob}/role", "/people", role="king").status_code == 400
    assert owner.send_form(f"/people/{bob}/remove", "/people").status_code == 303
    assert owner.send_form(f"/people/{bob}/remove", "/people").status_code == 404


def test_a_token_is_shown_once_on_its_page(owner):
    page = owner.send_form("/tokens", "/tokens", name="ci", scope=["stations:read", "books:read"], days="30")
    token = re.search(r"cw_[A-Za-z0-9_-]{43}", page.text)[0]
    assert page.headers["cache-control"] == "no-store"
    listed = owner.get("/tokens", headers=HTML).text
    assert token not in listed
    assert "books:read" in listed
    assert owner.send_form("/tokens", "/tokens", name="ci", days="30").status_code == 400
    assert owner.send_form("/tokens", "/tokens", name="ci", scope="*", days="-1").status_code == 400
    ident = re.search(r'action="/tokens/([0-9a-f-]+)/revoke"', listed)[1]
    assert owner.send_form(f"/tokens/{ident}/revoke", "/tokens").headers["location"] == "/tokens?done=revoked"
    assert "No tokens yet" in owner.get("/tokens", headers=HTML).text


def test_recovery_codes_and_a_new_passkey_bring_back_who_lost_the_device(owner):
    codes = re.findall(r"<code>([0-9a-z-]{19})</code>", owner.send_form("/devices/codes", "/devices").text)
    assert len(codes) == 10
    owner.cookies.clear()
    back = owner.post("/recovery", data={"code": codes[3]}, headers=HTML, follow_redirects=False)
    assert back.headers["location"] == "/devices?recovered=1"
    assert "Make a passkey on this device now" in owner.get("/devices?recovered=1", headers=HTML).text
    refused = owner.get("/api/v1/dangerous")
    assert (refused.status_code, refused.json()["slug"]) == (403, "prove-it-is-you")
    owner.device = SoftAuthenticator(BASE)
    begun = owner.ask("/devices/passkeys/begin", {}).json()
    answer = {"state": begun["state"], "credential": owner.device.register(begun["publicKey"])}
    assert owner.ask("/devices/passkeys/finish", answer).json()["location"] == "/devices?done=passkey"
    assert owner.get("/api/v1/dangerous").json() == {"done": True}
    assert owner.sign_in().status_code == 200
    again = owner.send_form("/recovery", "/devices", code=codes[3])
    assert again.status_code == 400


def test_dangerous_acts_ask_again_after_a_while(owner, clock):
    assert owner.get("/api/v1/dangerous").status_code == 200
    clock.step(seconds=901)
    assert owner.get("/api/v1/dangerous").json()["slug"] == "prove-it-is-you"


def test_sign_ins_are_listed_and_ended_elsewhere(owner, app):
    with Browser(app, base_url=BASE) as other:
        other.device = owner.device
        other.sign_in()
        assert other.get("/overview").status_code == 200
        page = owner.get("/devices", headers=HTML).text
        (ended,) = set(re.findall(r"/devices/sessions/([0-9a-f-]{36})/end", page))
        assert owner.send_form(f"/devices/sessions/{ended}/end", "/devices").status_code == 303
        assert other.get("/overview").status_code == 401
        other.sign_in()
        assert owner.send_form("/devices/sessions/end-others", "/devices").status_code == 303
        assert other.get("/overview").status_code == 401
    assert owner.get("/overview").status_code == 200
    assert "end other sign-ins" in owner.get("/audit", headers=HTML).text


async def test_a_sign_in_is_no_session_in_the_audit_log_and_older_lines_stay_as_they_were(owner, database):
    await database.write(record_act, TERMINAL, "sign in", "session/019de384-6d40-76f8-b73c-b370fe1bafa5")
    owner.sign_in()
    subjects = [one["subject"] for one in owner.get("/api/v1/audit?search=sign in").json()["items"]]
    assert [subject.partition("/")[0] for subject in subjects] == ["sign-in", "session"]
    page = owner.get("/audit", headers=HTML).text
    for subject in subjects:
        assert f'title="{subject}"' in page
        assert "sign in" in owner.get("/audit", params={"subject": subject}, headers=HTML).text


def test_the_audit_log_is_searched_and_exported(owner):
    owner.send_form("/people/invite", "/people", name="=cmd|x", role="auditor", days="1")
    assert "invite member" in owner.get("/audit", headers=HTML).text
    assert "Nothing found" in owner.get("/audit?q=zzz", headers=HTML).text
    lines = owner.get("/audit.csv?q=invite").text.splitlines()
    assert lines[0] == "at,actor,actor_id,address,act,subject,detail"
    assert len(lines) == 2


@pytest.mark.parametrize(
    "body", [{}, {"state": 5, "credential": {}}, {"state": "x"}, {"state": "x", "credential": "y"}]
)
def test_incomplete_answers_are_refused(browser, body):
    assert browser.ask("/sign-in/finish", body).json()["slug"] == "bad-request"


def test_guessing_is_slowed(browser):
    answers = [browser.post("/recovery", data={"code": "x"}, headers={"origin": BASE}) for _ in range(25)]
    assert [answer.status_code for answer in answers[:20]] == [400] * 20
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_a_token_expires_unless_never_is_said(owner, database, clock):
    admin = bearer(await make_token(database, "*"))

    def make(**more):
        return owner.post("/api/v1/tokens", json={"name": "x", "scopes": ["books:read"], **more}, headers=admin)

    assert make().json()["expires"] == clock.now().plus(seconds=90 * 24 * 3600).iso()
    assert make(expires_days="never").json()["expires"] is None
    for wrong in ({"expires": "never"}, {"expires_in": "soon"}, {"expires_days": "soon"}, {"expires_days": None}):
        refused = make(**wrong)
        assert refused.status_code == 400
        assert next(iter(wrong)) in refused.json()["detail"]


async def test_the_api_manages_people_and_tokens(owner, database):
    admin = bearer(await make_token(database, "*"))
    made = owner.post("/api/v1/tokens", json={"name": "x", "scopes": ["books:read"], "expires_days": 1}, headers=admin)
    assert made.status_code == 201
    listed = owner.get("/api/v1/tokens", headers=admin)
    assert made.json()["token"] not in listed.text
    assert owner.get("/api/v1/tokens", headers={**admin, "if-none-match": listed.headers["etag"]}).status_code in (
        200,
        304,
    )
    assert owner.delete(f"/api/v1/tokens/{made.json()['id']}", headers=admin).status_code == 204
    assert owner.delete(f"/api/v1/tokens/{made.json()['id']}", headers=admin).status_code == 404
    wish = {"name": "Bob", "role": "operator"}
    invited = owner.post("/api/v1/invitations", json=wish, headers=admin).json()
    assert invited["link"].startswith(f"{BASE}/invitation/")
    (open_one,) = owner.get("/api/v1/invitations", headers=admin).json()["items"]
    assert owner.delete(f"/api/v1/invitations/{open_one['id']}", headers=admin).status_code == 204
    (ada,) = owner.get("/api/v1/members", headers=admin).json()["items"]
    assert (ada["name"], ada["role"], ada["passkeys"]) == ("Ada", "owner", 1)
    last = owner.delete(f"/api/v1/members/{ada['id']}", headers=admin)
    assert (last.status_code, last.json()["slug"]) == (409, "last-owner")
    assert owner.patch(f"/api/v1/members/{ada['id']}", json={"role": "king"}, headers=admin).status_code == 400
    acts = owner.get("/api/v1/audit?limit=2", headers=admin).json()
    more = owner.get(f"/api/v1/audit?limit=2&cursor={acts['next_cursor']}", headers=admin).json()
    assert {act["id"] for act in acts["items"]}.isdisjoint({act["id"] for act in more["items"]})
    assert owner.get("/api/v1/audit?limit=2&cursor=WyJhIl0", headers=admin).status_code == 400


def test_127_0_0_1_moves_to_localhost(database, clock, ids):
    from commonwatt.kit.pages import template_engine
    from commonwatt.kit.web import Behaviour, Live, Site, build_app
    from commonwatt.members import DEPENDENCIES
    from commonwatt.members.pages import ROUTES

    site = Site("Test", "http://localhost:8080")
    app = build_app(
        ROUTES,
        site=site,
        database=database,
        clock=clock,
        ids=ids,
        live=Live(),
        dependencies=DEPENDENCIES,
        behaviour=Behaviour(template_config=template_engine(clock)),
    )
    with TestClient(app, base_url="http://127.0.0.1:8080") as client:
        moved = client.get("/sign-in?next=/people", follow_redirects=False)
        assert moved.headers["location"] == "http://localhost:8080/sign-in?next=/people"


async def test_an_invited_role_is_what_the_link_said(database, app):
    await database.write(invite_member, TERMINAL, "Eve", Role.OPERATOR)
    link = await database.write(invite_member, TERMINAL, "Eve", Role.AUDITOR)
    with Browser(app, base_url=BASE) as guest:
        guest.device = SoftAuthenticator(BASE)
        guest.join(link.path, "Eve")
        assert guest.get("/api/v1/commands").json()["slug"] == "not-permitted"


async def test_auditors_read_the_log_by_page_and_api_without_id_tags(database, app):
    await database.write(record_act, TERMINAL, "add tag", "tag/04A2B3C4", {"holder": "Ada"})
    link = await database.write(invite_member, TERMINAL, "Eve", Role.AUDITOR)
    with Browser(app, base_url=BASE) as guest:
        guest.device = SoftAuthenticator(BASE)
        guest.join(link.path, "Eve")
        for path in ("/audit", "/audit.csv", "/api/v1/audit"):
            answer = guest.get(path, headers=HTML)
            assert answer.status_code == 200
            assert "add tag" in answer.text
            assert "04A2B3C4" not in answer.text
        assert guest.get("/api/v1/audit?search=04A2").json()["items"] == []
        assert guest.get("/api/v1/audit?subject=tag/04A2B3C4").json()["items"] == []
    admin = bearer(await make_token(database, "audit:read", "sessions:write"))
    assert "04A2B3C4" in guest.get("/api/v1/audit", headers=admin).text
    reader = bearer(await make_token(database, "audit:read"))
    assert "04A2B3C4" not in guest.get("/api/v1/audit", headers=reader).text


async def test_what_is_made_twice_under_a_key_is_made_once_and_its_secret_shown_once(browser, database):
    admin = {**bearer(await make_token(database, "*")), "Idempotency-Key": "k1"}
    for place, body, secret in (
        ("/api/v1/tokens", {"name": "x", "scopes": ["books:read"]}, "token"),
        ("/api/v1/invitations", {"name": "Bob", "role": "operator"}, "link"),
    ):
        first, again = (browser.post(place, json=body, headers=admin).json() for _ in range(2))
        assert first[secret]
        assert again == {**first, secret: None, "shown_before": [secret]}
        (kept,) = [one for one in browser.get(place, headers=admin).json()["items"] if one["name"] == body["name"]]
        assert kept["id"] == first["id"]
    with database.engine.connect() as sql:
        assert first["link"] not in str(sql.exec_driver_sql("SELECT * FROM idempotency_answer").all())
