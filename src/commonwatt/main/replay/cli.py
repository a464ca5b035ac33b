"""`commonwatt replay`: past charges through the whole house, with a bar, resumable, and an account at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from commonwatt.kit.cli import Program, Progress, counted, say, table, with_program, wrapped
from commonwatt.kit.cli.problems import BROKEN, OK, REFUSED, STOPPED
from commonwatt.main.replay.past import BadRow
from commonwatt.main.replay.plan import Plan, make_plan, shorten
from commonwatt.main.replay.reading import Reading, read_file
from commonwatt.main.replay.report import SHOWN_MAX, Report, Sum, make_report

_STATIONS_SHOWN: Final = 60
_MSAT_PER_SAT: Final = 1000


@click.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--zone", default="UTC", show_default=True, help="IANA zone of times that name none, and of the prices.")
@click.option(
    "--samples", default=1, type=click.IntRange(0, 1000), show_default=True, help="Readings between first and last."
)
@click.option("--limit", type=click.IntRange(1), help="Replay only so many charges, the earliest.")
@click.option("--check", is_flag=True, help="Only read the file and say what is in it.")
@with_program()
def replay(program: Program, file: Path, *, zone: str, samples: int, limit: int | None, check: bool) -> int:
    """Replay charges of the past from FILE (.csv or .csv.gz), each paid in the sandbox.

    Ctrl-C stops after the present step; the same command goes on. Exit code 5 when one msat is missing, 1 when the
    file holds no charge.
    """
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        said = f"{zone!r} is no zone of the IANA list, such as Europe/Prague."
        raise click.BadParameter(said, param_hint="--zone") from error
    reading = read_file(file, local)
    plan = make_plan(reading.charges)
    plan = shorten(replace(plan, bad=tuple(sorted((*reading.bad, *plan.bad), key=lambda row: row.line))), limit)
    if check:
        program.answer(_checked(reading, plan), lambda: _checked_text(reading, plan))
        return OK if plan.charges else REFUSED
    if not plan.charges:
        empty = make_report((), {}, {}, {}, 0, plan.bad)
        program.answer({**asdict(empty), "balanced": False}, lambda: "\n".join(_empty_text(plan.bad)))
        return REFUSED
    report = _run(program, file, plan, zone=zone, samples=samples, limit=limit)
    if report is None:
        say("Stopped between two windows. The same command goes on from here.")
        return STOPPED
    program.answer({**asdict(report), "balanced": report.balanced}, lambda: report_text(report))
    return OK if report.balanced else BROKEN


def _run(program: Program, file: Path, plan: Plan, *, zone: str, samples: int, limit: int | None) -> Report | None:
    """Open the replay's own folder below the data directory and run."""
    import uvloop  # noqa: PLC0415 (only a real run pays for it)

    from commonwatt.kit.log import configure_log  # noqa: PLC0415
    from commonwatt.main.replay.diary import Diary, only_replay  # noqa: PLC0415
    from commonwatt.main.replay.place import digest_file  # noqa: PLC0415
    from commonwatt.main.replay.run import Replay  # noqa: PLC0415

    configure_log("auto", "warning", sys.stderr)
    digest = digest_file(file, zone, samples, limit)
    folder = Path(program.config.data.dir) / "replay" / f"{file.name.partition('.')[0]}-{digest[:8]}"
    with _private(), only_replay(folder):
        diary = Diary(folder, digest)
        replay = Replay(plan, diary, folder, samples=samples, zone=zone)
        began, cpu_began, done_before = time.monotonic(), time.process_time(), diary.page.done
        with Progress("Replaying", len(plan.charges), done=done_before, quiet=program.as_json) as progress:
            report = uvloop.run(_run_until_stopped(replay, progress))
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
    done = diary.page.done - done_before
    if report is None or not done:
        return report
    rate = {
        "charges": done,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "charges_per_cpu_minute": round(60 * done / max(cpu_seconds, 0.001)),
    }
    return replace(report, rate=rate)


