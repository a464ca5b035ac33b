"""The command line kit: lazy, aligned, asking before money moves, and exact in how it ends."""

import io
import json
import sys

import click
import pytest

from commonwatt.kernel import BTC, EUR, Amount, Broken, Instant, Missing, Refused, Unavailable
from commonwatt.kit.cli import (
    EXIT_CODES,
    Lazy,
    LazyGroup,
    NotConfirmed,
    Program,
    Progress,
    counted,
    plain,
    run_group,
    table,
    with_program,
)
from commonwatt.kit.cli.output import columns
from commonwatt.kit.cli.problems import find_page, section, unmarked

FAULTS = {"refused": Refused, "missing": Missing, "unavailable": Unavailable, "broken": Broken}


@click.command()
@click.argument("kind")
@with_program()
def fail(program: Program, kind: str) -> None:
    raise FAULTS[kind]("The thing did not happen.", number=7)


@click.command()
@with_program(confirms=True)
def move(program: Program) -> None:
    program.confirm("Change goes out.", amount=Amount(BTC, 1500), to="lnbc1...", undo="It cannot be undone.")
    program.answer({"moved": Amount(BTC, 1500)}, "Moved.")


@click.command()
@with_program()
def where(program: Program) -> None:
    program.answer(program.overrides, lambda: "for people")


@click.command()
@with_program()
def stop(program: Program) -> None:
    raise KeyboardInterrupt


@click.group(
    cls=LazyGroup,
    lazy=[
        Lazy("fail", f"{__name__}:fail", "Fails."),
        Lazy("move", f"{__name__}:move", "Moves."),
        Lazy("where", f"{__name__}:where", "Tells."),
        Lazy("stop", f"{__name__}:stop", "Stops."),
        Lazy("absent", "no.such.module:command", "Is never imported by help."),
        Lazy("secret", "no.such.module:command", "Is not shown.", hidden=True),
    ],
)
def root() -> None:
    """Test."""


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or sys.modules[fail.callback.__module__])


def run(*words: str) -> int:
    return run_group(root, list(words), Program(lambda overrides: overrides, lambda *_: pytest.fail("opened")))


def test_help_imports_nothing(capsys):
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert "absent  Is never imported" in said
    assert "secret" not in said


@pytest.mark.parametrize(("kind", "code"), [("refused", 1), ("missing", 3), ("unavailable", 4), ("broken", 5)])
def test_each_family_of_errors_has_its_exit_code(kind, code, capsys):
    assert run("fail", kind) == code
    assert code in EXIT_CODES
    assert "The thing did not happen." in capsys.readouterr().err
    assert run("fail", kind, "--json") == code
    said = json.loads(capsys.readouterr().err)
    assert said["slug"] == kind
    assert said["number"] == 7


def test_a_mistyped_command_names_the_nearest(capsys):
    assert run("mvoe") == 2
    assert "Did you mean 'move'?" in capsys.readouterr().err
    assert run("zzzzz") == 2
    assert run("move", "--nonsense") == 2


def test_ctrl_c_has_an_exit_code_of_its_own(capsys):
    assert run("stop") == 130
    assert "Stopped." in capsys.readouterr().err


def test_money_does_not_move_where_nobody_can_be_asked(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run("move") == 1
    said = capsys.readouterr().err
    assert "--yes" in said
    assert "Change goes out. Amount: 1.5 sat. To: lnbc1...." in " ".join(said.split())
    assert "Nobody was there" not in said
    assert run("move", "--yes") == 0
    assert capsys.readouterr().out == "Moved.\n"
    assert run("move", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"moved": {"asset": "BTC", "units": 1500, "text": "1.5 sat"}}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_a_person_is_asked_with_amount_receiver_and_consequence(answer, code, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert run("move") == code
    said = capsys.readouterr().out
    for part in ("Change goes out.", "1.5 sat", "lnbc1...", "cannot be undone"):
        assert part in said


def test_a_data_directory_may_be_named_after_the_command(capsys):
    assert run("where", "--data", "some/where", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"data.dir": "some/where"}


def test_a_problem_page_says_what_it_means_and_what_to_do(capsys):
    assert "## What to do" in find_page("overdrawn")
    assert section("# A\n\n## What to do\nPay.\n\n## Else\nx", "What to do") == "Pay."
    assert section("", "What to do") == ""
    assert find_page("../../etc/passwd") == ""


def test_markdown_does_not_reach_the_terminal():
    page = (
        "* See [Back up and `restore`](../guides/a.md), *Tokens*,\n  **never** `stations:*`.\n* 2 * 3 * 4, or * for all"
    )
    assert unmarked(page) == "* See Back up and restore, Tokens,\n  never stations:*.\n* 2 * 3 * 4, or * for all"


def test_numbers_agree_with_their_words():
    assert (counted(1, "bad row"), counted(1234, "bad row")) == ("1 bad row", "1,234 bad rows")
    assert counted(2, "entry", "entries") == "2 entries"


def test_the_question_hangs_where_its_facts_begin(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    with pytest.raises(NotConfirmed):
        Program(dict, lambda *_: None).confirm("This forgets a station. " * 5, to="somebody " * 12, undo="nothing")
    lines = capsys.readouterr().out.splitlines()
    assert not lines[1].startswith(" ")
    assert lines[2].startswith("  To         somebody")
    assert lines[3].startswith(" " * 13 + "somebody")


def test_tables_are_aligned_and_fit():
    text = table(("name", "sats"), [("a", "1"), ("Grüße 充電", "1234")], "lr", width=80)
    assert text.splitlines() == ["name        sats", "a              1", "Grüße 充電  1234"]
    assert {columns(line) for line in text.splitlines()} == {16}
    wide = table(("memo", "account"), [("x" * 200, "y" * 100)], width=80)
    assert all(columns(line) <= 80 for line in wide.splitlines())
    assert "…" in wide
    assert "…" not in table(("memo",), [("x" * 200,)])


def test_json_of_our_words():
    assert plain({"at": Instant(0), "both": (Amount(EUR, 1), None)}) == {
        "at": "1970-01-01T00:00:00.000Z",
        "both": [{"asset": "EUR", "units": 1, "text": "0.000001 EUR"}, None],
    }


def test_progress_tells_rate_and_time_left():
    stream = io.StringIO()
    progress = Progress("Replay", 1000, done=200, stream=stream)
    progress._begun = 100.0
    progress.advance(400)
    assert progress.line(120.0) == "Replay  " + "█" * 14 + "░" * 10 + "  600/1,000  20/s  20 s left"
    progress.advance(400)
    assert progress.line(140.0).endswith("1,000/1,000  20/s  in 40 s")


def test_progress_is_silent_for_programs_and_sparse_in_files():
    quiet, file = io.StringIO(), io.StringIO()
    with Progress("x", 10, quiet=True, stream=quiet) as one, Progress("x", 10, stream=file) as two:
        for _ in range(10):
            one.advance()
            two.advance()
    assert quiet.getvalue() == ""
    assert len(file.getvalue().splitlines()) == 2
    assert "\r" not in file.getvalue()
