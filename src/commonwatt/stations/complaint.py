"""What the schema of the standard says against a payload, in plain words that name the field."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from commonwatt.kernel import Said, said

_CODE = re.compile(r"(?:\w+(?:Violation|Error|NotImplemented|NotSupported)|NotImplemented|NotSupported): ")
_PLACE = re.compile(r"([\w/]{1,200}): (.*)", re.DOTALL)
_REQUIRED = re.compile(r'"([^"]+)" is a required property')
_KINDS: dict[str, Said] = {
    "string": said("a text in quotes"),
    "integer": said("a whole number"),
    "number": said("a number"),
    "boolean": said("true or false"),
    "array": said("a list in square brackets"),
    "object": said("an object in braces"),
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """A sentence about one field; its name is the path to it, as `csChargingProfiles/stackLevel`."""

    field: str
    words: Said


def complaint_of(reason: str) -> Complaint:
    """Read what a refused call or answer says about itself: `TypeConstraintViolation: key: 7 is not of type "string"`.

    The code is left out, for it names a class of errors and no field. What follows no known form is quoted.
    """
    text = reason.removeprefix(found[0]) if (found := _CODE.match(reason)) else reason
    placed = _PLACE.fullmatch(text)
    field, message = placed.groups() if placed else ("", text)
    if missing := _REQUIRED.fullmatch(message):
        field = f"{field}/{missing[1]}" if field else missing[1]
        return Complaint(field, said("The field %(field)s is missing.", field=field))
    for form, words in _FORMS:
        if told := form.fullmatch(message):
            return Complaint(field, words(field or "?", told))
    quoted = message.rstrip(". ")
    if not field:
        return Complaint("", said("The content is against the standard: %(reason)s.", reason=quoted))
    return Complaint(field, said("%(field)s is against the standard: %(reason)s.", field=field, reason=quoted))


def _one_of(field: str, told: re.Match[str]) -> Said:
    known = ", ".join(re.findall(r'"([^"]*)"', told[2])) + (", \N{HORIZONTAL ELLIPSIS}" if "other" in told[2] else "")
    return said("%(field)s is %(value)s. It must be one of: %(known)s.", field=field, value=told[1], known=known)


def _kind(field: str, told: re.Match[str]) -> Said:
    kind = _KINDS.get(told[2], told[2])
    return said("%(field)s is %(value)s. It must be %(kind)s.", field=field, value=told[1], kind=kind)


def _surplus(field: str, told: re.Match[str]) -> Said:
    names = ", ".join(re.findall(r"'([^']*)'", told[1]))
    if field == "?":
        return said("The standard has no field %(names)s here. Take it out.", names=names)
    return said("The standard has no field %(names)s in %(field)s. Take it out.", names=names, field=field)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], Said]], ...] = (
    (re.compile(r"(.*) is not one of (.*)", re.DOTALL), _one_of),
    (re.compile(r'(.*) is not of type "(\w+)"', re.DOTALL), _kind),
    (re.compile(r"Additional properties are not allowed \((.*) w(?:as|ere) unexpected\)", re.DOTALL), _surplus),
    (
        re.compile(r".* is longer than (\d+) characters?", re.DOTALL),
        lambda field, told: said("%(field)s has more than %(most)s characters.", field=field, most=int(told[1])),
    ),
    (
        re.compile(r"\S+ is greater than the maximum of (\S+)"),
        lambda field, told: said("%(field)s must be at most %(most)s.", field=field, most=told[1]),
    ),
    (
        re.compile(r"\S+ is less than the minimum of (\S+)"),
        lambda field, told: said("%(field)s must be at least %(least)s.", field=field, least=told[1]),
    ),
    (
        re.compile(r"\S+ is not a multiple of (\S+)"),
        lambda field, told: said("%(field)s must be a multiple of %(step)s.", field=field, step=told[1]),
    ),
    (
        re.compile(r".* (?:has less than \d+ items?|is too short)", re.DOTALL),
        lambda field, _: said("%(field)s has too few entries.", field=field),
    ),
    (
        re.compile(r"against the schema \(maxLength\)"),
        lambda field, _: said("%(field)s is too long.", field=field),
    ),
    (
        re.compile(r"against the schema \(type\)"),
        lambda field, _: said("%(field)s is of the wrong kind.", field=field),
    ),
    (
        re.compile(r"(?:OCPP 1\.6 has no message '(\w+)'|'(\w+)' is no command of OCPP 1\.6 to a station)\."),
        lambda _, told: said("OCPP 1.6 has no command %(action)s to a station.", action=told[1] or told[2]),
    ),
)
"""The sentences of the schema's validator, and ours for each."""
