"""An instant on the command line: a day, which begins at midnight UTC, or a day and a time with their zone."""

from __future__ import annotations

import click

from commonwatt.kernel import Instant


class _Moment(click.ParamType[Instant]):
    name = "TIME"

    def convert(self, value: str | Instant, param: click.Parameter | None, ctx: click.Context | None) -> Instant:
        if isinstance(value, Instant):
            return value
        try:
            return Instant.parse(value if "T" in value or " " in value else f"{value}T00:00:00Z")
        except ValueError:
            self.fail(f"{value!r} is no instant; write 2026-05-01 or 2026-05-01T12:00:00Z.", param, ctx)


MOMENT = _Moment()
"""The type of an option or argument that takes one."""
