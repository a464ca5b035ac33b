"""From the text of a frame to its meaning and back.

`parse` never raises: what is no frame comes back as `Malformed`, which says whether and how it may be answered. An
answer (CALLRESULT, CALLERROR) is never answered, however broken, or two parties would shout at each other for ever.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from commonwatt.protocols.ocppj.errors import ErrorCode

FRAME_MAX = 128 * 1024
"""Bytes of one frame at most; a GetConfiguration.conf of real firmware has 3 to 20 thousand."""
DEPTH_MAX = 32
"""Nested objects and arrays at most; the deepest message of OCPP has eight."""
ID_MAX = 255
"""Characters of a message id at most: the standard says 36, some stations use more, and it is theirs to choose."""

DIGITS_SURE = 18
"""Digits of a whole number that is read as one where a frame holds numbers that nothing can hold."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Call(msgspec.Struct, frozen=True):
    """A request: `[2, id, action, payload]`."""

    id: str
    action: str
    payload: dict[str, Any]


class CallResult(msgspec.Struct, frozen=True):
    """The answer to a call: `[3, id, payload]`."""

    id: str
    payload: dict[str, Any]


class CallError(msgspec.Struct, frozen=True):
    """A call that could not be answered: `[4, id, code, description, details]`."""

    id: str
    code: str
    description: str
    details: dict[str, Any]


class Malformed(msgspec.Struct, frozen=True):
    """A text that is no frame. With an `id` it was meant as a call and is answered with `code`, else it is dropped."""

    reason: str
    id: str | int | None = None
    code: ErrorCode = ErrorCode.PROTOCOL_ERROR


Frame = Call | CallResult | CallError | Malformed


def parse(text: str) -> Frame:
    """Read one frame; whatever is wrong with it becomes `Malformed`."""
    if len(text) > FRAME_MAX:
        return Malformed(f"The frame has {len(text)} characters; {FRAME_MAX} is the limit.")
    try:
        parts = _read_json(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        return Malformed(f"The frame is no JSON: {error}")
    except RecursionError:
        return Malformed("The frame is nested too deeply.")
    if type(parts) is not list or not parts:
        return Malformed("The frame is no array, or an empty one.")
    match parts[0]:
        case 2:
            return _read_call(parts, text)
        case 3 if len(parts) == 3 and type(parts[1]) is str and type(parts[2]) is dict:  # noqa: PLR2004 (a frame's parts)
            return CallResult(parts[1], parts[2])
        case 3 if len(parts) in (2, 3) and type(parts[1]) is str and parts[2:] in ([], [None]):
            return CallResult(parts[1], {})  # some stations leave an empty payload out; the schema judges it
        case 4 if len(parts) >= 3 and type(parts[1]) is str and type(parts[2]) is str:  # noqa: PLR2004 (a frame's parts)
            return _read_error(parts)
        case 3 | 4:
            return Malformed("The answer has not the parts of an answer.")
        case other:
            return Malformed(f"The message type {str(other)[:20]!r} is unknown; OCPP-J 1.6 has 2, 3 and 4.")


def _read_json(text: str) -> Any:
    """Read a frame; numbers that no type can hold, and words for none such as `NaN`, become text in their places.

    Some encoders write those, and a call that is not understood at all is sent again for ever. Raises DecodeError,
    UnicodeError or RecursionError for what is no JSON otherwise.
    """
    try:
        return _decode(text)
    except msgspec.DecodeError as complaint:
        try:
            odd = json.loads(text, parse_int=_whole_or_text, parse_float=_number_or_text, parse_constant=str)
            return _decode(_encode(odd))  # what only the other reader takes, half a surrogate, goes no further
        except (ValueError, msgspec.MsgspecError):
            raise complaint from None


def _whole_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= DIGITS_SURE else digits


def _number_or_text(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _read_call(parts: list[Any], text: str) -> Call | Malformed:
    if len(parts) == 4:  # noqa: PLR2004 (a frame's parts)
        _, message_id, action, payload = parts
        if type(message_id) is str and type(action) is str and type(payload) is dict and 0 < len(message_id) <= ID_MAX:
            if text.count("{") + text.count("[") > DEPTH_MAX and _depth(payload) > DEPTH_MAX:
                return Malformed("The payload is nested too deeply.", message_id, ErrorCode.FORMATION_VIOLATION)
            return Call(message_id, action, payload)
    message_id = parts[1] if len(parts) > 1 else None
    if type(message_id) is int:
        return Malformed("The message id must be a string.", message_id)
    if type(message_id) is not str or not 0 < len(message_id) <= ID_MAX:
        return Malformed(f"A call needs a message id, a string of 1 to {ID_MAX} characters.")
    if len(parts) != 4:  # noqa: PLR2004 (a frame's parts)
        return Malformed(f"A call has four parts, this one has {len(parts)}.", message_id)
    if type(parts[2]) is not str:
        return Malformed("The action must be a string.", message_id)
    return Malformed("The payload must be an object.", message_id)


def _read_error(parts: list[Any]) -> CallError:
    description = parts[3] if len(parts) > 3 and type(parts[3]) is str else ""  # noqa: PLR2004 (a frame's parts)
    details = parts[4] if len(parts) > 4 and type(parts[4]) is dict else {}  # noqa: PLR2004 (a frame's parts)
    return CallError(parts[1], parts[2], description, details)


def _depth(value: Any) -> int:
    """Measure nesting without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
    return deepest


def compose_call(message_id: str, action: str, payload: dict[str, Any]) -> str:
    """Write a CALL."""
    return _encode((2, message_id, action, payload)).decode()


def compose_result(message_id: str, payload: dict[str, Any]) -> str:
    """Write a CALLRESULT."""
    return _encode((3, message_id, payload)).decode()


def compose_error(
    message_id: str | int, code: ErrorCode, description: str = "", details: dict[str, Any] | None = None
) -> str:
    """Write a CALLERROR; the description is cut at 255 characters (OCPP-J 1.6, 4.2.3)."""
    return _encode((4, message_id, code, description[:255], details or {})).decode()
