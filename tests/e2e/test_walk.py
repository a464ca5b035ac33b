"""The whole way as two people walk it: an owner at a desk, a driver with a phone in the rain."""

import re

from playwright.sync_api import expect
from tests.e2e.browser import PHONE, add_authenticator, become_owner, visiting

ENOUGH = re.compile(r"(0[.,]\d*[1-9]|[1-9])\d*.*kWh|[1-9]\d*.*Wh")


def test_from_nothing_to_the_first_paid_session(chromium, empty_town):
    town = empty_town
    with visiting(chromium) as desk, visiting(chromium, PHONE, is_mobile=True, has_touch=True) as phone:
        owner = desk.new_page()
        set_up(owner, town)
        set_a_price(owner, town)
        connect_a_station(owner, town)
        code = read_the_sheet(owner, town)

        driver = phone.new_page()
        scan_and_pay(driver, code)
        plug_in(driver, town)
        driver = close_the_phone(driver)
        top_up(driver)
        stop(driver)
        take_the_change(driver)
        receipt = read_the_receipt(driver, town)

        see_it_all(owner, town, receipt)
        sign_out(owner, town)


def set_up(owner, town):
    """The one-time link, a passkey, recovery codes, then the first steps."""
    add_authenticator(owner)
    codes = become_owner(owner, town.serving.setup_link)
    assert len(set(codes)) == 10
    owner.get_by_role("button", name="I have kept them").click()
    expect(owner.get_by_role("heading", name="First steps")).to_be_visible()
    expect(owner.locator(".first-step-now")).to_contain_text("Set a price")
    owner.context.watch.expected.add(town.serving.setup_link)
    again = owner.context.new_page()
    again.goto(town.serving.setup_link)
    expect(again.get_by_role("button", name="Make my passkey")).to_have_count(0)
    again.close()


def set_a_price(owner, town):
    owner.get_by_role("button", name="Make tariff").click()
    owner.get_by_label("Name", exact=True).fill("House price")
    owner.get_by_label("Energy (optional)", exact=True).fill("0.45")
    expect(owner.locator("#preview")).to_contain_text("0.45")
    owner.get_by_role("button", name="Save prices").click()
    expect(owner.get_by_role("heading", name="House price")).to_be_visible()


def connect_a_station(owner, town):
    """A charge point calls by itself, appears without reload, and is let in."""
    owner.goto(town.url("/stations"))
    expect(owner.get_by_text("No station yet")).to_be_visible()
    town.switch_on("GARAGE", connectors=1, wait=False)
    owner.get_by_role("button", name="Admit station").click()
    expect(owner.get_by_text("The station was admitted.")).to_be_visible()
    town.until_station("GARAGE", lambda station: station.online and not station.owes, timeout_s=60)
    expect(owner.locator("#list").get_by_text("Free")).to_be_visible()


def read_the_sheet(owner, town):
    """The printed code says where drivers pay."""
    owner.goto(town.url("/stations/GARAGE/sheet"))
    expect(owner.locator(".qr-box svg")).to_be_visible()
    return owner.locator(".qr-sheet code").inner_text()


def scan_and_pay(driver, code):
    """Open what the code says, choose an amount, pay with the wallet, and see it on the first page by itself."""
    driver.goto(code)
    expect(driver.get_by_text("Free", exact=True)).to_be_visible()
    driver.get_by_role("radio").first.check()
    driver.get_by_role("button", name="Pay and charge").click()
    expect(driver.get_by_role("heading", name="Pay")).to_be_visible()
    pay_by_wallet(driver)
    expect(driver.get_by_role("heading", name="Plug in your car now")).to_be_visible()


def pay_by_wallet(driver):
    """Open the wallet of the sandbox as another app, confirm, and come back."""
    with driver.context.expect_page() as opened:
        driver.get_by_role("button", name="Pay with the sandbox wallet").click()
    wallet = opened.value
    wallet.get_by_role("button", name="Pay", exact=True).click()
    expect(wallet.locator("#paid")).to_be_visible()
    wallet.close()


