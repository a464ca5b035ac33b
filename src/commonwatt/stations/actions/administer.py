"""An operator's act on a station, with its line in the audit log, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from commonwatt.kit.database import Work
from commonwatt.members import Actor, record_act

P = ParamSpec("P")
R = TypeVar("R")


def administer(
    work: Work,
    actor: Actor | None,
    act: str,
    identity: str,
    action: Callable[Concatenate[Work, str, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Run an action on a station and record who did it; `act` names it, such as `station admitted`."""
    result = action(work, identity, *args, **kwargs)
    record_act(work, actor, act, f"station/{identity}")
    return result


def note_command(work: Work, actor: Actor | None, identity: str, action: str, payload: dict[str, Any]) -> None:
    """Record that somebody is about to send a command; id tags in it are left to the frames."""
    told = {key: value for key, value in payload.items() if key not in {"idTag", "parentIdTag"}}
    record_act(work, actor, f"command {action[:60]}", f"station/{identity}", {"payload": told})
