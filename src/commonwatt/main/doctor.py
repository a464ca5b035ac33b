"""`commonwatt doctor`: looks at everything that this installation needs, and says what is wrong and what to do."""

from __future__ import annotations

import re

import click

from commonwatt.kernel import Fault
from commonwatt.kit.cli import Program, styled, with_program, wrapped
from commonwatt.kit.cli.problems import find_page, section, unmarked
from commonwatt.main.config import Config
from commonwatt.main.finding import Check, Finding, Verdict, bad, doubtful, good

_MARKS = {Verdict.GOOD: ("✓", "green"), Verdict.DOUBTFUL: ("!", "yellow"), Verdict.BAD: ("✗", "red")}

_GUESSED = "The rest was looked at with the default of each key that is wrong."
_INDENT = " " * 13


def examine(config: Config, *, network: bool) -> list[Finding]:
    """Run all checks, the cheap ones first; a check that fails itself is a finding too."""
    from commonwatt.main import examining  # noqa: PLC0415 (imports the database and the rails)

    checks: tuple[Check, ...] = (*examining.HERE, *(examining.AWAY if network else ()))
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += check(config)
        except Fault as fault:
            advice = unmarked(section(find_page(fault.slug), "What to do"))
            todo = advice or "Correct it, then look again."
            findings.append(bad(check.__name__.removeprefix("look_at_"), fault.detail, todo))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
            findings.append(
                bad(check.__name__.removeprefix("look_at_"), f"Could not be checked: {error!r}.", "Report this.")
            )
    return findings


@click.command()
@click.option("--offline", is_flag=True, help="Ask neither rails nor sources of rates.")
@with_program()
def doctor(program: Program, *, offline: bool) -> int:
    """Look for what is wrong, and say what to do. Exit code 1 when something must be put right."""
    from commonwatt.main.cli import load_what_can_be  # noqa: PLC0415 (the root imports this module)

    loaded, slips = load_what_can_be(program.overrides)
    findings = [good("settings", "All keys are known and fit together.")]
    if slips:
        todo = "Correct it; `commonwatt config explain` lists all keys with their defaults."
        findings = [bad("settings", slip.text, todo if slip is slips[-1] else "") for slip in slips]
        findings.append(doubtful("settings", _GUESSED, "Correct the settings, then look again."))
    findings += examine(loaded.config, network=not offline)
    program.answer(findings, lambda: _text(findings))
    return 1 if any(finding.verdict is Verdict.BAD for finding in findings) else 0


def _text(findings: list[Finding]) -> str:
    lines = []
    for finding in findings:
        mark, colour = _MARKS[finding.verdict]
        what = " ".join(unmarked(finding.what).split())
        told = wrapped(f"{mark} {finding.subject:<10} {what}", indent=_INDENT)
        lines.append(styled(mark, fg=colour, bold=True) + told[len(mark) :])
        if finding.todo:
            lines += [wrapped(_INDENT + line, indent=_INDENT) for line in _paragraphs(unmarked(finding.todo))]
    wrong = sum(finding.verdict is Verdict.BAD for finding in findings)
    doubts = sum(finding.verdict is Verdict.DOUBTFUL for finding in findings)
    lines += ["", f"{wrong} to put right, {doubts} to think about, {len(findings) - wrong - doubts} good."]
    return "\n".join(lines)


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs and list items of a text, each on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=[*-] )", text)]