def plug_in(driver, town):
    """Energy and cost run on the page while the car charges, without reload."""
    driver.evaluate("window.sameVisit = true")
    town.plug("GARAGE")
    expect(driver.get_by_text("Charging", exact=True)).to_be_visible()
    energy = driver.locator(".big-figure")
    expect(energy).to_have_text(ENOUGH)
    before = energy.inner_text()
    expect(energy).not_to_have_text(before)
    assert driver.evaluate("window.sameVisit")


def close_the_phone(driver):
    """The page is gone, its link is not: whoever has it goes on."""
    link, context = driver.url, driver.context
    driver.close()
    again = context.new_page()
    again.goto(link)
    expect(again.get_by_text("Charging", exact=True)).to_be_visible()
    return again


def top_up(driver):
    left = driver.locator(".gauge")
    expect(left).to_contain_text("Left")
    driver.get_by_text("Add credit").first.click()
    driver.get_by_role("button", name="Add credit").click()
    pay_by_wallet(driver)
    expect(left.get_by_role("img")).to_have_attribute("aria-label", re.compile("^[0-9]%"))
    expect(driver.get_by_role("button", name="Pay with the sandbox wallet")).to_have_count(0)


def stop(driver):
    driver.get_by_role("button", name="Stop and get change").click()
    driver.get_by_role("dialog").get_by_role("button", name="Stop and get change").click()
    expect(driver.get_by_role("heading", name="Charged")).to_be_visible()


def take_the_change(driver):
    expect(driver.get_by_role("heading", name="Your change")).to_be_visible()
    with driver.context.expect_page() as opened:
        driver.get_by_role("button", name="Get it with the sandbox wallet").click()
    wallet = opened.value
    wallet.get_by_role("button", name="Receive", exact=True).click()
    expect(wallet.get_by_text("Received:")).to_be_visible()
    wallet.close()
    expect(driver.get_by_text("was paid to your wallet")).to_be_visible()


def read_the_receipt(driver, town):
    """As a page, as PDF, and as JSON, which adds up."""
    driver.get_by_role("button", name="Show receipt").click()
    expect(driver.get_by_role("heading", name="Receipt")).to_be_visible()
    pdf = driver.request.get(driver.url + ".pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.body().startswith(b"%PDF-")
    facts = driver.request.get(driver.url + ".json").json()
    assert facts["energy_wh"] > 0
    return facts


def see_it_all(owner, town, receipt):
    """The owner finds session, payments and journal, and nothing that is still owed."""
    owner.goto(town.url("/sessions"))
    expect(owner.locator("#list tbody tr")).to_have_count(1)
    owner.locator("#list tbody a").first.click()
    expect(owner.get_by_role("heading", level=1)).to_be_visible()
    owner.goto(town.url("/payments"))
    expect(owner.locator("main tbody tr")).to_have_count(2)
    owner.goto(town.url("/payments?tab=out"))
    expect(owner.locator("main tbody tr")).to_have_count(1)
    owner.goto(town.url("/owed"))
    expect(owner.get_by_text("Nothing is owed")).to_be_visible()
    owner.goto(town.url("/journal"))
    expect(owner.locator("main tbody tr").first).to_be_visible()
    owner.goto(town.url("/overview"))
    expect(owner.get_by_role("heading", name="Overview")).to_be_visible()


def sign_out(owner, town):
    owner.locator("details.menu summary").click()
    owner.get_by_role("button", name="Sign out").click()
    owner.wait_for_url("**/sign-in*")
    owner.goto(town.url("/sessions"))
    owner.wait_for_url(re.compile(r"/sign-in\?next="))
    owner.get_by_role("button", name="Sign in with a passkey").click()
    owner.wait_for_url("**/sessions")
