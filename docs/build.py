"""Builds the documentation into `build/docs`: `python docs/build.py`.

Everything is gathered into `build/docs-source` first: `docs/`, the papers of the root, the README of every part of the
code, and the pages that the code makes at this moment, the API's description among them. Links are then checked twice:
here against the repository, and by mkdocs in its strict mode. Nothing of the site comes from elsewhere, and it reads
without a server too.
"""

from __future__ import annotations

import logging
import re
import shutil
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS))

import api_page
import generate
from mkdocs.commands.build import build
from mkdocs.config.defaults import MkDocsConfig

STAGE, SITE = ROOT / "build" / "docs-source", ROOT / "build" / "docs"
PAPERS = {
    "ARCHITECTURE.md": "architecture.md",
    "GLOSSARY.md": "glossary.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
FOLDERS = ("guides", "problems", "decisions", "protocols", "reference", "pictures")
GUIDES = (
    "first-paid-session",
    "connect-a-charger",
    "connect-a-wallet-node",
    "tariffs",
    "run-on-a-server",
    "backup-and-restore",
    "replay",
    "pages",
)
"""The order of the guides; one that is not named here comes last."""
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


MADE_HERE = {DOCS / folder: f"{folder}/index.md" for folder in ("problems", "decisions")}
"""Lists that exist in the site only, by the folders that stand for them in the repository."""


class BrokenLink(Exception):
    """A page links to what does not exist."""


def sources() -> dict[str, Path]:
    """Return every file of the site by its path in it, with where it comes from."""
    found = {"index.md": DOCS / "index.md"}
    found |= {to: ROOT / name for name, to in PAPERS.items()}
    for folder in FOLDERS:
        for path in sorted((DOCS / folder).glob("*.*")):
            found[f"{folder}/{path.name}"] = path
    for readme in sorted((ROOT / "src" / "commonwatt").rglob("README.md")):
        found[f"parts/{'-'.join(readme.relative_to(ROOT / 'src' / 'commonwatt').parts[:-1])}.md"] = readme
    return found


def gather() -> None:
    """Put all sources into the stage, their links turned to where each page is in the site."""
    shutil.rmtree(STAGE, ignore_errors=True)
    found = sources()
    places = {path.resolve(): to for to, path in found.items()} | MADE_HERE
    for to, path in found.items():
        target = STAGE / to
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            target.write_text(relink(path.read_text("utf-8"), path, to, places), "utf-8")
        else:
            shutil.copyfile(path, target)
    for to, text in generate.pages().items():
        (STAGE / to).write_text(text, "utf-8")
    for folder, title in (("problems", "Problems"), ("decisions", "Decisions"), ("parts", "The parts of the code")):
        (STAGE / folder / "index.md").write_text(listing(folder, title), "utf-8")
    (STAGE / "reference" / "api.md").write_text(api_page.page(), "utf-8")
    (STAGE / "reference" / "openapi.json").write_text(api_page.schema_json(), "utf-8")


def relink(text: str, path: Path, to: str, places: dict[Path, str]) -> str:
    """Turn links between files of the repository into links between pages; what is no page becomes plain text.

    Raises BrokenLink for a link to nothing.
    """

    def turn(match: re.Match[str]) -> str:
        picture, words, link = match.groups()
        if re.match(r"[a-z]+:|#|/", link):
            return match[0]
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve()
        if not target.exists() and target not in places:
            msg = f"{path.relative_to(ROOT)} links to {link}, which does not exist"
            raise BrokenLink(msg)
        if target not in places:
            return words
        up = "../" * (len(Path(to).parts) - 1)
        return f"{picture}[{words}]({up}{places[target]}{'#' if anchor else ''}{anchor})"

    parts, last = [], 0
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(turn, text[last : fence.start()]), fence[0]]
        last = fence.end()
    # links whose words hold code in backticks are cut by the fences above, so they are turned in a second pass
    return _LINK.sub(turn, text) if "](" in text and "`](" in text else "".join([*parts, _LINK.sub(turn, text[last:])])


def listing(folder: str, title: str) -> str:
    """Return a page that lists a folder's pages by their titles."""
    pages = sorted((STAGE / folder).glob("*.md"))
    lines = [f"* [{title_of(page)}]({page.name})" for page in pages if page.name != "index.md"]
    return "\n".join([f"# {title}", "", LEADS[folder], "", *lines, ""])


LEADS = {
    "problems": "Every error that the program tells has a page: what happened, what it means for money and energy, and "
    "what to do. A running server shows them at `/problems/`, and each problem's `type` points there.",
    "decisions": "What a newcomer would question, with the reasons, and with the rule or test that holds it.",
    "parts": "Each part of the code begins with a page: its story, the order to read it in, and what always holds.",
}


def title_of(page: Path) -> str:
    """Return a page's first heading."""
    return next((line[2:] for line in page.read_text("utf-8").splitlines() if line.startswith("# ")), page.stem)


def contents() -> list[Any]:
    """Return the site's map."""
    guides = [path.stem for path in sorted((STAGE / "guides").glob("*.md"))]
    guides.sort(key=lambda stem: (GUIDES.index(stem) if stem in GUIDES else len(GUIDES), stem))
    return [
        {"Start": "index.md"},
        {"Guides": [f"guides/{stem}.md" for stem in guides]},
        {"How it is built": ["architecture.md", "glossary.md", "contributing.md", "changelog.md"]},
        {"Protocols": _all("protocols")},
        {"Reference": _all("reference")},
        {"Decisions": [{"All decisions": "decisions/index.md"}, *_all("decisions")]},
        {"Parts of the code": [{"All parts": "parts/index.md"}, *_all("parts")]},
        {"Problems": [{"All problems": "problems/index.md"}, *_all("problems")]},
    ]


def _all(folder: str) -> list[str]:
    return [f"{folder}/{path.name}" for path in sorted((STAGE / folder).glob("*.md")) if path.name != "index.md"]


def site() -> MkDocsConfig:
    """Return the settings of mkdocs."""
    config = MkDocsConfig()
    config.load_dict(
        {
            "site_name": "Commonwatt",
            "site_url": "",
            "copyright": "Commonwatt is free software under the Apache License 2.0.",
            "docs_dir": str(STAGE),
            "site_dir": str(SITE),
            "use_directory_urls": False,
            "theme": {"name": None, "custom_dir": str(DOCS / "theme"), "static_templates": ["404.html", "search.html"]},
            "plugins": ["search"],
            "markdown_extensions": [{"toc": {"permalink": "#"}}, "sane_lists"],
            "validation": {
                "nav": {"omitted_files": "warn", "not_found": "warn", "absolute_links": "warn"},
                "links": {
                    "not_found": "warn",
                    "anchors": "warn",
                    "absolute_links": "warn",
                    "unrecognized_links": "warn",
                },
            },
            "strict": True,
            "nav": contents(),
        }
    )
    errors, warnings = config.validate()
    if errors or warnings:
        raise SystemExit(f"The settings of mkdocs are wrong: {errors or warnings}")
    return config


def main() -> int:
    """Build the site; the exit code tells whether every link holds."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    gather()
    build(site())
    print(f"The documentation is in {SITE.relative_to(ROOT)}; open {SITE.relative_to(ROOT)}/index.html")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
