"""What real stations write slightly wrong, put right where the meaning is certain.

The schema's own complaints say what to do: a number where text belongs becomes its text, an unknown field is left out,
a word in other letters becomes the standard's. What remains in doubt is refused with the code that OCPP-J names.
Sources of the words below: lbbrhzn/ocpp#1576 (unit `Hz`), #1069; evcc's charger templates; steve-community/steve.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from commonwatt.adapters.station.dialect import Refusal
from commonwatt.adapters.station.ocpp16.samples import scaled
from commonwatt.protocols.ocppj import ErrorCode

ROUNDS_MAX = 4
"""A repaired field may show the next complaint; more rounds than these are no slight mistake. The last only looks."""
COMPLAINTS_MAX = 400

CODES = {
    "required": ErrorCode.PROTOCOL_ERROR,
    "additionalProperties": ErrorCode.FORMATION_VIOLATION,
    "type": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "minItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "maxItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "uniqueItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
}
"""JSON schema's words in OCPP-J's; every other one is a PropertyConstraintViolation."""

WORDS = {
    ("unit", "hz"): "Hertz",
    ("unit", "c"): "Celsius",
    ("unit", "°c"): "Celsius",
    ("unit", "degc"): "Celsius",
    ("unit", "%"): "Percent",
    ("unit", "percentage"): "Percent",
    ("unit", "amp"): "A",
    ("unit", "amps"): "A",
    ("unit", "ampere"): "A",
    ("unit", "volt"): "V",
    ("unit", "volts"): "V",
    ("unit", "watt"): "W",
    ("phase", "n-l1"): "L1-N",
    ("phase", "l1n"): "L1-N",
    ("phase", "l2n"): "L2-N",
    ("phase", "l3n"): "L3-N",
    ("measurand", "power"): "Power.Active.Import",
    ("measurand", "current"): "Current.Import",
    ("measurand", "state_of_charge"): "SoC",
}
"""Words that stations use for one of the standard's, in small letters."""

LEAVE_OUT = frozenset({"context", "location", "format", "phase"})
"""Fields of a sampled value that tell nothing we bill by: an unknown word there is left out."""
SHORTEN = frozenset({
    "chargePointVendor", "chargePointModel", "chargePointSerialNumber", "chargeBoxSerialNumber", "firmwareVersion",
    "iccid", "imsi", "meterType", "meterSerialNumber", "info", "vendorId", "vendorErrorCode", "value", "key",
})  # fmt: skip
"""Texts for people, which may be longer than the standard allows."""
DEFAULTS: dict[tuple[str, str], str] = {
    ("StatusNotification", "errorCode"): "NoError",
    ("BootNotification", "chargePointVendor"): "unknown",
    ("BootNotification", "chargePointModel"): "unknown",
}
"""What a missing field means; `StatusNotification` without an error code is only certain when it is not Faulted."""
REGISTERS = frozenset({"meterStart", "meterStop"})
"""Registers in whole Wh, which some stations write with decimals or as text."""
NOBODYS = -1
"""A number that no transaction of ours has: what it reports is matched by tag or connector."""
LOST_REGISTER = 0
"""What stations report that have lost their register."""
TAGS = frozenset({"idTag", "parentIdTag"})
"""A person's card: its number is in no text of ours."""
_DECIMAL = re.compile(r"\d{1,15}\.\d{1,9}", re.ASCII)


@dataclass(slots=True)
class Repaired:
    """A payload that follows its schema, and what had to be done for it."""

    payload: dict[str, Any]
    flags: set[tuple[str, str]] = field(default_factory=set)
    gone: set[tuple[Any, ...]] = field(default_factory=set)
    """Paths of list items that this round took out; from there on other items stand at their places."""


