"""Every text that a person reads, in his language: catalogs by gettext, the choice by cookie, then by the browser.

Passer-by pages speak English, German, French and Czech, owner pages English and German. Catalogs are the `.po` files in
`locale/`, read at first use (some ten milliseconds a language); English is the text itself.
"""

from __future__ import annotations

import io
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from commonwatt.kernel import Said

LOCALE = Path(__file__).parent / "locale"
PASSER_LANGUAGES = ("en", "de", "fr", "cs")
OWNER_LANGUAGES = ("en", "de")
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "fr": "Français", "cs": "Čeština"}
DOMAIN = "commonwatt"


@cache
def texts(language: str) -> NullTranslations:
    """Return the catalog of a language; English and unknown ones answer with the text itself."""
    path = LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if language not in PASSER_LANGUAGES or not path.is_file():
        return NullTranslations()
    with path.open("rb") as source:
        catalog = read_po(source, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def tell(text: str, language: str) -> str:
    """Say a text in a language: a constant by its catalog, a sentence of code with its values in the language's way."""
    if not text:
        return ""
    if not isinstance(text, Said) or not text.values:
        return str(texts(language).gettext(str(text)))
    values = {name: _tell_value(value, language) for name, value in text.values.items()}
    return str(texts(language).gettext(text.template)) % values


def _tell_value(value: object, language: str) -> str:
    match value:
        case Said():
            return tell(value, language)
        case int() | Decimal():
            return str(format_decimal(value, locale=language)).replace("-", "\N{MINUS SIGN}")
        case _:
            return str(value)


def choose_language(cookie: str | None, accepted: str, fallback: str, offered: tuple[str, ...]) -> str:
    """Return the language to speak: the visitor's choice, else the best of `Accept-Language` (RFC 9110, 12.5.4)."""
    if cookie in offered:
        return str(cookie)
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:500].split(",")):
        tag, _, rest = part.strip().partition(";")
        quality = rest.strip().removeprefix("q=") if rest else "1"
        try:
            wishes.append((-float(quality), place, tag.strip().lower().split("-")[0]))
        except ValueError:
            continue
    for weight, _, language in sorted(wishes):
        if language in offered and weight < 0:
            return language
    return fallback if fallback in offered else "en"
