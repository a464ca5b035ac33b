"""All figures in one go: a few minutes; prints the table and keeps it in bench/RESULTS.md with the machine.

    python -m bench [--quick] [--rounds 3] [--seconds 3]

Everything is measured on one machine in one run; a ratio's two sides right after each other. What CPU-seconds count,
and how each figure comes about, stands at the head of its file.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from bench import lnurl_callback, replayed_sessions, start_up, station_messages
from bench.figures import Figure, as_markdown, as_text

HERE = Path(__file__).parent
NOTES = HERE / "NOTES.md"
RESULTS = HERE / "RESULTS.md"


def machine() -> list[str]:
    """Say what it ran on, without naming it."""
    one, five, _ = os.getloadavg()
    return [
        f"- {os.cpu_count()} cores, {_processor()}",
        f"- plain Python: {_loop_ms():.0f} ms for a million turns of a loop, {_step_ns():.0f} ns a step in a long list",
        f"- {platform.system()}, {platform.python_implementation()} {platform.python_version()}",
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; load at the end of the run {one:.1f} (1 min), {five:.1f} (5 min)",
    ]


def _processor() -> str:
    """Return the processor's name, family, model and clock where the system tells them."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.machine()
    lines = cpuinfo.read_text().partition("\n\n")[0].splitlines()
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "model name" not in told:
        return platform.machine()
    words = [told["model name"]]
    words += [f"{name} {told[key]}" for name, key in (("family", "cpu family"), ("model", "model")) if key in told]
    words += [f"{float(told['cpu MHz']) / 1000:.1f} GHz"] if "cpu MHz" in told else []
    return ", ".join(words)


def _loop_ms() -> float:
    """Return how long the machine takes for what no change of ours makes quicker: what fits into its nearest cache."""
    times = []
    for _ in range(9):
        began = time.process_time()
        total = 0
        for number in range(1_000_000):
            total += number * number
        times.append(1000 * (time.process_time() - began))
    return statistics.median(times)


def _step_ns() -> float:
    """Return how long the memory takes: from each element of a list to a random next one, a million times."""
    order = list(range(1_000_000))
    random.Random(1).shuffle(order)
    following = [0] * len(order)
    for here, there in zip(order, order[1:] + order[:1], strict=True):
        following[here] = there
    began, at = time.process_time(), 0
    for _ in range(len(order)):
        at = following[at]
    return 1e9 * (time.process_time() - began) / len(order)


def keep(figures: list[Figure]) -> None:
    """Write RESULTS.md."""
    head = "# Results of `make bench`\n\nWritten by `python -m bench`; what is measured how stands in its files.\n"
    notes = NOTES.read_text() if NOTES.exists() else ""
    RESULTS.write_text("\n".join([head, *machine(), "", as_markdown(figures), "", notes]).rstrip() + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--quick", action="store_true", help="one short round, and RESULTS.md stays as it is")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    rounds, seconds = (1, 1.0) if arguments.quick else (arguments.rounds, arguments.seconds)
    figures: list[Figure] = []
    for name, measured in (
        ("start-up", lambda: start_up.figures(1 if arguments.quick else arguments.rounds)),
        ("LNURL", lambda: uvloop.run(lnurl_callback.figures(50 if arguments.quick else 500))),
        ("stations", lambda: uvloop.run(station_messages.figures(rounds, seconds))),
        ("replay", lambda: replayed_sessions.figures(20 if arguments.quick else 200)),
    ):
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        figures += measured()
    print(as_text(figures))
    if not arguments.quick:
        keep(figures)


if __name__ == "__main__":
    main()
