"""A measured figure beside its target, and the table of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured in one or more rounds; `least` or `most` is the target, neither means that it is reported."""

    name: str
    unit: str
    values: tuple[float, ...]
    least: float | None = None
    most: float | None = None

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """How many times as good as the target, from 1 on it is met."""
        if self.least is not None:
            return self.median / self.least
        return None if self.most is None else self.most / self.median

    def row(self) -> tuple[str, str, str, str, str]:
        """Return name, target, median with unit, range, ratio."""
        target = "report"
        if self.least is not None:
            target = f">= {number(self.least)}"
        elif self.most is not None:
            target = f"<= {number(self.most)}"
        spread = f"{number(min(self.values))} to {number(max(self.values))}" if len(self.values) > 1 else ""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.name, target, f"{number(self.median)} {self.unit}".strip(), spread, ratio


def number(value: float) -> str:
    """Write a number with three digits that matter, thousands grouped."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


HEAD = ("figure", "target", "median", "range", "ratio to target")


def as_text(figures: Sequence[Figure]) -> str:
    """Return the table for a terminal."""
    rows = [HEAD, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def as_markdown(figures: Sequence[Figure]) -> str:
    """Return the table for RESULTS.md."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|--:|--:|--:|"]
    lines += ["| " + " | ".join(figure.row()) + " |" for figure in figures]
    return "\n".join(lines)
