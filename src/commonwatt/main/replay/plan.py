"""Which past charges go together: every charge gets a connector, and time is cut into windows.

Inside a window no connector changes hands. So all its drivers may pay at its beginning, when the house's clock stands
there, and all its stations may tell their part of it at its end, each with the recorded times: to the house it looks
like stations that were without a network for a while. Many charges are then under way at once, and yet every sum is
made with the times of the past.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from commonwatt.kernel import CONNECTORS_MAX, Instant
from commonwatt.main.replay.past import BadRow, PastCharge

WINDOW_MAX_S: Final = 6 * 3600
FIRST_READING_MS: Final = 60_000
"""A charge is first read a minute after its start, or as soon as two Wh have flowed."""
_FIRST_WH: Final = 2
POWER_MIN_W: Final = 2
"""No car draws less on average: a charge with less is delivered so and then waits, like a full one."""
_MS_PER_HOUR: Final = 3_600_000
STARTS_MAX: Final = 400
"""Charges that begin in one window at most."""
_IDENTITY_MAX: Final = 48

Place = tuple[str, int]
"""A station's identity and a connector of it."""


@dataclass(frozen=True, slots=True)
class PlannedCharge:
    """A past charge with the identity of its station and the connector where it is replayed."""

    past: PastCharge
    identity: str
    connector: int

    @property
    def place(self) -> Place:
        """Station and connector."""
        return self.identity, self.connector

    @property
    def first_reading(self) -> Instant:
        """When the first reading is taken: early, since the driver's money stays locked until energy flows."""
        charging_ms = self.past.charge_end.since(self.past.plugged_in)
        slow_ms = _FIRST_WH * _MS_PER_HOUR // POWER_MIN_W
        needed_ms = min(slow_ms, charging_ms * _FIRST_WH // max(1, self.past.energy_wh))
        return self.past.plugged_in.plus(ms=min(max(FIRST_READING_MS, needed_ms), charging_ms // 2))


@dataclass(frozen=True, slots=True)
class Window:
    """A span of the past, and the charges that begin in it; what happens at `end` exactly still belongs to it."""

    start: Instant
    end: Instant
    starts: tuple[PlannedCharge, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be replayed, in the order of time."""

    charges: tuple[PlannedCharge, ...]
    windows: tuple[Window, ...]
    connectors: dict[str, int]
    """Station identity to its number of connectors."""
    bad: tuple[BadRow, ...]


def make_plan(charges: Iterable[PastCharge]) -> Plan:
    """Give every charge a connector and cut the time into windows.

    A charge that names its connector is refused when an earlier one is still there; any other goes to the first
    connector that is free, and is refused when a station has none left.
    """
    ordered = sorted(charges, key=lambda charge: (charge.plugged_in, charge.plugged_out, charge.line))
    names = name_stations(charge.station for charge in ordered)
    free_at: dict[Place, tuple[Instant, int]] = {}
    planned: list[PlannedCharge] = []
    bad: list[BadRow] = []
    for charge in ordered:
        identity = names[charge.station]
        connector = charge.connector or _first_free(free_at, identity, charge.plugged_in)
        until, line = free_at.get((identity, connector), (Instant(0), 0))
        if until > charge.plugged_in:
            bad.append(BadRow(charge.line, f"begins on connector {connector} before the charge of line {line} is over"))
            continue
        if connector > CONNECTORS_MAX:
            bad.append(BadRow(charge.line, f"finds all {CONNECTORS_MAX} connectors of its station taken"))
            continue
        free_at[identity, connector] = (charge.plugged_out, charge.line)
        planned.append(PlannedCharge(charge, identity, connector))
    connectors: dict[str, int] = {}
    for one in planned:
        connectors[one.identity] = max(connectors.get(one.identity, 1), one.connector)
    return Plan(tuple(planned), tuple(cut_windows(planned)), connectors, tuple(sorted(bad, key=lambda row: row.line)))


def name_stations(names: Iterable[str]) -> dict[str, str]:
    """Return an identity for every station of a file: its name where that can be one, else a likeness of it."""
    identities: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(set(names)):
        likeness = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-_.") or "station"
        identity = likeness[:_IDENTITY_MAX]
        if identity != name or identity.lower() in taken:
            digest = hashlib.sha256(name.encode()).hexdigest()[:6]
            identity = f"{likeness[: _IDENTITY_MAX - 7]}-{digest}"
        identities[name] = identity
        taken.add(identity.lower())
    return identities


def cut_windows(charges: Sequence[PlannedCharge]) -> list[Window]:
    """Cut the time of charges, given in order of their start, into windows without a gap in what happens."""
    windows: list[Window] = []
    running: dict[Place, PlannedCharge] = {}
    at = 0
    while at < len(charges) or running:
        coming = charges[at].past.plugged_in if at < len(charges) else None
        start = _next_start(windows, running, coming)
        limit = start.plus(seconds=WINDOW_MAX_S)
        busy = set(running)
        starts: list[PlannedCharge] = []
        while at < len(charges) and charges[at].past.plugged_in < limit and len(starts) < STARTS_MAX:
            if charges[at].place in busy:
                break
            busy.add(charges[at].place)
            starts.append(charges[at])
            at += 1
        end = min(limit, charges[at].past.plugged_in) if at < len(charges) else limit
        end = max(end, starts[-1].past.plugged_in if starts else start)
        windows.append(Window(start, end, tuple(starts)))
        running |= {one.place: one for one in starts}
        running = {place: one for place, one in running.items() if one.past.plugged_out > end}
    return windows


def _next_start(windows: list[Window], running: dict[Place, PlannedCharge], coming: Instant | None) -> Instant:
    """Return when the next thing happens: a first reading, the end of a charge, or the beginning of one."""
    last = windows[-1].end if windows else Instant(0)
    unread = [one.first_reading for one in running.values() if one.first_reading > last]
    ends = [one.past.plugged_out for one in running.values()]
    return max(last, min([*unread, *ends, *([coming] if coming is not None else [])]))


def _first_free(free_at: dict[Place, tuple[Instant, int]], identity: str, at: Instant) -> int:
    connector = 1
    while free_at.get((identity, connector), (Instant(0), 0))[0] > at:
        connector += 1
    return connector


def shorten(plan: Plan, limit: int | None) -> Plan:
    """Return the plan of the first so many charges only."""
    if limit is None or limit >= len(plan.charges):
        return plan
    return replace(make_plan(one.past for one in plan.charges[:limit]), bad=plan.bad)
