"""The page kit: one look, one way to write values, one set of parts, four languages.

Reading order: `page` (what a page knows about its reader), `engine` (templates), `values` (how numbers read), `texts`
(languages), `assets` (files for the browser), then `templates/layout` and `templates/parts`.
"""

from commonwatt.kit.pages.assets import STATIC_ROUTES, AssetsNotBuilt, asset, icon
from commonwatt.kit.pages.engine import PageEngine, render, render_for, template_engine
from commonwatt.kit.pages.language_choice import choose
from commonwatt.kit.pages.navigation import Entry, Section
from commonwatt.kit.pages.page import Page, current_page
from commonwatt.kit.pages.parts_page import show_parts
from commonwatt.kit.pages.qr import qr
from commonwatt.kit.pages.texts import texts

ROUTES = [*STATIC_ROUTES, choose]
"""What every installation serves: built files and the choice of language."""
DEMO_ROUTES = [show_parts]
"""What the demo serves besides: all parts on one page."""

__all__ = [
    "DEMO_ROUTES",
    "ROUTES",
    "STATIC_ROUTES",
    "AssetsNotBuilt",
    "Entry",
    "Page",
    "PageEngine",
    "Section",
    "asset",
    "current_page",
    "icon",
    "qr",
    "render",
    "render_for",
    "show_parts",
    "template_engine",
    "texts",
]
