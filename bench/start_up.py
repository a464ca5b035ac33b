"""How long a person waits for the command line, and a server's owner for its first answer.

`commonwatt --help`, several times; `commonwatt serve --json` over an empty folder, until its one line says that it is
ready. Wall time is what the target is about; CPU time tells how much of it a busy machine adds.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

from bench.figures import Figure

COMMAND = [sys.executable, "-m", "commonwatt.main"]


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def help_s() -> tuple[float, float]:
    """Return wall and CPU seconds of `--help`."""
    cpu, began = _children_cpu_s(), time.perf_counter()
    subprocess.run([*COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, _children_cpu_s() - cpu


def ready_s(folder: str) -> float:
    """Return the seconds until a server says that it is ready."""
    ports = ("--http", "127.0.0.1:0", "--stations", "127.0.0.1:0")
    began = time.perf_counter()
    server = subprocess.Popen(
        [*COMMAND, "--data", folder, "--json", "serve", *ports],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "COMMONWATT_PAYMENTS_RAILS": "sandbox"},
    )
    assert b"http" in server.stdout.readline()
    took = time.perf_counter() - began
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=30)
    return took


def figures(rounds: int) -> list[Figure]:
    """Measure; the first run warms the disk's cache and does not count."""
    help_s()
    helps = [help_s() for _ in range(rounds)]
    first, again, used = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            cpu = _children_cpu_s()
            first.append(ready_s(folder))
            used.append(_children_cpu_s() - cpu)
            again.append(ready_s(folder))
    return [
        Figure("commonwatt --help", "s", tuple(wall for wall, _ in helps), most=0.3),
        Figure("commonwatt --help, CPU", "s", tuple(cpu for _, cpu in helps)),
        Figure("server ready, new data", "s", tuple(first), most=3),
        Figure("server started and stopped, new data, CPU", "s", tuple(used)),
        Figure("server ready, existing data", "s", tuple(again), most=3),
    ]
