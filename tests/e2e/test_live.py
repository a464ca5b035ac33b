"""Pages show what changes without being loaded anew, and never take away what a person is about to press."""

import re
import time

import pytest
from playwright.sync_api import expect
from sqlalchemy import update
from tests.e2e.browser import DESK, PHONE, add_authenticator, become_owner, visiting
from tests.e2e.scenes import FREE, ended, running, take_change

from commonwatt.kit.database import outbox
from commonwatt.stations.actions.note_status import ConnectorStatus, note_status

BUTTON = "button.main-button"
KNOWN = f"() => document.querySelector('{BUTTON}').known"
MARK = f"() => {{ document.querySelector('{BUTTON}').known = true; }}"
ENERGY = re.compile(r"([\d.,]+)\s*(k?)Wh")


@pytest.fixture
def driver(chromium, town):
    """The page of a free connector; its button is marked, so that another one in its place is found out."""
    with visiting(chromium, PHONE) as context:
        page = context.new_page()
        with page.expect_response(lambda answer: "x-live" in answer.request.headers):
            page.goto(town.url(f"/c/{FREE}"))
        page.wait_for_timeout(100)
        page.evaluate(MARK)
        yield page
    say(town, "Available")


@pytest.fixture(scope="module")
def owner(chromium, town):
    """The browser of a signed-in owner."""
    with visiting(chromium, DESK) as context:
        page = context.new_page()
        add_authenticator(page)
        become_owner(page, town.serving.setup_link)
        yield context


def say(town, status):
    """Let the free connector report a status."""
    town.write(note_status, [ConnectorStatus("STATION-ROAD", 1, status, "NoError")])


def test_a_page_that_is_current_keeps_its_buttons(driver):
    with driver.expect_response(re.compile(rf"/c/{FREE}$")):
        driver.evaluate("dispatchEvent(new Event('online'))")
    driver.wait_for_timeout(100)
    assert driver.evaluate(KNOWN)


def test_the_page_of_a_connector_follows_it(driver, town):
    for status, shown in [("Preparing", "a car is plugged in"), ("Charging", "In use"), ("Faulted", "Out of order")]:
        say(town, status)
        expect(driver.locator("#place .pill")).to_contain_text(shown)
    expect(driver.locator(BUTTON)).to_have_count(0)
    say(town, "Available")
    expect(driver.locator(BUTTON)).to_be_visible()


