"""Lists as CSV (RFC 4180), streamed row by row, and harmless when a spreadsheet opens them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

from litestar.response import Stream

from commonwatt.kernel import Amount, Instant
from commonwatt.kernel.quantity import Quantity

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ROWS_AT_ONCE = 500


def cell(value: Any) -> str:
    """Write a value for a spreadsheet: whole numbers bare, instants as RFC 3339, no text as a formula (CWE-1236)."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Instant():
            return value.iso()
        case Amount():
            return str(value.units)
        case Quantity():
            return str(value.value)
        case _:
            text = str(value)
            return f"'{text}" if text.startswith(_FORMULA) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Write a header and rows in chunks of some hundred lines."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for count, row in enumerate(rows, 1):
        writer.writerow([cell(value) for value in row])
        if count % _ROWS_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def csv_answer(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Stream:
    """Answer with a file `name`.csv to keep."""

    async def chunks() -> AsyncIterator[str]:
        for chunk in csv_lines(header, rows):
            yield chunk

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Stream(chunks(), media_type="text/csv; charset=utf-8", headers=headers)
