"""Reads a file of past charges: three known sets of columns, every bad row named with its line and the reason."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final

from commonwatt.kernel import CONNECTORS_MAX, Instant, Refused
from commonwatt.kit.cli import counted
from commonwatt.kit.reason import reason_of
from commonwatt.main.replay.past import BadRow, PastCharge

STAY_MAX_S: Final = 31 * 24 * 3600
POWER_MAX_W: Final = 400_000
_ENERGY = re.compile(r"[0-9]{1,6}(\.[0-9]{1,12})?")
_NAME_MAX: Final = 100
_DIGITS_MAX: Final = 9
_CENTURY: Final = 2000
_SECONDS_PER_HOUR: Final = 3600
_FIELD_BYTES_MAX: Final = 10_000


class UnreadableFile(Refused):
    """A file of past charges cannot be read at all."""

    slug = "replay-file"
    title = "This file cannot be replayed"
    status = 422


@dataclass(frozen=True, slots=True)
class Columns:
    """How one kind of file names what is needed; None where it has no such column."""

    name: str
    station: str
    plugged_in: str
    charge_end: str | None
    plugged_out: str
    energy_kwh: str
    connector: str | None
    user: str | None
    optional: frozenset[str] = frozenset()

    def needed(self) -> set[str]:
        """Return the columns without which a file is not of this kind."""
        every = {self.station, self.plugged_in, self.charge_end, self.plugged_out, self.energy_kwh}
        return {column for column in every if column is not None} - self.optional


KINDS: Final = (
    Columns(
        "neutral",
        "station",
        "plugged_in",
        "charge_end",
        "plugged_out",
        "energy_kwh",
        "connector",
        "user",
        frozenset({"charge_end"}),
    ),
    Columns(
        "research car park",
        "station",
        "plugged_in_utc",
        "charge_end_utc",
        "plugged_out_utc",
        "energy_kwh",
        None,
        "user",
    ),
    Columns("workplace", "stationId", "created", None, "ended", "kwhTotal", None, "userId"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: charges in the order of the file, and the rows that are none."""

    kind: str
    charges: tuple[PastCharge, ...]
    bad: tuple[BadRow, ...]


