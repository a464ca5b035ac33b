"""Finds English on a page that should be in German: words that German does not have."""

import re

ENGLISH = (
    "the",
    "this",
    "is",
    "nothing",
    "here",
    "again",
    "and",
    "of",
    "it",
    "with",
    "you",
    "your",
    "not",
    "there",
    "to",
)
GERMAN = {"accept": "text/html", "accept-language": "de"}


def words_of(page):
    """Return what a person reads on a page, without its code, its scripts and the names of languages."""
    main = re.search(r"<main.*</main>", page, re.DOTALL)
    text = re.sub(r"<(script|style|svg|code)\b.*?</\1>", " ", main[0] if main else page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip()


def english_in(page):
    """Return the English words on a page."""
    found = re.findall(r"[a-z]+", words_of(page).lower())
    return [word for word in found if word in ENGLISH]
