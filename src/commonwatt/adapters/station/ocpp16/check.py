"""Payloads against the JSON schemas of OCPP 1.6, read from the installed `ocpp` package, compiled on first use."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
import msgspec

from commonwatt.adapters.station.dialect import Caller, Refusal
from commonwatt.adapters.station.ocpp16.repair import REGISTERS, refusal_for, repair
from commonwatt.protocols.ocppj import ErrorCode

REGISTER_MOST = 10**15
"""Wh that a register may show, either side of zero; a thousand times as much is still a whole number of 64 bits."""
WHOLE_LEAST, WHOLE_MOST = -(2**31), 2**31 - 1
"""Every other whole number of OCPP has 32 bits; the schemas set no bound."""
_NOT_OURS_TO_NAME = frozenset("/\\.")


@cache
def validator(name: str) -> jsonschema_rs.Draft4Validator | None:
    """Return the compiled schema of a message ("Heartbeat", "HeartbeatResponse"), or None when 1.6 has none.

    Whole numbers have bounds here that the standard's schemas leave out, for whatever keeps them has bounds as well.
    Dates are not checked here: stations that write no zone are understood by `times`.
    """
    schema = files("ocpp").joinpath("v16", "schemas", f"{name}.json")
    if _NOT_OURS_TO_NAME & set(name) or not schema.is_file():
        return None
    return jsonschema_rs.Draft4Validator(_bounded(msgspec.json.decode(schema.read_bytes())), validate_formats=False)


def _bounded(schema: Any, field: str = "") -> Any:
    """Return a schema whose integers have bounds."""
    if isinstance(schema, list):
        return [_bounded(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    bounded = {name: _bounded(item, name) for name, item in schema.items()}
    if schema.get("type") == "integer":
        least, most = (-REGISTER_MOST, REGISTER_MOST) if field in REGISTERS else (WHOLE_LEAST, WHOLE_MOST)
        return {"minimum": least, "maximum": most, **bounded}
    return bounded


@cache
def actions() -> frozenset[str]:
    """Return all actions of OCPP 1.6 and its security extension."""
    names = {entry.name.removesuffix(".json") for entry in files("ocpp").joinpath("v16", "schemas").iterdir()}
    return frozenset(name.removesuffix("Response") for name in names if name.endswith("Response"))


def checked(caller: Caller, name: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return a station's payload when it follows its schema, or repaired where its meaning is certain.

    Each repair is flagged at the station. Raises Refusal with the standard's code when a doubt remains.
    """
    schema = validator(name)
    if schema is None:
        raise Refusal(ErrorCode.NOT_IMPLEMENTED, f"OCPP 1.6 has no message {name[:50]!r}.")
    if schema.is_valid(payload):
        return payload
    repaired = repair(schema, name, payload)
    for slug, detail in repaired.flags:
        caller.flag(caller.identity, slug, f"{name}: {detail}")
    return repaired.payload


def check_own(name: str, payload: dict[str, Any]) -> None:
    """Raise Refusal when a payload of ours is against its schema."""
    schema = validator(name)
    if schema is None:
        raise Refusal(ErrorCode.NOT_IMPLEMENTED, f"OCPP 1.6 has no message {name[:50]!r}.")
    if not schema.is_valid(payload):
        raise refusal_for(next(schema.iter_errors(payload)))
