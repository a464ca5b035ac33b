"""An operator's act on a station, with its line in the audit log, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import select

from commonwatt.kit.database import Work
from commonwatt.members import Actor, hide_tags, record_act
from commonwatt.stations.hiding import hide_secrets
from commonwatt.stations.store import connector, station

P = ParamSpec("P")
R = TypeVar("R")

_OF_STATION = (station.c.name, station.c.state, station.c.waivers)
_OF_CONNECTOR = (connector.c.name, connector.c.label)


def administer(
    work: Work,
    actor: Actor | None,
    act: str,
    identity: str,
    action: Callable[Concatenate[Work, str, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Run an action on a station and record who did it; `act` names it, such as `admit station`.

    The record says what became different, old and new: name, state, waivers, and of which connector name and label.
    """
    before = _facts(work, identity)
    result = action(work, identity, *args, **kwargs)
    record_act(work, actor, act, f"station/{identity}", _difference(before, _facts(work, identity)))
    return result


def note_command(work: Work, actor: Actor | None, identity: str, action: str, payload: dict[str, Any]) -> None:
    """Record that somebody is about to send a command; id tags in it are left to the frames, passwords to nobody."""
    told = hide_tags(hide_secrets(payload))
    record_act(work, actor, f"send {action[:60]}", f"station/{identity}", {"payload": told})


def _facts(work: Work, identity: str) -> dict[int, Mapping[str, Any]]:
    """Return what an operator can change of a station, under 0, and of its connectors, under their numbers."""
    row = work.sql.execute(select(*_OF_STATION).where(station.c.identity == identity)).first()
    if row is None:
        return {}
    waivers = [waiver for waiver in row.waivers.split(",") if waiver]
    facts: dict[int, Mapping[str, Any]] = {0: {"name": row.name, "state": row.state, "waivers": waivers}}
    mine = select(connector.c.number, *_OF_CONNECTOR).where(connector.c.station == identity)
    return facts | {one.number: {"name": one.name, "label": one.label} for one in work.sql.execute(mine)}


def _difference(before: dict[int, Mapping[str, Any]], after: dict[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Tell old and new of what changed; of a station that came or went, its name."""
    if not before or not after:
        whole = before or after
        return {"name": whole[0]["name"]} if whole else {}
    told: dict[str, Any] = {}
    for number in sorted(before.keys() & after.keys()):
        changed = [key for key, value in after[number].items() if before[number][key] != value]
        told |= {f"old_{key}": before[number][key] for key in changed} | {key: after[number][key] for key in changed}
        if number and changed:
            told["connector"] = number
    return told