def repair(schema: jsonschema_rs.Draft4Validator, name: str, payload: dict[str, Any]) -> Repaired:
    """Return a repaired copy; raises Refusal for the first complaint that has no certain answer."""
    repaired = Repaired(copy.deepcopy(payload))
    for _ in range(ROUNDS_MAX):
        complaints = []
        for complaint in schema.iter_errors(repaired.payload):
            complaints.append(complaint)
            if len(complaints) > COMPLAINTS_MAX:
                break
        if not complaints:
            return repaired
        repaired.gone.clear()
        if len(complaints) > COMPLAINTS_MAX:
            if not _do_without(repaired, name, complaints[-1].instance_path[:1]):
                raise refusal_for(complaints[0])
            continue
        for complaint in reversed(complaints):  # from the last, so that indexes of lists stay true
            if not _mend(repaired, name, complaint) and not _do_without(repaired, name, complaint.instance_path):
                raise refusal_for(complaint)
    raise refusal_for(complaints[0])


def refusal_for(complaint: jsonschema_rs.ValidationError) -> Refusal:
    """Return the CALLERROR that OCPP-J names for a complaint, with the place of the field.

    The value is told where it helps: not an id tag, and not a list or an object, which may hold one.
    """
    path = complaint.instance_path
    place = "/".join(str(step) for step in path)
    code = CODES.get(complaint.kind.name, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION)
    named = complaint.kind.name in {"required", "additionalProperties"}  # these tell names of fields, no values
    hidden = not named and (isinstance(complaint.instance, dict | list) or not TAGS.isdisjoint(path))
    message = f"against the schema ({complaint.kind.name})" if hidden else complaint.message
    said = f"{place}: {message}" if place else message
    return Refusal(code, said[:255], field=place[:200])


def _mend(repaired: Repaired, name: str, complaint: jsonschema_rs.ValidationError) -> bool:
    path = list(complaint.instance_path)
    kind = complaint.kind
    parent, key, value = _at(repaired.payload, path)
    if (path and parent is None) or any(tuple(path[:depth]) in repaired.gone for depth in range(1, len(path) + 1)):
        return True  # another repair took it away; the next round looks again
    if value is None and isinstance(parent, dict):
        del parent[key]  # should it be a field that must be there, the next round says so
        repaired.flags.add(("null-field", str(key)))
        return True
    if kind.name == "additionalProperties":
        return _drop_extra(repaired, value, kind.value)
    if kind.name == "required":
        return _fill_in(repaired, name, path, value, str(kind.value))
    if parent is None:
        return False
    if kind.name == "type":
        return _convert(repaired, parent, key, value, list(kind.value))
    if kind.name == "enum":
        return _reword(repaired, name, parent, str(key), value, [str(word) for word in kind.value])
    if kind.name == "maxLength" and key in SHORTEN:
        parent[key] = value[: int(kind.value)]
        repaired.flags.add(("text-too-long", str(key)))
        return True
    if kind.name == "minItems" and key == "sampledValue":
        _drop_meter_value(repaired, path)
        return True
    return False


def _do_without(repaired: Repaired, name: str, path: list[Any]) -> bool:
    """Leave out what a StopTransaction can be billed without, so that one bad field does not cost its end.

    A number that no transaction can have is nobody's, in meter values too; they may come from the whole station.
    """
    payload = repaired.payload
    if name == "MeterValues" and path in (["transactionId"], ["connectorId"]):
        payload[path[0]] = NOBODYS if path == ["transactionId"] else 0
        repaired.flags.add(("impossible-number", str(path[0])))
        return True
    if name != "StopTransaction":
        return False
    match path:
        case ["transactionId"]:
            payload["transactionId"] = NOBODYS
            repaired.flags.add(("impossible-number", "transactionId"))
        case ["meterStop"]:
            payload["meterStop"] = LOST_REGISTER
            repaired.flags.add(("impossible-number", "meterStop"))
        case ["idTag", *_]:
            payload.pop("idTag", None)
            repaired.flags.add(("unusable-id-tag", "left out"))
        case ["transactionData", int(moment), *_]:
            payload["transactionData"].pop(moment)
            repaired.gone.add(("transactionData", moment))
            repaired.flags.add(("unreadable-moment", "left out"))
        case ["transactionData", *_]:
            payload.pop("transactionData", None)
            repaired.flags.add(("unreadable-moment", "all left out"))
        case _:
            return False
    return True


