"""Meter values as samples: whole Wh, W, mA, mV, whatever units and phases a station uses (OCPP 1.6, 7.31 to 7.45)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, DecimalException
from typing import Any

from commonwatt.adapters.station.dialect import Caller, Refusal
from commonwatt.adapters.station.ocpp16.times import read_time
from commonwatt.charging.reports import Sample
from commonwatt.kernel import Instant
from commonwatt.stations import WH_MEANS_KWH

REGISTER = "Energy.Active.Import.Register"
"""What a sampled value without a measurand is."""
_ENERGY, _INTERVAL, _POWER, _CURRENT, _VOLTAGE, _SOC = range(6)
_SUMMED = (_ENERGY, _INTERVAL, _POWER)
_PHASES = frozenset({"L1", "L2", "L3", "L1-N", "L2-N", "L3-N"})
_ELSEWHERE = frozenset({"Body", "Cable", "EV"})
_LARGEST = 10**15
_DIGITS_SURE = 15
_TENS = (1, 10, 100, 1000)

_SLOTS: dict[tuple[str, str | None], tuple[int, int]] = {
    (REGISTER, None): (_ENERGY, 0),
    (REGISTER, "Wh"): (_ENERGY, 0),
    (REGISTER, "kWh"): (_ENERGY, 3),
    ("Energy.Active.Import.Interval", None): (_INTERVAL, 0),
    ("Energy.Active.Import.Interval", "Wh"): (_INTERVAL, 0),
    ("Energy.Active.Import.Interval", "kWh"): (_INTERVAL, 3),
    ("Power.Active.Import", None): (_POWER, 0),
    ("Power.Active.Import", "W"): (_POWER, 0),
    ("Power.Active.Import", "kW"): (_POWER, 3),
    ("Current.Import", None): (_CURRENT, 3),
    ("Current.Import", "A"): (_CURRENT, 3),
    ("Voltage", None): (_VOLTAGE, 3),
    ("Voltage", "V"): (_VOLTAGE, 3),
    ("SoC", None): (_SOC, 0),
    ("SoC", "Percent"): (_SOC, 0),
}
"""Measurand and unit to the place in a sample and the power of ten to its unit."""
_OURS = frozenset(measurand for measurand, _ in _SLOTS)


def scaled(text: str, power: int) -> int | None:
    """Return a decimal number times ten to a power, rounded half up; None when it is no number, or an absurd one."""
    if len(text) <= _DIGITS_SURE and text.isascii():
        whole, _, part = text.partition(".")  # what nearly all stations write, without the price of Decimal
        if whole.isdigit():
            if not part.strip("0"):
                return int(whole) * _TENS[power]
            if part.isdigit() and len(part) <= power:
                return int(whole) * _TENS[power] + int(part) * _TENS[power - len(part)]
    try:
        number = Decimal(text.strip()).scaleb(power)
        if not number.is_finite() or abs(number) > _LARGEST:
            return None
        return int(number.to_integral_value(ROUND_HALF_UP))
    except DecimalException:
        return None


def read_samples(
    caller: Caller, meter_values: list[dict[str, Any]], now: Instant, *, lenient: bool = False
) -> tuple[Sample, ...]:
    """Translate a list of MeterValue; moments that say nothing of energy, power, current, voltage or SoC fall away.

    A moment without a readable time is refused with the message, or where `lenient` flagged and left out.
    """
    samples = []
    for meter_value in meter_values:
        values: list[int | None] = [None] * 6
        context = _read_values(caller, meter_value["sampledValue"], values)
        if values != [None] * 6:
            try:
                at = read_time(caller, meter_value["timestamp"], now)
            except Refusal as refusal:
                if not lenient:
                    raise
                caller.flag(caller.identity, "unreadable-moment", refusal.description)
                continue
            energy, interval, power, current, voltage, soc = values
            samples.append(Sample(at, energy, interval, power, current, voltage, soc, context))
    return tuple(samples)


def _read_values(  # noqa: C901 (one pass over a hot list; each branch is a rule of its own)
    caller: Caller, sampled: list[dict[str, Any]], values: list[int | None]
) -> str:
    """Fill the places of one moment; return its context. A total is better than phases, the outlet than the inlet."""
    context = "Sample.Periodic"
    phased: dict[tuple[int, str | None], list[int]] | None = None
    for item in sampled:
        measurand = item.get("measurand", REGISTER)
        slot = _SLOTS.get((measurand, item.get("unit")))
        if slot is None or item.get("format") == "SignedData":
            if measurand in _OURS and slot is None:
                caller.flag(caller.identity, "unit-mismatch", f"{measurand} in {item.get('unit')}")
            continue
        place, power = slot
        if place == _ENERGY and power == 0 and WH_MEANS_KWH in caller.waivers:
            power = 3
        value = scaled(item["value"], power)
        if value is None:
            if item["value"]:
                caller.flag(caller.identity, "unreadable-value", f"{measurand}: {item['value'][:40]}")
            continue
        context = item.get("context", context)
        location = item.get("location")
        phase = item.get("phase")
        if location in _ELSEWHERE and place != _SOC:
            continue
        if phase is None and location != "Inlet":
            values[place] = value
        elif phase is None or phase in _PHASES:
            phased = {} if phased is None else phased
            phased.setdefault((place, location), []).append(value)
    if phased is not None:
        _fold(phased, values)
    return context


def _fold(phased: dict[tuple[int, str | None], list[int]], values: list[int | None]) -> None:
    """Add up the phases of energy and power, take the largest of current and voltage, where there is no total."""
    for inlet in (False, True):
        for (place, location), found in phased.items():
            if values[place] is None and (location == "Inlet") is inlet:
                values[place] = sum(found) if place in _SUMMED else max(found)
