"""The terminal as a test uses it."""

from __future__ import annotations

from commonwatt.kit.cli import run_group
from commonwatt.main.cli import commonwatt, new_program


def run(*words):
    """Run a command and return its exit code; what it says goes where a terminal's would."""
    return run_group(commonwatt, [str(word) for word in words], new_program())