@contextlib.contextmanager
def _private() -> Iterator[None]:
    """Make whatever is made meanwhile readable by its owner only, as a server's data is."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


async def _run_until_stopped(replay: Any, progress: Progress) -> Report | None:
    """Run; a first Ctrl-C lets the present window end, a second one breaks off (and costs nothing either)."""
    stop = asyncio.Event()
    loop, running = asyncio.get_running_loop(), asyncio.current_task()

    def interrupted() -> None:
        if stop.is_set() and running is not None:
            running.cancel()
        stop.set()

    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        report: Report | None = await replay.run(progress.advance, stop)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return None
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    return report


def _checked(reading: Reading, plan: Plan) -> dict[str, Any]:
    return {
        "columns": reading.kind,
        "charges": len(plan.charges),
        "stations": len(plan.connectors),
        "energy_wh": sum(one.past.energy_wh for one in plan.charges),
        "first": plan.charges[0].past.plugged_in if plan.charges else None,
        "last": max((one.past.plugged_out for one in plan.charges), default=None),
        "bad": [asdict(row) for row in plan.bad],
    }


def _checked_text(reading: Reading, plan: Plan) -> str:
    found = _checked(reading, plan)
    energy = f"{found['energy_wh'] / 1000:,.3f} kWh"
    lines = [
        f"Columns   {found['columns']}",
        f"Charges   {found['charges']:,} at {counted(found['stations'], 'station')}, {energy}",
        f"From      {found['first'].iso() if found['first'] else '-'}",
        f"To        {found['last'].iso() if found['last'] else '-'}",
        *(_bad_text(plan.bad) if plan.charges else _empty_text(plan.bad)),
    ]
    return "\n".join(lines)


def report_text(report: Report) -> str:
    """Return the account for a terminal: stations, total, what is wrong, how fast it went."""
    rows = [_row(one) for one in report.stations[:_STATIONS_SHOWN]]
    headers = ("station", "charges", "kWh", "in, sat", "cost, sat", "change, sat")
    lines = [table(headers, [*rows, _row(report.total)], "lrrrrr")]
    if len(report.stations) > _STATIONS_SHOWN:
        more = len(report.stations) - _STATIONS_SHOWN
        lines.append(f"{counted(more, 'more station')} {'is' if more == 1 else 'are'} in the answer of --json.")
    total = report.total
    energy = f"{total.energy_wh / 1000:,.3f} kWh of {total.recorded_wh / 1000:,.3f} kWh recorded"
    lines += [
        "Sats above are cut to whole ones; the sums below have every msat.",
        "",
        f"{counted(total.charges, 'charge')}, {energy}",
        _unpaid_text(report.unpaid),
        f"money in   {total.paid_msat:>20,} msat",
        f"= cost     {total.cost_msat:>20,} msat, {total.vat_msat:,} of it VAT",
        f"+ change   {total.change_msat:>20,} msat",
        f"+ rounding {total.rounding_msat:>20,} msat",
    ]
    if report.rate:
        lines.append(
            f"{counted(round(report.rate['charges']), 'charge')} in {report.rate['seconds']:,} s, "
            f"{report.rate['charges_per_cpu_minute']:,} per CPU-minute."
        )
    lines += _bad_text(report.bad)
    if report.faults:
        lines += [f"NOT BALANCED, {counted(len(report.faults), 'fault')}:", *report.faults[:SHOWN_MAX]]
    else:
        lines.append("Balanced to the last msat: charges, books and the drivers' wallet agree.")
    return "\n".join([lines[0], *(wrapped(line, indent="  ") for line in lines[1:])])


def _unpaid_text(unpaid: int) -> str:
    whose = "its" if unpaid == 1 else "their"
    return f"{counted(unpaid, 'charge')} without energy got all {whose} money back"


def _row(one: Sum) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.charges:,}",
        f"{one.energy_wh / 1000:,.1f}",
        _sat(one.paid_msat),
        _sat(one.cost_msat),
        _sat(one.change_msat),
    )


def _sat(msat: int) -> str:
    """Write whole sats for a narrow column; the sums below have every msat."""
    return f"{msat // _MSAT_PER_SAT:,}"


def _empty_text(bad: tuple[BadRow, ...]) -> list[str]:
    """Say that nothing is to be replayed, and what to do about it."""
    if not bad:
        return ["Nothing to replay: there is no row below the header. Is it the right file, and is it whole?"]
    return ["Nothing to replay: no row is a charge. Correct the rows, or choose another file.", *_bad_text(bad)]


def _bad_text(bad: tuple[BadRow, ...]) -> list[str]:
    if not bad:
        return ["No bad rows."]
    more = [f"... and {len(bad) - SHOWN_MAX} more"] if len(bad) > SHOWN_MAX else []
    return [f"{counted(len(bad), 'bad row')}:", *(f"  line {row.line}: {row.reason}" for row in bad[:SHOWN_MAX]), *more]
