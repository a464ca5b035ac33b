"""What a check of the doctor finds: its subject, how bad it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from commonwatt.main.config import Config


class Verdict(StrEnum):
    """How a check ended."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    """Works, but the owner should know."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it (nothing, when it is good)."""

    subject: str
    verdict: Verdict
    what: str
    todo: str = ""


Check = Callable[[Config], Iterator[Finding]]


def good(subject: str, what: str) -> Finding:
    """Find that all is well."""
    return Finding(subject, Verdict.GOOD, what)


def doubtful(subject: str, what: str, todo: str) -> Finding:
    """Find what works, but the owner should know of."""
    return Finding(subject, Verdict.DOUBTFUL, what, todo)


def bad(subject: str, what: str, todo: str) -> Finding:
    """Find what must be put right."""
    return Finding(subject, Verdict.BAD, what, todo)
