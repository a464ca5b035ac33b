"""What a running server leaves beside its data: a lock, its process number, and where it really listens.

`server.lock` has the process number in its first line, then `name address` lines. They count only while the lock is
held, so that what a server left behind that was killed leads nobody astray.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

from commonwatt.kernel import Unavailable

LOCK = "server.lock"
_SIZE_MAX = 4096
_PATIENCE_S = 1
"""Whoever only looks whether a server runs holds the lock for a moment; a server or a restore holds it for longer."""
_PAUSE_S = 0.02


class DataInUse(Unavailable):
    """Another server runs over the same data, or a backup is being restored there."""

    slug = "data-in-use"
    title = "Another server uses this data"


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running server is found: `pages` by people, `api` by programs of this machine, `stations` by stations."""

    pages: str
    api: str
    stations: str
    """Without the stations' identity."""
    http_bind: str = ""
    """Where pages and API were told to listen, `HOST:PORT`, whatever the settings say; empty when it was not noted."""
    stations_bind: str = ""
    """Where stations are heard, likewise."""


@contextlib.contextmanager
def only_server(data: Path) -> Iterator[IO[str]]:
    """Keep every server away from the same data for as long as this process holds the lock, however it ends.

    Raises DataInUse when somebody else holds it, after a second of trying.
    """
    with open(data / LOCK, "a+", opener=_for_us_alone) as lock:
        patient_until = time.monotonic() + _PATIENCE_S
        while not _taken(lock):
            if time.monotonic() > patient_until:
                msg = f"A server runs over {data} already. Stop it first, or name another folder with --data."
                raise DataInUse(msg, data=str(data))
            time.sleep(_PAUSE_S)
        note_running(lock)
        yield lock


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def note_running(lock: IO[str], running: Running | None = None) -> None:
    """Write this process's number into the lock, and the addresses once they are bound."""
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    if running is not None:
        told = asdict(running)
        lock.write("".join(f"{name} {told[name]}\n" for name in told if told[name]))
    lock.flush()


def server_runs(data: Path) -> bool:
    """Whether a server holds the lock of this data directory."""
    try:
        with (data / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return False


def find_running(data: Path) -> Running | None:
    """Return where the server over this data directory listens; None where none runs, or it does not answer yet."""
    if not server_runs(data):
        return None
    try:
        with (data / LOCK).open("r", encoding="utf-8", errors="replace") as lock:
            lines = lock.read(_SIZE_MAX).splitlines()[1:]
    except OSError:
        return None
    told = dict(line.partition(" ")[::2] for line in lines)
    if not {"pages", "api", "stations"} <= told.keys():
        return None
    return Running(**{name: told.get(name, "") for name in (one.name for one in fields(Running))})


def base_address(config: Any, port: int | None = None) -> str:
    """Return where people open the site: its base_url, or localhost with the port that was bound or is configured."""
    scheme = "https" if config.http.tls_certificate else "http"
    told = config.site.base_url or f"{scheme}://localhost:{config.http.bind.port if port is None else port}"
    return str(told).rstrip("/")


def listens_everywhere(host: str) -> bool:
    """Whether a host to listen on means all addresses of this machine."""
    return host in {"", "0.0.0.0", "*", "::"}  # noqa: S104 (compared, not bound)


def reachable(host: str) -> str:
    """Return the host by which this machine reaches what listens on `host`: itself, for one that means all."""
    if listens_everywhere(host) and host != "::":
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
