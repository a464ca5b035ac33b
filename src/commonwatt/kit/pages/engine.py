"""Templates: Jinja with strict names, escaping everywhere, our values as filters, texts by gettext.

A feature keeps its templates in its own folder `templates/` and names them with its name in front:
`charging/connector.html`. Layouts and parts have no name in front: `layout/passer.html`, `parts/pill.html`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2 import TemplateNotFound as JinjaTemplateNotFound
from litestar import Request
from litestar.exceptions import TemplateNotFoundException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from commonwatt.kernel import Clock
from commonwatt.kit.clock import SystemClock
from commonwatt.kit.pages import plain_words, values
from commonwatt.kit.pages.assets import asset, icon
from commonwatt.kit.pages.page import Page, current_page, page_of, rendering
from commonwatt.kit.pages.qr import qr
from commonwatt.kit.pages.texts import LANGUAGE_NAMES, texts
from commonwatt.kit.web.site import Site

PACKAGE = Path(__file__).parents[2]
OWN = Path(__file__).parent / "templates"


class CurrentPage:
    """The page that is being rendered, under the name `page` in every template and macro."""

    def __getattr__(self, name: str) -> Any:
        """Return what the current page says."""
        return getattr(current_page(), name)


class BoundTemplate:
    """A template that knows its page when it renders."""

    def __init__(self, engine: PageEngine, name: str) -> None:
        """Take the engine and the template's name."""
        self._engine = engine
        self._template = engine.engine.get_template(name)

    def render(self, *args: Any, **context: Any) -> str:
        """Render with the page of `request`, or with a `page` that is given.

        A page that answers a form says where it is by GET as `lives_at`, and by `shown_once` that it must not be left.
        """
        if args:
            context = {**dict(args[0]), **context}
        page = context.pop("page", None)
        request = context.get("request")
        if not isinstance(page, Page):
            place = {name: context[name] for name in ("lives_at", "shown_once") if name in context}
            page = self._engine.page_for(request, context.get("site"), **place)
        with rendering(page):
            return self._template.render(**context)


class PageEngine(JinjaTemplateEngine):
    """Litestar's door to our templates."""

    def __init__(self, environment: Environment, clock: Clock) -> None:
        """Take the environment and the clock that tells "4 min ago"."""
        super().__init__(engine_instance=environment)
        self._clock = clock

    def get_template(self, template_name: str) -> BoundTemplate:  # type: ignore[override] # renders like Jinja's
        """Return a template by name. Raises TemplateNotFoundException."""
        try:
            return BoundTemplate(self, template_name)
        except JinjaTemplateNotFound as error:
            raise TemplateNotFoundException(template_name=template_name) from error

    def page_for(self, request: object, site: object, **place: Any) -> Page:
        """Return the page of a request; without one, a plain page of the site. `place` goes to `page_of`."""
        now = self._clock.now()
        if isinstance(request, Request):
            return page_of(request, now, **place)
        return Page(now, site if isinstance(site, Site) else Site("Commonwatt", "http://localhost:8080"))


def environment(features: Iterable[str] | None = None) -> Environment:
    """Return the Jinja environment over the kit's templates and those of the features, all of them unless named."""
    names = features if features is not None else (path.parent.name for path in PACKAGE.glob("*/templates"))
    folders: Mapping[str, FileSystemLoader] = {name: FileSystemLoader(PACKAGE / name / "templates") for name in names}
    env = Environment(
        loader=ChoiceLoader([FileSystemLoader(OWN), PrefixLoader(folders)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        optimized=False,  # filters read the page at run time, so constants must not be folded at compile time
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.install_gettext_callables(  # type: ignore[attr-defined] # added by the i18n extension
        lambda message: texts(current_page().language).gettext(message),
        lambda one, many, count: texts(current_page().language).ngettext(one, many, count),
        newstyle=True,
        pgettext=lambda context, message: texts(current_page().language).pgettext(context, message),
        npgettext=lambda context, one, many, count: texts(current_page().language).npgettext(context, one, many, count),
    )
    env.filters.update(values.FILTERS, told=told)
    env.filters.update(plain_words.FILTERS)
    env.globals.update(
        page=CurrentPage(),
        units=values.units,
        msat=values.msat,
        asset=asset,
        icon=icon,
        qr=qr,
        language_names=LANGUAGE_NAMES,
        accent_file=accent_file,
    )
    return env


def told(text: str) -> str:
    """Say what code said in the reader's language; the text of a template itself is marked by `_`."""
    return text if hasattr(text, "__html__") else current_page().text(text)


def accent_file(site: Site) -> str:
    """Return the address of the stylesheet of a site's own colour."""
    return f"/static/accent-{site.accent.lstrip('#').lower()}.css"


def template_engine(clock: Clock | None = None, features: Iterable[str] | None = None) -> TemplateConfig[PageEngine]:
    """Return what `Behaviour(template_config=...)` of the web kit takes."""
    return TemplateConfig(instance=PageEngine(environment(features), clock or SystemClock()))


def render_for(request: Request[Any, Any, Any], name: str, **context: Any) -> str:
    """Render a template in the words of who asks, where the answer is no page: a file."""
    engine = request.app.template_engine
    assert isinstance(engine, PageEngine)  # noqa: S101 (the application with these pages was built with it)
    return engine.get_template(name).render(request=request, **context)


def render(engine: PageEngine, name: str, page: Page, **context: Any) -> str:
    """Render a template outside of a request: a test, a printed sheet, an electronic mail."""
    return engine.get_template(name).render(page=page, **context)
