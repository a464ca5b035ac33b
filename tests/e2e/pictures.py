"""Pictures of pages in build/screens, judged by axe while they are open, and an index to look through them all."""

import html
import json
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.browser import DESK, PHONE, visiting
from tests.peers import npm

SCREENS = Path(__file__).parents[2] / "build" / "screens"
WIDTHS = {"phone": PHONE, "desk": DESK}
GRAVE = ("serious", "critical")
READY = """async () => {
  await document.fonts.ready;
  const until = Date.now() + 5000;
  for (const chart of document.querySelectorAll('[data-waiting]')) {
    chart.scrollIntoView();
    while (chart.hasAttribute('data-waiting') && Date.now() < until) await new Promise(requestAnimationFrame);
  }
  scrollTo(0, 0);
}"""
CUT_OFF = """() => {
  const edge = document.documentElement.clientWidth + 1;
  const scrolls = (part) => part &&
    (/auto|scroll/.test(getComputedStyle(part).overflowX) || scrolls(part.parentElement));
  return [...document.querySelectorAll('main *')].filter((part) => {
    const box = part.getBoundingClientRect();
    return box.width > 2 && box.right > edge && !scrolls(part) && part.checkVisibility({ visibilityProperty: true });
  }).slice(0, 3).map((part) => part.outerHTML.slice(0, 120));
}"""
UNPIN = "document.querySelectorAll('.tabbar, .toasts').forEach((part) => { part.style.position = 'static'; })"
"""A picture of a whole page has no foot of the screen to which things could stick."""
HEAD = """<!doctype html><html lang=en><meta charset=utf-8><title>Every page</title><style>
body { font: 15px sans-serif; margin: 2rem; background: #ddd }
img { height: 420px; max-width: 640px; object-fit: cover; object-position: top; border: 1px solid #888; margin: .3rem }
</style><h1>Every page</h1>"""
JUDGE = """async () => {
  const found = await axe.run(document, { resultTypes: ['violations'] });
  const where = (nodes) => nodes.slice(0, 4).map((node) => node.target.join(' '));
  return found.violations.map(({ id, impact, nodes }) => [id, impact, where(nodes)]);
}"""


class Album:
    """Takes the pictures of a group of scenes, and keeps what is wrong with them."""

    def __init__(self, town, group):
        self.town, self.group = town, group
        self.wrong: list[str] = []
        axe = npm.modules() / "axe-core" / "axe.min.js"
        self._axe = axe.read_text("utf-8") if axe.exists() else ""
        SCREENS.mkdir(parents=True, exist_ok=True)

    def take(self, chromium, scenes, state=None, *, german=False):
        """Show every scene at both widths, light and dark, and in German when asked."""
        with ExitStack() as visits:

            def visit(width, **more):
                context = visiting(chromium, WIDTHS[width], storage_state=state, reduced_motion="reduce", **more)
                return width, visits.enter_context(context).new_page()

            pages = [visit(width) for width in WIDTHS]
            german_pages = [visit(width, locale="de-DE") for width in WIDTHS] if german else []
            for scene in scenes:
                address = scene.address(self.town)
                for width, page in pages:
                    self._both_themes(page, scene, address, width)
                for width, page in german_pages:
                    self._open(page, scene, address, f"{width} german")
                    self._shoot(page, scene, width, "german")

    def _both_themes(self, page, scene, address, width):
        self._open(page, scene, address, width)
        phone = width == "phone"
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            self._shoot(page, scene, width, theme)
            if phone == (theme == "dark"):
                self._judge(page, scene, f"{width} {theme}")

    def _open(self, page, scene, address, how):
        if scene.status >= 400:
            page.context.watch.expected.add(address)
        page.emulate_media(color_scheme="light")
        answer = page.goto(address, wait_until="load")
        if answer.status != scene.status:
            self.wrong.append(f"{scene.name}: {address} answers {answer.status}")
        page.evaluate(READY)
        page.evaluate(UNPIN)
        cut_off = page.evaluate(CUT_OFF)
        if cut_off:
            self.wrong.append(f"{scene.name} ({how}): reaches beyond the screen: {cut_off}")

    def _shoot(self, page, scene, width, theme):
        name = f"{self.group}--{scene.name}--{width}-{theme}.png".replace(" ", "_").replace(",", "")
        page.screenshot(path=SCREENS / name, full_page=True, animations="disabled")

    def _judge(self, page, scene, how):
        if not self._axe:
            return
        page.evaluate(self._axe)
        for rule, impact, targets in page.evaluate(JUDGE):
            if impact in GRAVE:
                self.wrong.append(f"{scene.name} ({how}): {rule} at {targets}")

    def close(self):
        """Write the index; nothing may be wrong."""
        write_index()
        (SCREENS / f"{self.group}.json").write_text(json.dumps(self.wrong, indent=1), "utf-8")
        assert self.wrong == [], json.dumps(self.wrong, indent=1)


def write_index():
    """Write build/screens/index.html: all pictures there are, grouped by page."""
    groups: dict[str, dict[str, list[str]]] = {}
    for path in sorted(SCREENS.glob("*.png")):
        group, scene, _ = path.stem.split("--")
        groups.setdefault(group, {}).setdefault(scene, []).append(path.name)
    parts = [HEAD]
    for group, scenes in groups.items():
        parts.append(f"<h2>{html.escape(group)}</h2>")
        for scene, names in scenes.items():
            parts.append(f"<h3>{html.escape(scene.replace('_', ' '))}</h3>")
            parts += [f'<a href="{name}"><img loading=lazy src="{name}" alt="{name}"></a>' for name in sorted(names)]
    (SCREENS / "index.html").write_text("\n".join(parts), "utf-8")