def test_a_refused_amount_stays_in_sight_while_the_page_follows_its_connector(chromium, town):
    with visiting(chromium, PHONE) as context:
        page = context.new_page()
        context.watch.expected.add(town.url(f"/c/{FREE}/pay"))
        page.goto(town.url(f"/c/{FREE}"))
        page.get_by_text("Another amount").click()
        page.locator("#own").fill("1,000")
        with page.expect_response(lambda answer: "x-live" in answer.request.headers) as fresh:
            page.locator(BUTTON).click()
        assert (fresh.value.url, fresh.value.status) == (town.url(f"/c/{FREE}"), 200)
        say(town, "Preparing")
        expect(page.locator("#place .pill")).to_contain_text("a car is plugged in")
        expect(page.locator("#refused")).to_contain_text("Write the amount without a thousands separator")
        expect(page.locator("#own")).to_have_value("1,000")
        expect(page.locator("#own")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#own")).to_be_visible()
        page.get_by_role("link", name="Deutsch").click()
        expect(page).to_have_url(town.url(f"/c/{FREE}"))
        expect(page.locator("html")).to_have_attribute("lang", "de")
    say(town, "Available")


def test_a_session_tells_what_becomes_of_an_address_that_nobody_answers(chromium, town):
    charge = ended(town, "MARKET-SQUARE", 2)
    with visiting(chromium, PHONE) as context:
        page = context.new_page()
        page.goto(town.url(f"/s/{charge.secret}"))
        page.get_by_text("Send it to a Lightning address instead").click()
        page.locator("#change-address").fill("ada@wallet.invalid")
        page.get_by_role("button", name="Send the change").click()
        expect(page.locator("#state")).to_contain_text("We are asking wallet.invalid to take your change.")
        while not town.write(end_waiting, f"change:{charge.id}"):
            time.sleep(0.05)
        expect(page.locator("#state")).to_contain_text("wallet.invalid did not take your change.")
        expect(page.locator("#change-card .qr-box")).to_be_visible()


def end_waiting(work, key):
    """Give up what waits under a key, as the jobs do in the end; return how many, none while it is being tried."""
    mine = update(outbox).where(outbox.c.key == key, outbox.c.state == "waiting")
    return work.sql.execute(mine.values(state="dead", ended_ms=work.now.ms)).rowcount


def test_a_button_stays_under_the_finger_and_the_page_follows_when_it_is_let_go(driver, town):
    button = driver.locator(BUTTON)
    button.hover()
    driver.evaluate("document.querySelector('#pay form').addEventListener('submit', (event) => event.preventDefault())")
    driver.mouse.down()
    say(town, "Faulted")
    expect(driver.locator("#place .pill")).to_contain_text("Out of order")
    assert driver.evaluate(KNOWN)
    driver.mouse.up()
    expect(button).to_have_count(0)


def test_a_page_that_nobody_sees_holds_no_line_and_is_current_when_it_is_shown(driver, town):
    driver.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    with driver.expect_event("requestfailed", lambda request: "/live" in request.url):
        driver.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    say(town, "Faulted")
    driver.wait_for_timeout(1500)
    expect(driver.locator("#place .pill")).to_have_text("Free")
    driver.evaluate("delete document.hidden")
    with driver.expect_request(re.compile("/live")):
        driver.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(driver.locator("#place .pill")).to_contain_text("Out of order")
    expect(driver.locator("[data-offline]")).to_be_hidden()


def test_pages_of_owners_follow_a_charge_its_money_and_its_change(owner, town):
    overview, station, payouts, owed, jobs = pages = [owner.new_page() for _ in range(5)]
    overview.goto(town.url("/overview"))
    station.goto(town.url("/stations/MARKET-SQUARE"))
    payouts.goto(town.url("/payments?tab=out"))
    owed.goto(town.url("/owed"))
    jobs.goto(town.url("/jobs?state=done"))
    done = jobs.locator("#counts").inner_text()
    charge = running(town, "MARKET-SQUARE", 1)
    card = overview.locator("#places article", has=overview.locator(f'a[href="/sessions/{charge.id}"]'))
    expect(card).to_contain_text(ENERGY)
    first = card.inner_text()
    expect(card).not_to_have_text(first, use_inner_text=True)
    expect(station.locator(f'#sessions a[href="/sessions/{charge.id}"]')).to_be_visible()
    station.goto(town.url("/journal"))
    town.unplug("MARKET-SQUARE", 1)
    town.until_charge(charge.id, lambda now: now.session.billed)
    expect(owed.locator(f'#list a[href="/sessions/{charge.id}"]')).to_be_visible()
    town.do(take_change(town.serving, charge))
    expect(payouts.locator("#list tbody tr")).to_have_count(1)
    expect(payouts.locator("#list tbody tr")).to_contain_text("Paid")
    expect(owed.locator(f'#list a[href="/sessions/{charge.id}"]')).to_have_count(0)
    expect(station.get_by_text("Charge at MARKET-SQUARE, connector 1").first).to_be_visible()
    expect(jobs.locator("#counts")).not_to_have_text(done, use_inner_text=True)
    for page in pages:
        page.close()


LATE_NEWS = """() => {
  window.fetch = () => new Promise((leave) => addEventListener("beforeunload", () => setTimeout(leave)))
    .then(() => ({ redirected: true, url: `${location.origin}/sign-in?next=/overview` }));
  dispatchEvent(new Event("online"));
}"""


def test_signing_out_is_not_cut_by_the_answer_to_an_earlier_question(owner, town):
    page = owner.pages[0]  # which holds the passkey
    with page.expect_response(lambda answer: "x-live" in answer.request.headers):
        page.goto(town.url("/overview"))
    page.wait_for_timeout(100)
    page.evaluate(LATE_NEWS)
    page.wait_for_timeout(400)
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    again = page.get_by_role("button", name="Sign in with a passkey")
    again.wait_for()
    assert page.url == town.url("/sign-in")
    again.click()
    page.wait_for_url("**/overview")
