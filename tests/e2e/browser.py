"""Chromium as people use it: a passkey in the device, and a watch over what pages say and whom they ask."""

from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
PATIENCE_MS = 15_000
LAST_SEEN = Path(__file__).parents[2] / "build" / "e2e-failed"


class Watch:
    """What went wrong in a browser context without anybody looking: errors in the console, requests to elsewhere."""

    def __init__(self, context):
        self.expected: set[str] = set()
        """Addresses that answer with an error because the test wants to see it."""
        self.said: list[str] = []
        self.foreign: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda wrong: self.said.append(str(wrong.error)))
        context.on("request", self._see)

    def _hear(self, message):
        slow = "was preloaded using link preload but not used" in message.text
        if message.type in ("error", "warning") and message.location["url"] not in self.expected and not slow:
            self.said.append(f"{message.page.url if message.page else ''}: {message.text}")

    def _see(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("localhost", "127.0.0.1"):
            self.foreign.append(request.url)

    def check(self):
        """Nothing was said, and nobody else was asked."""
        assert not self.said, self.said
        assert not self.foreign, self.foreign


@contextmanager
def visiting(chromium, viewport=DESK, **more):
    """A person with a browser of her own; at the end nothing may have gone wrong unseen."""
    context = chromium.new_context(viewport=viewport, locale=more.pop("locale", "en-GB"), **more)
    context.set_default_timeout(PATIENCE_MS)
    context.watch = watch = Watch(context)
    try:
        yield context
        watch.check()
    except BaseException:
        _keep_what_is_seen(context)
        raise
    finally:
        context.close()


def _keep_what_is_seen(context):
    """Leave a picture of each open page of a test that failed."""
    LAST_SEEN.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(context.pages):
        page.screenshot(path=LAST_SEEN / f"{page.viewport_size['width']}-{number}.png", full_page=True)


def add_authenticator(page):
    """Give the device of this page a finger: a passkey is made and shown without asking."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def become_owner(page, link):
    """Set up by the one-time link: a name, a passkey, recovery codes; return the codes."""
    page.goto(link)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Make my passkey").click()
    page.wait_for_url("**/devices?welcome=1")
    page.get_by_role("button", name="Make recovery codes").click()
    page.locator("#codes code").nth(9).wait_for()
    return page.locator("#codes code").all_inner_texts()


def tab_to(page, target, most=60):
    """Press Tab until the element has the focus; a person without a mouse gets there, or the page is wrong."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} is not reached by {most} times Tab")
