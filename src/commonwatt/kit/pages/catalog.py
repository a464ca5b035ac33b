"""The catalogs of texts: what pages say, found in the templates, and which of it each language still lacks.

`python -m commonwatt.kit.pages.catalog` brings every `.po` file up to date with the templates: new texts are added
empty, texts that nobody says any more are dropped, translations stay.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from commonwatt.kit.pages.texts import DOMAIN, LOCALE, OWNER_LANGUAGES, PASSER_LANGUAGES

PACKAGE = Path(__file__).parents[2]
ROOTS = {"": PACKAGE / "kit" / "pages" / "templates"}
JINJA_OPTIONS = {"extensions": "jinja2.ext.do,jinja2.ext.i18n", "newstyle_gettext": "true"}
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2), "said": None}
SAID_TO_PASSERS = (
    "adapters/payment/sandbox/pages.py",
    "adapters/payment/sandbox/wording.py",
    "charging/actions/claim_change.py",
    "charging/actions/offer_session.py",
    "charging/actions/stop_session.py",
    "charging/finding.py",
    "charging/lnurl.py",
    "charging/pages.py",
    "charging/prepaying.py",
    "kit/database/writer.py",
    "kit/pages/language_choice.py",
    "kit/web/forgery.py",
    "kit/web/limits.py",
    "kit/web/problem_docs.py",
    "kit/web/problems.py",
    "members/actions/invite_member.py",
    "members/actions/prove_by_passkey.py",
    "members/actions/recover_by_code.py",
    "members/pages.py",
    "payments/actions/request_invoice.py",
)
"""Code whose sentences (`kernel.said`) a driver, a visitor or someone signing in reads; the others are the owner's."""
_MARKED = re.compile(r"\b(?:_|said)\(")
PASSER_ROOTS = ('extends "layout/passer.html"', 'extends "layout/print.html"')
ON_EVERY_PAGE = "kit/pages/values.py"
_USES = re.compile(r'\{%-?\s*(?:extends|from|include|import)\s+"([^"]+)"')


def template_files() -> dict[str, Path]:
    """Return every template by the name that templates use for it."""
    found = {path.relative_to(ROOTS[""]).as_posix(): path for path in ROOTS[""].rglob("*.html")}
    for folder in sorted(PACKAGE.glob("*/templates")):
        for path in sorted(each for kind in ("*.html", "*.json") for each in folder.rglob(kind)):
            found[f"{folder.parent.name}/{path.relative_to(folder).as_posix()}"] = path
    return found


def passer_templates() -> frozenset[str]:
    """Return the templates that a passer-by can see: passer-by pages and all that they use, directly or not."""
    files = template_files()
    texts = {name: path.read_text("utf-8") for name, path in files.items()}
    reached = [name for name, text in texts.items() if any(root in text for root in PASSER_ROOTS)]
    seen: set[str] = set()
    while reached:
        name = reached.pop()
        if name in texts and name not in seen:
            seen.add(name)
            reached.extend(_USES.findall(texts[name]))
    return frozenset(seen)


def extract() -> Catalog:
    """Return all texts of templates and of Python code, each with the places where it is said."""
    catalog = Catalog(domain=DOMAIN, project="Commonwatt", charset="utf-8")
    sources = [(name, path, "jinja2", JINJA_OPTIONS) for name, path in sorted(template_files().items())]
    sources += [(name, path, "python", {}) for name, path in _python_files()]
    for name, path, method, options in sources:
        for _, message, comments, context in extract_from_file(method, path, keywords=KEYWORDS, options=options):
            catalog.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    for title in _problem_titles():
        catalog.add(title, None, [("problem.html", 0)])
    return catalog


def _problem_titles() -> Iterator[str]:
    """Find the titles of all errors: classes with a slug and a title."""
    for path in sorted(PACKAGE.rglob("errors.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                said = {
                    target.id: line.value.value
                    for line in node.body
                    if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
                    for target in line.targets
                    if isinstance(target, ast.Name)
                }
                if "slug" in said and isinstance(said.get("title"), str):
                    yield str(said["title"])


def _python_files() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "templates" not in path.parts and _MARKED.search(path.read_text("utf-8")):
            yield path.relative_to(PACKAGE).as_posix(), path


def catalog_path(language: str) -> Path:
    """Return where a language's catalog is kept."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def load(language: str) -> Catalog:
    """Return a language's catalog, an empty one when there is none yet."""
    path = catalog_path(language)
    if not path.is_file():
        return Catalog(locale=language, domain=DOMAIN)
    with path.open("rb") as source:
        return read_po(source, locale=language, domain=DOMAIN)


def languages_of(message: Message, passers: frozenset[str]) -> tuple[str, ...]:
    """Return the languages that a text must have, English aside: four on passer-by pages, two on the owner's."""
    everywhere = {*SAID_TO_PASSERS, ON_EVERY_PAGE}
    seen_by_passers = any(place in passers or place in everywhere for place, _ in message.locations)
    return (PASSER_LANGUAGES if seen_by_passers else OWNER_LANGUAGES)[1:]


def missing(language: str) -> list[str]:
    """Return the texts that a language should have and has not."""
    passers, known = passer_templates(), load(language)
    lacking = []
    for message in extract():
        if message.id and language in languages_of(message, passers):
            translated = known.get(message.id, message.context)
            strings = translated.string if translated is not None else ""
            complete = all(strings) if isinstance(strings, tuple | list) else bool(strings)
            if not complete or (translated is not None and translated.fuzzy):
                lacking.append(str(message.id[0] if isinstance(message.id, tuple | list) else message.id))
    return lacking


def update(language: str) -> int:
    """Bring a language's catalog up to date and return how many texts it lacks."""
    passers, before = passer_templates(), load(language)
    after = Catalog(
        locale=language,
        domain=DOMAIN,
        project="Commonwatt",
        charset="utf-8",
        fuzzy=False,
        header_comment=f"# {language}: texts of Commonwatt's pages. Written by commonwatt.kit.pages.catalog.",
        last_translator="The Commonwatt founders",
        language_team=language,
        msgid_bugs_address="",
        revision_date=datetime(2026, 1, 1, tzinfo=UTC),
        creation_date=datetime(2026, 1, 1, tzinfo=UTC),
    )
    for message in extract():
        if message.id and language in languages_of(message, passers):
            old = before.get(message.id, message.context)
            after.add(message.id, old.string if old is not None else "", message.locations, context=message.context)
    path = catalog_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        write_po(target, after, sort_output=True, omit_header=False, include_lineno=False, width=110)
    return len(missing(language))


def main() -> None:
    """Update all catalogs and tell what they lack."""
    for language in PASSER_LANGUAGES[1:]:
        sys.stdout.write(f"{language}: {update(language)} texts to translate\n")


if __name__ == "__main__":
    main()
