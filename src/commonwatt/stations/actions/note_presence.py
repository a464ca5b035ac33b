"""Whether stations are there: connected, booted, seen, gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from commonwatt.kit.database import Work
from commonwatt.stations.actions.tell_station import tell_station
from commonwatt.stations.events import StationBooted, StationConnected, StationDisconnected
from commonwatt.stations.store import station


@dataclass(frozen=True, slots=True)
class Boot:
    """How a station introduces itself (OCPP 1.6, 4.2)."""

    station: str
    vendor: str
    model: str
    serial: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """What was measured of a live station since the last time: when it was heard, its clock, its ping."""

    station: str
    seen_ms: int
    drift_ms: int | None
    """How far its clock is ahead of ours."""
    ping_ms: int | None
    """The round trip of a WebSocket ping."""


def note_connected(work: Work, identity: str, address: str, protocol: str) -> None:
    """Store that a station opened its connection."""
    work.sql.execute(
        update(station)
        .where(station.c.identity == identity)
        .values(connected_ms=work.now.ms, seen_ms=work.now.ms, address=address[:80], protocol=protocol)
    )
    work.emit(StationConnected(identity))
    tell_station(work, identity, "connected")


def note_disconnected(work: Work, identity: str) -> None:
    """Store that a station's connection ended."""
    work.sql.execute(
        update(station)
        .where(station.c.identity == identity, station.c.connected_ms.is_not(None))
        .values(connected_ms=None, disconnected_ms=work.now.ms)
    )
    work.emit(StationDisconnected(identity))
    tell_station(work, identity, "disconnected")


def forget_connections(work: Work) -> list[str]:
    """At a start, mark as gone whatever a process that ended had left as connected; return those stations."""
    rows = work.sql.execute(select(station.c.identity).where(station.c.connected_ms.is_not(None))).scalars().all()
    for identity in rows:
        note_disconnected(work, identity)
    return list(rows)


def note_boot(work: Work, boot: Boot) -> None:
    """Store how a station introduced itself."""
    work.sql.execute(
        update(station)
        .where(station.c.identity == boot.station)
        .values(
            vendor=boot.vendor[:120],
            model=boot.model[:120],
            serial=boot.serial[:60],
            firmware=boot.firmware[:120],
            boot_ms=work.now.ms,
            seen_ms=work.now.ms,
        )
    )
    work.emit(StationBooted(boot.station, boot.vendor, boot.model, boot.firmware))
    tell_station(work, boot.station, "booted")


def note_introduction(work: Work, boot: Boot) -> None:
    """Store how a station in the waiting room introduced itself, for whoever decides about it; nothing else happens."""
    work.sql.execute(
        update(station)
        .where(station.c.identity == boot.station, station.c.admitted_ms.is_(None))
        .values(
            vendor=boot.vendor[:120],
            model=boot.model[:120],
            serial=boot.serial[:60],
            firmware=boot.firmware[:120],
            seen_ms=work.now.ms,
        )
    )
    tell_station(work, boot.station, "introduced")


def note_heartbeat(work: Work, presences: Sequence[Presence]) -> None:
    """Store when stations were last heard; the line collects that in memory and hands it over now and then."""
    work.sql.exec_driver_sql(
        "UPDATE station SET seen_ms = ?, drift_ms = coalesce(?, drift_ms), ping_ms = coalesce(?, ping_ms) "
        "WHERE identity = ?",
        [(seen.seen_ms, seen.drift_ms, seen.ping_ms, seen.station) for seen in presences],
    )