def read_file(path: Path, zone: tzinfo) -> Reading:
    """Read `.csv` or `.csv.gz`, UTF-8 with a header line; times without a zone are of `zone`.

    Raises UnreadableFile when it is no such file or has none of the known sets of columns.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {reason_of(error)}.", file=str(path)) from error
    except UnicodeDecodeError as error:
        said = f"{path} is neither text in UTF-8 nor gzip of it: byte {error.start:,} begins no character."
        raise UnreadableFile(said, file=str(path)) from error
    except (EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]  # gzip re-exports it
        said = f"{path} is no whole file of gzip: it was cut short, or damaged."
        raise UnreadableFile(said, file=str(path)) from error
    return read_rows(io.StringIO(text, newline=""), zone)


def read_rows(lines: Iterable[str], zone: tzinfo) -> Reading:
    """Read the lines of a CSV file; raises UnreadableFile when its header is not understood."""
    csv.field_size_limit(_FIELD_BYTES_MAX)
    rows = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise UnreadableFile(f"The header line is no CSV: {error}.") from error
    kind = _kind(header)
    charges: list[PastCharge] = []
    bad: list[BadRow] = []
    seen: dict[PastCharge, int] = {}
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            bad.append(BadRow(rows.line_num, f"no CSV: {error}"))
            continue
        if row is None:
            return Reading(kind.name, tuple(charges), tuple(bad))
        if not any(cell.strip() for cell in row):
            continue
        try:
            charge = _charge(kind, header, row, rows.line_num, zone)
            _see(seen, charge)
        except ValueError as error:
            bad.append(BadRow(rows.line_num, str(error)))
        else:
            charges.append(charge)


def _kind(header: list[str]) -> Columns:
    for kind in reversed(KINDS):
        if kind.needed() <= set(header):
            return kind
    wanted = "; ".join(f"{kind.name}: {', '.join(sorted(kind.needed()))}" for kind in KINDS)
    raise UnreadableFile(f"The header has none of the known sets of columns ({wanted}). It has: {header[:20]}.")


def _see(seen: dict[PastCharge, int], charge: PastCharge) -> None:
    """Refuse a row that says exactly what an earlier one says."""
    same = PastCharge(
        0,
        charge.station,
        charge.plugged_in,
        charge.charge_end,
        charge.plugged_out,
        charge.energy_wh,
        charge.connector,
        charge.user,
    )
    first = seen.setdefault(same, charge.line)
    if first != charge.line:
        raise ValueError(f"repeats line {first}")


def _charge(kind: Columns, header: list[str], row: list[str], line: int, zone: tzinfo) -> PastCharge:
    if len(row) != len(header):
        raise ValueError(f"has {counted(len(row), 'column')}, the header {len(header)}")
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    station = _text(cells, kind.station)
    if not station or len(station) > _NAME_MAX or not station.isprintable():
        raise ValueError(f"{kind.station} is empty or no name: {station[:40]!r}")
    plugged_in = _instant(cells, kind.plugged_in, zone)
    plugged_out = _later(cells, kind.plugged_out, zone, plugged_in)
    has_end = kind.charge_end is not None and _text(cells, kind.charge_end)
    charge_end = _later(cells, kind.charge_end, zone, plugged_in) if has_end and kind.charge_end else plugged_out
    energy_wh = _energy(cells, kind.energy_kwh)
    charge = PastCharge(
        line=line,
        station=station,
        plugged_in=plugged_in,
        charge_end=charge_end,
        plugged_out=plugged_out,
        energy_wh=energy_wh,
        connector=_connector(cells, kind.connector),
        user=_text(cells, kind.user)[:_NAME_MAX] if kind.user else "",
    )
    _judge(charge)
    return charge


def _judge(charge: PastCharge) -> None:
    """Refuse what cannot have been."""
    stay_ms = charge.plugged_out.since(charge.plugged_in)
    if stay_ms <= 0:
        raise ValueError("ends before it starts, or at once")
    if stay_ms > 1000 * STAY_MAX_S:
        raise ValueError(f"lasts {stay_ms // 86_400_000} days; {STAY_MAX_S // 86_400} are the limit")
    if not charge.plugged_in < charge.charge_end <= charge.plugged_out:
        raise ValueError("stops charging outside of the time that it was plugged in")
    power_w = charge.energy_wh * 1000 * _SECONDS_PER_HOUR // charge.charge_end.since(charge.plugged_in)
    if power_w > POWER_MAX_W:
        raise ValueError(f"needs a mean power of {power_w // 1000} kW; {POWER_MAX_W // 1000} kW is the limit")


def _text(cells: Mapping[str, str], column: str) -> str:
    return cells.get(column, "")


def _connector(cells: Mapping[str, str], column: str | None) -> int | None:
    text = _text(cells, column) if column else ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and 1 <= int(text) <= CONNECTORS_MAX):
        raise ValueError(f"{column} is no number from 1 to {CONNECTORS_MAX}: {text[:40]!r}")
    return int(text)


def _energy(cells: Mapping[str, str], column: str) -> int:
    """Return kWh in whole Wh, halves up."""
    text = _text(cells, column)
    if not _ENERGY.fullmatch(text):
        raise ValueError(f"{column} is no energy in kWh: {text[:40]!r}")
    return int((Decimal(text) * 1000).quantize(Decimal(1), ROUND_HALF_UP))


def _moment(cells: Mapping[str, str], column: str, zone: tzinfo) -> datetime:
    text = _text(cells, column)
    try:
        moment = datetime.fromisoformat(text)
        if moment.year < 100:  # noqa: PLR2004 (years written with two digits: 0014 is 2014)
            moment = moment.replace(year=moment.year + _CENTURY)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        Instant.of(moment)
    except (ValueError, OverflowError):
        raise ValueError(f"{column} is no time: {text[:40]!r}") from None
    return moment


def _instant(cells: Mapping[str, str], column: str, zone: tzinfo) -> Instant:
    return Instant.of(_moment(cells, column, zone))


def _later(cells: Mapping[str, str], column: str, zone: tzinfo, start: Instant) -> Instant:
    """Return an end; in the hour that a clock change repeats, the second one if the first would be too early."""
    moment = _moment(cells, column, zone)
    end = Instant.of(moment)
    if end <= start:
        second = Instant.of(moment.replace(fold=1))
        if second > start and second.since(end) <= timedelta(hours=2) // timedelta(milliseconds=1):
            return second
    return end
