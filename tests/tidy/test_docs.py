"""What is written is true of what is built: a page for every error, links that lead somewhere, nothing stale."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from commonwatt.kernel.errors import Fault
from commonwatt.kit.database import Effect, Event
from commonwatt.main.reference import every_command, import_everything

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAPERS = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "GLOSSARY.md", "CONTRIBUTING.md", "CHANGELOG.md")]
WRITTEN = sorted([*PAPERS, *DOCS.rglob("*.md"), *(ROOT / "src").rglob("README.md")])
SECTIONS = ("## What happened", "## What it means for money and energy", "## What to do")
FOR_THE_OWNER = "## For whoever runs the place"
DECISION_LINES_MAX = 40


def load(name):
    """Load a script of docs/, which is no package."""
    if str(DOCS) not in sys.path:
        sys.path.insert(0, str(DOCS))
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named(path):
    return str(path.relative_to(ROOT))


def below(kind):
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def test_every_error_has_its_page_and_every_page_its_error():
    import_everything()
    slugs = {kind.slug for kind in (Fault, *below(Fault)) if kind.__module__.startswith("commonwatt.")}
    pages = {path.stem for path in (DOCS / "problems").glob("*.md")}
    assert slugs - pages == set(), "write docs/problems/<slug>.md for these"
    assert pages - slugs == set(), "no error has these slugs any more"


@pytest.mark.parametrize("path", sorted((DOCS / "problems").glob("*.md")), ids=lambda path: path.stem)
def test_a_problem_says_what_happened_what_it_means_and_what_to_do(path):
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    sections = [line for line in lines if line.startswith("## ")]
    assert sections in (list(SECTIONS), [*SECTIONS, FOR_THE_OWNER])
    if FOR_THE_OWNER in sections:
        assert "`commonwatt " not in "\n".join(lines[: lines.index(FOR_THE_OWNER)]), "a driver has no terminal"
    assert len(lines) <= 40


@pytest.mark.parametrize("path", sorted((DOCS / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_is_short_and_names_what_holds_it(path):
    text = path.read_text("utf-8")
    number = re.match(r"(\d{4})-[a-z0-9-]+$", path.stem)
    assert number
    assert text.startswith(f"# {int(number[1])}. ")
    assert len(text.splitlines()) <= DECISION_LINES_MAX
    assert "**Held by**" in text


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_links_and_paths_lead_somewhere(path):
    text = path.read_text("utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:|#|/", link):
            continue
        target = (path.parent / link.partition("#")[0]).resolve()
        assert target.exists(), f"{link} leads nowhere in the repository"
    if path.parent == DOCS / "reference":
        return
    for code in re.findall(r"`((?:src|tests|sim|bench|docs|web)/[\w./-]+)`", prose):
        assert (ROOT / code).exists(), f"{code} does not exist"


def test_generated_pages_are_current():
    assert load("generate").stale() == [], "run: python docs/generate.py"


def test_every_event_and_effect_is_documented():
    page = (DOCS / "reference" / "events.md").read_text("utf-8")
    import_everything()
    kinds = {
        kind.kind
        for root in (Event, Effect)
        for kind in root.__subclasses__()
        if kind.__module__.startswith("commonwatt.")
    }
    assert len(kinds) > 10
    for kind in kinds:
        assert f"### `{kind}`" in page


def test_every_command_is_in_the_reference():
    from commonwatt.main.cli import commonwatt

    page = (DOCS / "reference" / "commands.md").read_text("utf-8")
    for words, _command in every_command(commonwatt, ("commonwatt",)):
        assert re.search(rf"^## `{' '.join(words)}[ `]", page, re.MULTILINE), " ".join(words)


def test_the_reference_says_which_commands_answer_in_json():
    from commonwatt.main.cli import commonwatt

    page = (DOCS / "reference" / "commands.md").read_text("utf-8")
    told = page[: page.index("Exit codes")]
    for words, command in every_command(commonwatt, ("commonwatt",)):
        takes = any("--json" in param.opts for param in command.params)
        assert takes != (f"`{' '.join(words)}`" in told), " ".join(words)


def test_commands_that_are_written_about_exist():
    from commonwatt.main.cli import commonwatt

    known = {" ".join(words[1:]): command for words, command in every_command(commonwatt, ("commonwatt",))}
    groups = {name.split()[0] for name in known}
    everywhere = {option for param in commonwatt.params for option in param.opts} | {"--help"}
    guides = [DOCS / "index.md", *sorted((DOCS / "guides").glob("*.md")), *sorted((DOCS / "problems").glob("*.md"))]
    for path in [*PAPERS, *guides]:
        text = re.sub(r"\\\n\s*", " ", path.read_text("utf-8"))
        for first, second, rest in re.findall(
            r"(?:`|\$ |bin/|^)commonwatt ([a-z]+)(?: ([a-z]+))?([^`\n]*)", text, re.MULTILINE
        ):
            where = f"{named(path)}: commonwatt {first} {second}{rest}"
            assert first in groups, where
            name = f"{first} {second}" if f"{first} {second}" in known else first
            assert name in known or not second, where
            options = {option for param in known[name].params for option in param.opts} if name in known else set()
            assert set(re.findall(r" (--[a-z-]+)", rest)) <= options | everywhere, where


def test_what_the_machine_did_is_what_its_table_says():
    drawn = load("draw_session")
    for (source, target), happenings in drawn.moves().items():
        for happening in happenings:
            rows = [rule for rule in drawn.RULES if source in rule.states and rule.on.__name__ == happening]
            assert any(target in rule.leads_to for rule in rows), f"{source} -{happening}-> {target} is not in RULES"


def test_the_site_asks_nobody_else_for_anything():
    for path in (DOCS / "theme").iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z0-9.-]+\.[a-z]{2,}/", text), named(path)


def test_the_build_refuses_a_link_to_nothing():
    build = load("build")
    with pytest.raises(build.BrokenLink, match="links to nowhere"):
        build.relink("See [it](nowhere.md).", ROOT / "README.md", "index.md", {})
    page = DOCS / "guides" / "tariffs.md"
    turned = build.relink(
        "[one](docs/guides/tariffs.md#a) [two](LICENSE)", ROOT / "README.md", "x/y.md", {page: "guides/t.md"}
    )
    assert turned == "[one](../guides/t.md#a) two"
    assert build.relink("`[no](link.md)`", ROOT / "README.md", "index.md", {}) == "`[no](link.md)`"
