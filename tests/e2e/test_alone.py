"""Who has no mouse, or no script, succeeds as well."""

import re

from playwright.sync_api import expect
from tests.e2e.browser import DESK, PHONE, add_authenticator, become_owner, tab_to, visiting

ENOUGH = re.compile(r"[1-9].*Wh")


def test_paying_by_keyboard_alone(chromium, town):
    with visiting(chromium, DESK) as context:
        page = context.new_page()
        page.goto(town.url("/c/town-hall-1"))
        choices = page.get_by_role("radio")
        tab_to(page, page.locator("input[name=amount]:checked"))
        page.keyboard.press("ArrowUp")
        expect(choices.first).to_be_checked()
        press(page, page.get_by_role("button", name="Pay and charge"))
        with context.expect_page() as opened:
            press(page, page.get_by_role("button", name="Pay with the sandbox wallet"))
        press(opened.value, opened.value.get_by_role("button", name="Pay", exact=True))
        expect(opened.value.locator("#paid")).to_be_visible()
        opened.value.close()
        expect(page.get_by_role("heading", name="Plug in your car now")).to_be_visible()
        town.plug("TOWN-HALL", 1)
        expect(page.locator(".big-figure")).to_have_text(ENOUGH)
        press(page, page.locator("summary", has_text="Stop and get change"))
        dialog = page.get_by_role("dialog")
        press(page, dialog.get_by_role("button", name="Stop and get change"))
        expect(page.get_by_role("heading", name="Charged")).to_be_visible()
        town.unplug("TOWN-HALL", 1)


def test_signing_in_by_keyboard_alone(chromium, town):
    with visiting(chromium, DESK) as context:
        page = context.new_page()
        add_authenticator(page)
        become_owner(page, town.serving.setup_link)
        press(page, page.locator("details.menu summary"))
        press(page, page.get_by_role("button", name="Sign out"))
        page.wait_for_url("**/sign-in*")
        press(page, page.get_by_role("button", name="Sign in with a passkey"))
        page.wait_for_url("**/overview")
        press(page, page.get_by_role("link", name="Skip to content"))
        press(page, page.locator("aside a", has_text="Charging"))
        page.wait_for_url("**/stations")


def test_paying_without_script(chromium, town):
    with visiting(chromium, PHONE, java_script_enabled=False) as context:
        page, wallet = context.new_page(), context.new_page()
        page.goto(town.url("/c/market-square-1"))
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Pay and charge").click()
        expect(page.get_by_role("heading", name="Pay")).to_be_visible()
        expect(page.get_by_role("button", name="Look again")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        wallet.goto(page.get_by_role("button", name="Pay with the sandbox wallet").evaluate("link => link.href"))
        wallet.get_by_role("button", name="Pay", exact=True).click()
        expect(wallet.locator("#paid")).to_be_visible()
        reload_until(page, page.get_by_role("heading", name="Plug in your car now"))
        town.plug("MARKET-SQUARE", 1)
        reload_until(page, page.get_by_text("Charging", exact=True))
        page.locator("summary", has_text="Stop and get change").click()
        page.locator("form button", has_text="Stop and get change").click()
        reload_until(page, page.get_by_role("heading", name="Charged"))
        reload_until(page, page.get_by_role("heading", name="Your change"))
        wallet.goto(page.get_by_role("button", name="Get it with the sandbox wallet").evaluate("link => link.href"))
        wallet.get_by_role("button", name="Receive", exact=True).click()
        expect(wallet.get_by_text("Received:")).to_be_visible()
        reload_until(page, page.get_by_text("was paid to your wallet"))
        town.unplug("MARKET-SQUARE", 1)


def press(page, target):
    """Go to an element by Tab and press Enter."""
    tab_to(page, target)
    page.keyboard.press("Enter")


def reload_until(page, target, most=100):
    """Reload as a person without script does, until something is there."""
    for _ in range(most):
        if target.count():
            return
        page.wait_for_timeout(150)
        page.reload()
    raise AssertionError(f"{target} did not come by reloading")
