"""One command to a station, with every way in which it can go wrong as an error of its own."""

from __future__ import annotations

import json
from typing import Any

from commonwatt.kernel import Done, Failed, said
from commonwatt.stations.complaint import complaint_of
from commonwatt.stations.errors import (
    CommandInvalid,
    StationAnswerInvalid,
    StationBusy,
    StationCallError,
    StationOffline,
    StationTimeout,
)
from commonwatt.stations.hiding import check_not_hidden, hide_secrets
from commonwatt.stations.ports import PATIENCE_S, AnswerInvalid, StationLine

ANSWER_MAX = 4000
"""Characters of an answer that follows no rule, as it is shown."""


async def command_station(line: StationLine, identity: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Send a raw call and return the station's answer.

    Raises CommandInvalid (never sent, the payload is wrong), StationOffline and StationBusy (never sent),
    StationCallError (the station said no in the protocol's own way), StationAnswerInvalid (it answered, against the
    standard), StationTimeout (sent, and nobody knows).
    """
    check_not_hidden(payload)
    outcome = await line.send(identity, action, payload, patience_s=PATIENCE_S)
    match outcome:
        case Done(answer):
            return answer
        case Failed(reason, "invalid"):
            wrong = complaint_of(reason)
            raise CommandInvalid(
                said("%(wrong)s Nothing was sent; correct the command.", wrong=wrong.words),
                station=identity,
                action=action,
                field=wrong.field or None,
            )
        case Failed(reason, "busy"):
            raise StationBusy(f"{reason} Send it again in a moment.", station=identity, action=action)
        case AnswerInvalid(reason, payload=payload):
            raise StationAnswerInvalid(
                f"{identity} answered {action}, but against the standard. {complaint_of(reason).words} It may have "
                "been carried out: look at the station before you repeat it.",
                station=identity,
                action=action,
                answer=json.dumps(hide_secrets(payload), ensure_ascii=False, separators=(",", ":"))[:ANSWER_MAX],
            )
        case Failed(reason, "callerror"):
            code, _, description = reason.partition(": ")
            raise StationCallError(
                f"{identity} answered {action} with {reason.rstrip('. ')}.",
                station=identity,
                action=action,
                code=code,
                description=description,
            )
        case Failed(_, _):
            raise StationOffline(
                f"{identity} has no connection, so {action} was not sent. Look at its power and network.",
                station=identity,
                action=action,
            )
        case unknown:
            raise StationTimeout(
                f"{unknown.reason} It may still have been carried out: look at the station before you repeat it.",
                station=identity,
                action=action,
            )
