"""Sentences that people read: English as they stand, and able to be said again in another language.

The API, the log, the terminal and wallets take a sentence as the text that it is. A page knows its reader's language,
so it asks the sentence for the template that it was made of and looks that up in the catalogs.
"""

from __future__ import annotations

from collections.abc import Mapping


class Said(str):
    """A text in English that remembers how it was made. It never changes, like any text."""

    __slots__ = ("template", "values")

    template: str
    """What catalogs translate: the sentence with its placeholders, as `at most %(most)s letters`."""
    values: Mapping[str, object]
    """What stands in the places: numbers, which each language writes in its own way, texts, or sentences like this."""


def said(template: str, **values: object) -> Said:
    """Make a sentence of a template and values; without values the template is the sentence, percent signs too.

    The catalogs find what is said by this function's name, so a template is written out where it is said.
    """
    sentence = Said(template % values if values else template)
    sentence.template = template
    sentence.values = values
    return sentence
