"""How far a replay has come: what a later start needs to go on, on disk before anything that depends on it.

Two files beside the house's database. `offers.jsonl` grows by a line per charge when its session is offered, before
anybody pays, so that a crash never pays for one charge twice. `diary.json` is replaced after each window.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from commonwatt.adapters.station.virtual.memory import Memory
from commonwatt.kernel import Refused

LOCK = "replay.lock"


class Offer(msgspec.Struct, frozen=True):
    """A past charge and the session that replays it; `amount_msat` is what its driver pays."""

    line: int
    session: str
    secret: str
    bolt11: str
    amount_msat: int


class Page(msgspec.Struct, kw_only=True):
    """What is true after so many windows."""

    digest: str
    """Of the file and the options: another file or other options never go on here."""
    windows: int = 0
    done: int = 0
    clock_ms: int = 0
    station_memories: list[Memory] = []
    anomalies: list[str] = []


class OtherReplay(Refused):
    """The directory holds the replay of another file, or one with other options."""

    slug = "replay-other"
    title = "Another replay lives here"


class ReplayRunning(Refused):
    """Another replay runs in the folder; two would tell each other's stations what to do."""

    slug = "replay-running"
    title = "Another replay runs in this folder"


@contextlib.contextmanager
def only_replay(folder: Path) -> Iterator[None]:
    """Keep every other replay out of a folder for as long as this process holds its lock, however it ends.

    The folder is made, for its owner only. Raises ReplayRunning when another one is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with open(folder / LOCK, "a", opener=_for_us_alone) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            msg = f"Another replay runs in {folder}. Wait for its end, stop it, or choose another folder with --data."
            raise ReplayRunning(msg, folder=str(folder)) from error
        yield


def _for_us_alone(path: str | Path, flags: int) -> int:
    return os.open(path, flags, 0o600)


class Diary:
    """The two files of one replay."""

    def __init__(self, folder: Path, digest: str) -> None:
        """Open or begin a diary; raises OtherReplay when the folder belongs to another one."""
        self._page = folder / "diary.json"
        self._offers = folder / "offers.jsonl"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.page = Page(digest=digest)
        if self._page.exists():
            self.page = msgspec.json.decode(self._page.read_bytes(), type=Page)
        if self.page.digest != digest:
            raise OtherReplay(
                f"{folder} holds the replay of another file or of other options; choose another --data, or remove it.",
                folder=str(folder),
            )
        self.offers = {offer.line: offer for offer in self._read_offers()}

    def note_offers(self, offers: Iterable[Offer]) -> None:
        """Add sessions that were offered; on disk when this returns."""
        fresh = list(offers)
        if not fresh:
            return
        self.offers |= {offer.line: offer for offer in fresh}
        with open(self._offers, "ab", opener=_for_us_alone) as file:
            file.write(b"".join(msgspec.json.encode(offer) + b"\n" for offer in fresh))
            file.flush()
            os.fsync(file.fileno())

    def turn(self, page: Page) -> None:
        """Replace the page; a crash leaves the old one or the new one."""
        self.page = page
        draft = self._page.with_suffix(".new")
        with open(draft, "wb", opener=_for_us_alone) as file:
            file.write(msgspec.json.encode(page))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._page)

    def _read_offers(self) -> list[Offer]:
        if not self._offers.exists():
            return []
        lines = self._offers.read_bytes().split(b"\n")
        whole = lines[:-1]
        if lines[-1]:
            self._offers.write_bytes(b"".join(line + b"\n" for line in whole))
        return [msgspec.json.decode(line, type=Offer) for line in whole]
