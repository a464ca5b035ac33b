"""What a station remembers over a restart, and what it really measured: the truth that servers are compared with."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from commonwatt.adapters.station.virtual.model import Connector
from commonwatt.adapters.station.virtual.queue import Due


class Truth(msgspec.Struct, kw_only=True):
    """One charge as it really was, whatever faults made of its messages. Energy in Wh, times in ms since 1970."""

    key: str
    connector: int
    id_tag: str
    started_ms: int
    transaction_id: int | None = None
    """The server's number, once it gave one."""
    authorisation: str | None = None
    """What the server said of the id tag."""
    energy_wh: int = 0
    """What really flowed; final once it stopped."""
    stopped_ms: int | None = None
    reason: str | None = None
    start_answered: bool = False
    stop_answered: bool = False
    refused: str | None = None
    """The last CALLERROR for one of its messages that the station gave up on."""

    @property
    def settled(self) -> bool:
        """Whether the charge is over and the server has answered both its ends."""
        return self.stopped_ms is not None and self.start_answered and self.stop_answered


class Memory(msgspec.Struct, kw_only=True):
    """All that outlives the station's process."""

    identity: str
    connectors: list[Connector]
    queue: list[Due]
    truths: list[Truth]
    settings: dict[str, str]
    allowed: dict[str, str]
    """The authorisation cache: id tag to status."""
    messages: int
    """Message ids given out so far."""


def load_memory(path: Path) -> Memory | None:
    """Read a station's memory; None when there is none yet. Damage raises msgspec.DecodeError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return None


def save_memory(path: Path, memory: Memory) -> None:
    """Write the memory so that a crash leaves either the old or the new one on disk."""
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(memory))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
