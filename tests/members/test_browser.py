"""A person at a real browser: set up by the link, keep the codes, sign out, sign in, be refused without the finger."""

from pathlib import Path

import pytest
from sqlalchemy import update
from tests.members.conftest import overview

from commonwatt.kernel import RandomIds
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.database import Database, create_tables, open_engine
from commonwatt.kit.pages import ROUTES as PAGE_ROUTES
from commonwatt.kit.pages import template_engine
from commonwatt.kit.web import Behaviour, Live, Site, build_app, listen, serve
from commonwatt.members import DEPENDENCIES, EXCEPTION_HANDLERS, Identify, lists, offer_setup
from commonwatt.members.pages import ROUTES
from commonwatt.members.store import sign_ins

playwright = pytest.importorskip("playwright.async_api")
CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is absent: apt-get install chromium"),
]


@pytest.fixture
async def site(tmp_path):
    engine = open_engine(tmp_path / "db.sqlite")
    create_tables(engine)
    clock, ids = SystemClock(), RandomIds()
    database = Database(engine, clock, ids)
    sock = listen("127.0.0.1", 0)
    site = Site("Test", f"http://localhost:{sock.getsockname()[1]}")
    app = build_app(
        [*ROUTES, *PAGE_ROUTES, overview],
        site=site,
        database=database,
        clock=clock,
        ids=ids,
        live=Live(),
        dependencies=DEPENDENCIES,
        behaviour=Behaviour(
            middleware=[Identify(database, site)],
            exception_handlers=EXCEPTION_HANDLERS,
            template_config=template_engine(clock),
        ),
    )
    server = await serve(app, sock)
    yield site, database
    await server.stop()
    database.close()


@pytest.fixture
async def page():
    async with playwright.async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = await chromium.new_page()
        yield page
        await chromium.close()


async def add_authenticator(page):
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return cdp, added["authenticatorId"]


async def test_set_up_sign_out_and_in_again(site, page):
    site, database = site
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    cdp, authenticator = await add_authenticator(page)
    link = await database.write(offer_setup)
    await page.goto(f"{site.base_url.replace('localhost', '127.0.0.1')}{link.path}")
    assert page.url == site.url(link.path)

    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Make my passkey").click()
    await page.wait_for_url("**/devices?welcome=1")
    await page.get_by_role("button", name="Make recovery codes").click()
    await playwright.expect(page.locator("#codes code")).to_have_count(10, timeout=15_000)
    codes = await page.locator("#codes code").all_inner_texts()

    await page.get_by_text("Ada", exact=True).first.click()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url("**/overview")
    assert await page.inner_text("body") == "hello Ada"
    assert said == []

    await page.goto(site.url("/sign-in?again"))
    await cdp.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.get_by_text("No passkey was shown").wait_for()

    await page.goto(site.url("/recovery"))
    await page.get_by_label("Recovery code").fill(codes[0].upper())
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/devices?recovered=1")
    await page.get_by_text("You came in by a recovery code").wait_for()


def age(work):
    """Let every proof be of an hour ago."""
    work.sql.execute(update(sign_ins).values(proved_ms=sign_ins.c.proved_ms - 3_600_000))


async def test_a_dangerous_act_asks_for_the_passkey_and_is_then_done(site, page):
    site, database = site
    await add_authenticator(page)
    link = await database.write(offer_setup)
    await page.goto(site.url(link.path))
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_role("button", name="Make my passkey").click()
    await page.wait_for_url("**/devices?welcome=1")

    await database.write(age)
    await page.goto(site.url("/people"))
    await page.get_by_label("Name", exact=True).fill("Bob <b>")
    await page.get_by_role("button", name="Make invitation link").click()
    await page.get_by_role("heading", name="Prove it is you").wait_for()
    assert await database.read(lists.list_invitations, database.clock.now()) == []
    await page.get_by_role("button", name="Show my passkey").click()
    await page.locator("#new-link").wait_for()
    (invited,) = await database.read(lists.list_invitations, database.clock.now())
    assert invited.name == "Bob <b>"

    await database.write(age)
    await page.goto(site.url("/devices"))
    await page.get_by_role("button", name="Add passkey").click()
    await page.wait_for_url("**/prove?next=/devices")
    await page.get_by_role("button", name="Show my passkey").click()
    await page.wait_for_url(site.url("/devices"))

    await database.write(age)

    async def as_part(route):
        """Let htmx post the form, as a page may."""
        answer = await route.fetch()
        form = 'action="/people/invite"'
        await route.fulfill(
            response=answer, body=(await answer.text()).replace(form, f'{form} hx-post="/people/invite"')
        )

    await page.route("**/people", as_part)
    await page.goto(site.url("/people"))
    await page.get_by_label("Name", exact=True).fill("Eve")
    await page.get_by_role("button", name="Make invitation link").click()
    await page.get_by_role("heading", name="Prove it is you").wait_for()
    await page.get_by_role("button", name="Show my passkey").click()
    await page.locator("#new-link").wait_for()
    assert {one.name for one in await database.read(lists.list_invitations, database.clock.now())} == {"Bob <b>", "Eve"}
