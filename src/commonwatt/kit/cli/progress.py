"""A bar for long work: how much is done, how fast, and how long it will take."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

_BAR = 24
_REDRAW_S = 0.1
_LINE_S = 10.0


class Progress:
    """Counts up to a total on the standard error stream: a moving bar on a terminal, a line now and then elsewhere.

    `quiet` shows nothing, for `--json`.
    """

    def __init__(
        self, what: str, total: int, *, done: int = 0, quiet: bool = False, stream: TextIO | None = None
    ) -> None:
        """Begin with `done` already behind us; they do not count towards the rate."""
        self._what = what
        self._total = total
        self._from = done
        self._done = done
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._moving = self._stream.isatty()
        self._begun = time.monotonic()
        self._shown = 0.0

    def __enter__(self) -> Self:
        self._show(self._begun)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show(time.monotonic())
        if self._moving and not self._quiet:
            self._stream.write("\n")

    def advance(self, count: int = 1) -> None:
        """Count more that is done."""
        self._done += count
        now = time.monotonic()
        if now - self._shown >= (_REDRAW_S if self._moving else _LINE_S):
            self._show(now)

    def line(self, now: float) -> str:
        """Return what the bar says at a moment of the monotonic clock."""
        seconds = max(now - self._begun, 1e-9)
        rate = (self._done - self._from) / seconds
        share = self._done / self._total if self._total else 1.0
        filled = int(_BAR * min(share, 1.0))
        left = "" if rate <= 0 else f"  {_duration((self._total - self._done) / rate)} left"
        if self._done >= self._total:
            left = f"  in {_duration(seconds)}"
        speed = f"{rate:,.0f}/s" if rate >= 10 or rate == 0 else f"{rate:.1f}/s"  # noqa: PLR2004
        bar = "█" * filled + "░" * (_BAR - filled)
        return f"{self._what}  {bar}  {self._done:,}/{self._total:,}  {speed}{left}"

    def _show(self, now: float) -> None:
        if self._quiet:
            return
        self._shown = now
        text = self.line(now)
        self._stream.write(f"\r\033[K{text}" if self._moving else f"{text}\n")
        self._stream.flush()


def _duration(seconds: float) -> str:
    whole = int(seconds + 0.5)
    if whole < 60:  # noqa: PLR2004 (seconds of a minute)
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004 (seconds of an hour)
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