def _at(payload: Any, path: list[Any]) -> tuple[Any, Any, Any]:
    parent, key, value = None, None, payload
    for step in path:
        try:
            parent, key, value = value, step, value[step]
        except (KeyError, IndexError, TypeError):
            return None, None, None
    return parent, key, value


def _drop_extra(repaired: Repaired, value: Any, unexpected: list[str]) -> bool:
    for extra in unexpected:
        value.pop(extra, None)
        repaired.flags.add(("extra-field", extra[:50]))
    return True


def _fill_in(repaired: Repaired, name: str, path: list[Any], value: dict[str, Any], missing: str) -> bool:
    if not path and (name, missing) in DEFAULTS:
        if missing == "errorCode" and str(value.get("status")).lower() == "faulted":
            return False
        value[missing] = DEFAULTS[name, missing]
    elif missing == "readonly" and "configurationKey" in path:
        value[missing] = False  # who tries to change it learns the truth from the station
    elif missing == "value" and "sampledValue" in path:
        parent, key, _ = _at(repaired.payload, path)
        parent.pop(key)
        repaired.gone.add(tuple(path))
    else:
        return False
    repaired.flags.add(("missing-field", missing))
    return True


def _convert(repaired: Repaired, parent: Any, key: Any, value: Any, wanted: list[str]) -> bool:
    if wanted == ["string"] and isinstance(value, int | float) and not isinstance(value, bool):
        parent[key] = str(value)
        repaired.flags.add(("number-not-text", str(key)))
        return True
    if wanted == ["boolean"] and isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        parent[key] = value.strip().lower() == "true"
        repaired.flags.add(("text-not-boolean", str(key)))
        return True
    if wanted == ["integer"] and isinstance(value, float) and value.is_integer():
        parent[key] = int(value)
        repaired.flags.add(("fraction-in-integer", str(key)))
        return True
    if wanted == ["integer"] and isinstance(value, float) and key in REGISTERS:
        parent[key] = int(value + 0.5) if value > 0 else 0
        repaired.flags.add(("fraction-in-integer", str(key)))
        return True
    if wanted == ["integer"] and isinstance(value, str) and key in REGISTERS and _DECIMAL.fullmatch(value.strip()):
        whole = scaled(value, 0)
        if whole is not None:
            parent[key] = whole
            repaired.flags |= {("text-not-number", str(key)), ("fraction-in-integer", str(key))}
            return True
    if wanted == ["integer"] and isinstance(value, str) and value.strip().lstrip("-").isascii():
        digits = value.strip()
        if digits.lstrip("-").isdigit() and len(digits) < 16:  # noqa: PLR2004 (more digits than any register has)
            parent[key] = int(digits)
            repaired.flags.add(("text-not-number", str(key)))
            return True
    return False


def _reword(repaired: Repaired, name: str, parent: Any, key: str, value: Any, words: list[str]) -> bool:
    if not isinstance(value, str):
        return False
    plain = value.strip().lower()
    word = WORDS.get((key, plain)) or next((word for word in words if word.lower() == plain), None)
    if word is not None and word in words:
        parent[key] = word
    elif key == "errorCode" and plain in {"", "none"} and parent.get("status") != "Faulted":
        parent[key] = "NoError"
    elif key == "errorCode":
        parent["info"] = f"{value} {parent.get('info', '')}".strip()[:50]
        parent[key] = "OtherError"
    elif (name == "StopTransaction" and key == "reason") or (key in LEAVE_OUT):
        del parent[key]
    elif key in {"measurand", "unit"} and "value" in parent:
        parent[key] = words[0]
        parent["value"] = ""  # a quantity that nobody can name: `samples` skips a value without digits
    else:
        return False
    repaired.flags.add((f"unknown-{key.lower()}" if word is None else f"odd-{key.lower()}", value[:50]))
    return True


def _drop_meter_value(repaired: Repaired, path: list[Any]) -> None:
    parent, key, _ = _at(repaired.payload, path[:-1])
    if isinstance(parent, list):
        parent.pop(key)
        repaired.gone.add(tuple(path[:-1]))
        repaired.flags.add(("empty-meter-value", "sampledValue"))
