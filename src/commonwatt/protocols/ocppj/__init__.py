"""OCPP-J: the JSON framing that every OCPP version shares, without a socket (OCPP-J 1.6, section 4).

Reading order: `frame` (text to frame and back), `errors` (the table of CALLERROR codes), `exchange` (who may speak:
one outstanding call per direction).

    asker                          answerer
      │ ── [2, id, action, {}] ──────> │      a CALL; the next one waits for its answer
      │ <── [3, id, {}] ────────────── │      its CALLRESULT, or
      │ <── [4, id, code, text, {}] ── │      its CALLERROR
"""

from commonwatt.protocols.ocppj.errors import ErrorCode
from commonwatt.protocols.ocppj.exchange import Answered, Exchange, Ignored
from commonwatt.protocols.ocppj.frame import (
    DEPTH_MAX,
    FRAME_MAX,
    Call,
    CallError,
    CallResult,
    Frame,
    Malformed,
    compose_call,
    compose_error,
    compose_result,
    parse,
)

__all__ = [
    "DEPTH_MAX",
    "FRAME_MAX",
    "Answered",
    "Call",
    "CallError",
    "CallResult",
    "ErrorCode",
    "Exchange",
    "Frame",
    "Ignored",
    "Malformed",
    "compose_call",
    "compose_error",
    "compose_result",
    "parse",
]
