"""What the buttons of a station's page ask of it, as calls of OCPP 1.6, and how each end reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from commonwatt.kernel import Done, Failed, Outcome, said
from commonwatt.stations.errors import CommandInvalid
from commonwatt.stations.hiding import check_not_hidden
from commonwatt.stations.ports import AnswerInvalid

COMMANDS = (
    "ChangeAvailability", "ChangeConfiguration", "ClearCache", "DataTransfer", "GetConfiguration", "GetDiagnostics",
    "GetLocalListVersion", "RemoteStartTransaction", "RemoteStopTransaction", "Reset", "SendLocalList",
    "TriggerMessage", "UnlockConnector", "UpdateFirmware",
)  # fmt: skip
"""Actions that the page offers by name; the API sends any."""
TRIGGERS = (
    "StatusNotification", "MeterValues", "Heartbeat", "BootNotification", "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
)  # fmt: skip
"""Messages that a station can be asked to send (OCPP 1.6, 7.31 MessageTrigger)."""

Form = Mapping[str, Any]
_ACTION = re.compile(r"[A-Za-z]{1,40}", re.ASCII)
_PAYLOAD_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended; `status` is one word.

    `outcome` is answer, callerror, unclear (an answer against the standard), invalid, busy, offline or timeout.
    """

    outcome: str
    status: str = ""


def call_of(verb: str, form: Form) -> tuple[str, dict[str, Any]]:
    """Return the action and the payload that a button with its fields means. Raises CommandInvalid."""
    make = _CALLS.get(verb)
    if make is None:
        raise CommandInvalid(
            said("There is no button %(verb)s. Open the station's page anew.", verb=repr(verb[:40])), action=verb[:40]
        )
    action, payload = make(form)
    check_not_hidden(payload)
    return action, payload


def ending_of(outcome: Outcome[dict[str, Any]]) -> Ending:
    """Tell how a command ended, in the few words that the page knows."""
    match outcome:
        case Done(answer):
            status = answer.get("status", "")
            return Ending("answer", status if isinstance(status, str) and _ACTION.fullmatch(status) else "")
        case Failed(reason, "callerror"):
            code = reason.partition(":")[0]
            return Ending("callerror", code if _ACTION.fullmatch(code) else "")
        case AnswerInvalid():
            return Ending("unclear")
        case Failed(_, code):
            return Ending(code if code in {"invalid", "busy"} else "offline")
        case _:
            return Ending("timeout")


def _connector(form: Form) -> int:
    text = str(form.get("connector", ""))
    if not text.isascii() or not text.isdigit() or len(text) > 3:  # noqa: PLR2004 (no station has a thousand)
        raise CommandInvalid(said("A connector has a number. Choose one of the list."), field="connector")
    return int(text)


def _one_of(form: Form, name: str, known: tuple[str, ...]) -> str:
    heard = str(form.get(name, ""))
    if heard not in known:
        raise CommandInvalid(said("Choose one of %(known)s.", known=", ".join(known)), field=name)
    return heard


def _start(form: Form) -> tuple[str, dict[str, Any]]:
    tag = str(form.get("id_tag", "")).strip()
    if not 0 < len(tag) <= 20:  # noqa: PLR2004 (OCPP 1.6, 7.28 IdToken)
        raise CommandInvalid(said("A tag has 1 to 20 characters. Choose one of yours."), field="id_tag")
    return "RemoteStartTransaction", {"connectorId": _connector(form), "idTag": tag}


def _trigger(form: Form) -> tuple[str, dict[str, Any]]:
    payload: dict[str, Any] = {"requestedMessage": _one_of(form, "message", TRIGGERS)}
    if form.get("connector"):
        payload["connectorId"] = _connector(form)
    return "TriggerMessage", payload


def _configure(form: Form) -> tuple[str, dict[str, Any]]:
    key, value = str(form.get("key", "")), str(form.get("value", "")).strip()
    if not 0 < len(key) <= 50 or len(value) > 500:  # noqa: PLR2004 (OCPP 1.6, 6.7)
        raise CommandInvalid(said("A key has 1 to 50 characters, a value at most 500."), field="value")
    return "ChangeConfiguration", {"key": key, "value": value}


def _raw(form: Form) -> tuple[str, dict[str, Any]]:
    action, text = str(form.get("action", "")), str(form.get("payload", "")) or "{}"
    if not _ACTION.fullmatch(action):
        raise CommandInvalid(said("An action is one word, such as Reset."), field="action")
    if len(text) > _PAYLOAD_MAX:
        raise CommandInvalid(said("The content has more than %(most)s characters.", most=_PAYLOAD_MAX), field="payload")
    try:
        payload = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        wrong = next((words for start, words in _JSON_WRONG if error.msg.startswith(start)), _JSON_UNREADABLE)
        raise CommandInvalid(
            said(
                "The content is no JSON. Line %(line)s, character %(at)s: %(wrong)s",
                line=error.lineno,
                at=error.colno,
                wrong=wrong,
            ),
            field="payload",
        ) from None
    except (ValueError, RecursionError):
        raise CommandInvalid(
            said("The content is nested too deep, or has a number too long."), field="payload"
        ) from None
    if not isinstance(payload, dict):
        raise CommandInvalid(said('The content must be a JSON object, such as {"type": "Soft"}.'), field="payload")
    return action, payload


_JSON_WRONG = (
    ("Expecting property name", said("a name in double quotes belongs here.")),
    ("Expecting ',' delimiter", said("a comma or a closing bracket is missing here.")),
    ("Expecting ':' delimiter", said("a colon is missing here.")),
    ("Expecting value", said("a value is missing here; a text needs double quotes.")),
    ("Unterminated string", said("the text that begins here has no closing quote.")),
    ("Illegal trailing comma", said("the comma here is one too many.")),
    ("Extra data", said("the content ends before this; the rest is too much.")),
)
"""How the reader of JSON begins what it says, and the same in plain words."""
_JSON_UNREADABLE = said("this cannot be read.")

_CALLS: dict[str, Callable[[Form], tuple[str, dict[str, Any]]]] = {
    "start": _start,
    "unlock": lambda form: ("UnlockConnector", {"connectorId": _connector(form)}),
    "availability": lambda form: (
        "ChangeAvailability",
        {"connectorId": _connector(form), "type": _one_of(form, "type", ("Operative", "Inoperative"))},
    ),
    "reset": lambda form: ("Reset", {"type": _one_of(form, "type", ("Soft", "Hard"))}),
    "clear-cache": lambda _form: ("ClearCache", {}),
    "trigger": _trigger,
    "read-configuration": lambda _form: ("GetConfiguration", {}),
    "configure": _configure,
    "raw": _raw,
}
