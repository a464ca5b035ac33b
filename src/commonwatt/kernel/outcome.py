"""The world answers in three values: it is done, it failed for good, or nobody knows yet.

`Unknown` is never an exception and never `Failed`: what is unknown may have happened. A reconciler asks again until
it becomes one of the other two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Done(Generic[T_co]):
    """It happened, and this is the answer."""

    value: T_co


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not happen and will not; `reason` is for people, `code` for programs."""

    reason: str
    code: str = "failed"


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have happened; look it up before doing anything twice."""

    reason: str


Outcome = Done[T_co] | Failed | Unknown
