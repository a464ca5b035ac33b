"""Whole sessions of the past per CPU-minute: offer, payment with a hold, charge over a real WebSocket, bill, change.

A generated past of four stations is replayed by the same code as `commonwatt replay`, in a process of its own; its CPU
time counts the server, the virtual stations and the play money's node together. `--profile` names what it goes into.

The start of the house counts, and each charge has eight readings between first and last: the rates of whole files in
`docs/guides/replay.md`, many more charges with one such reading, are higher and not to be compared with this one.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import logging
import pstats
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC
from pathlib import Path

import structlog
import uvloop
from bench.figures import Figure

from commonwatt.kit.database import Database
from commonwatt.main.replay.diary import Diary
from commonwatt.main.replay.plan import make_plan
from commonwatt.main.replay.reading import read_rows
from commonwatt.main.replay.report import Report
from commonwatt.main.replay.run import Replay

STATIONS = 4
HEAD = "station,plugged_in,charge_end,plugged_out,energy_kwh\n"


def past(sessions: int) -> list[str]:
    """Return a file of past charges: one car after the other, some stay long, some take nothing."""
    chance = random.Random(10)
    lines, free = [HEAD], [0] * STATIONS
    for number in range(sessions):
        place = number % STATIONS
        begin = free[place] + chance.randint(5, 60)
        charged = begin + chance.randint(20, 300)
        gone = charged + chance.choice([0, 0, 20, 200])
        free[place] = gone
        kwh = "0" if chance.random() < 0.05 else f"{chance.uniform(0.5, 0.11 * (charged - begin)):.3f}"
        times = [
            time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(1_577_664_000 + 60 * at)) for at in (begin, charged, gone)
        ]
        lines.append(f"park {place},{','.join(times)},{kwh}\n")
    return lines


async def replay(sessions: int, folder: Path) -> Report:
    """Replay a generated past; the account must be right."""
    reading = read_rows(past(sessions), UTC)
    assert reading.bad == ()
    plan = make_plan(reading.charges)
    report = await Replay(plan, Diary(folder, "bench"), folder, samples=8, zone="Europe/Prague").run(
        lambda _count: None, asyncio.Event()
    )
    assert report is not None
    assert report.balanced, report.faults
    return report


def figures(sessions: int) -> list[Figure]:
    """Measure in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.replayed_sessions", "--sessions", str(sessions)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    return [
        Figure("replayed sessions, whole path", "per CPU-minute", (60 * sessions / said["cpu_s"],)),
        Figure("replayed session, whole path", "ms CPU", (1000 * said["cpu_s"] / sessions,)),
    ]


def profile_threads() -> list[tuple[str, cProfile.Profile]]:
    """Profile this thread and every writer's, each by its own CPU time; the list fills as writers start."""
    profiles = [("loop", cProfile.Profile(time.thread_time))]
    serve = Database._serve  # noqa: SLF001 (where a writer's thread begins)

    def profiled(database: Database) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append((str(database.engine.url.database).rpartition("/")[2], profile))
        profile.enable()
        try:
            serve(database)
        finally:
            profile.disable()

    Database._serve = profiled  # noqa: SLF001
    profiles[0][1].enable()
    return profiles


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    profiles = profile_threads() if arguments.profile else []
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        uvloop.run(replay(arguments.sessions, Path(folder)))
        cpu_s = time.process_time() - began
    for name, profile in profiles:
        print(f"--- {name}")
        profile.create_stats()
        if profile.stats:
            pstats.Stats(profile).sort_stats("tottime").print_stats(30)
    print(json.dumps({"cpu_s": cpu_s, "sessions": arguments.sessions}))


if __name__ == "__main__":
    main()
