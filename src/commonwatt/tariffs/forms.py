"""A tariff from a few plain fields, as a page's form or the command line sends them: text in, tariff out.

Most tariffs are a price per kWh, perhaps a start fee, perhaps a fee for staying when the car is full. Whatever goes
beyond comes as a document in the field `document` (see `document.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from commonwatt.kernel import said
from commonwatt.tariffs.document import known_asset, parse_tariff
from commonwatt.tariffs.errors import TariffInvalid
from commonwatt.tariffs.model.explain import percent
from commonwatt.tariffs.model.tariff import Kind, Tariff
from commonwatt.tariffs.reading import UNITS_MAX, decimal_text, exact, moment

FIELDS = {
    "name": "what the owner calls it",
    "currency": "a code of ISO 4217, or BTC",
    "energy": "price of a kWh",
    "energy_step": "billed in whole blocks of so many Wh",
    "night_energy": "another price of a kWh at night",
    "night_from": "when the night price begins, 22:00",
    "night_to": "when it ends, 06:00",
    "time": "price of charging time: 0.05/min, 3/h; a bare number is per minute",
    "flat": "price of a session's start",
    "idle": "price of staying without charging: 0.10/min, 6/h; a bare number is per minute",
    "idle_after": "how long staying is free: 15m, 1h30m, 90s; a bare number is minutes",
    "vat": "value added tax in per cent, on every price",
    "vat_included": "yes when the prices contain it, no when it comes on top",
    "min": "the least that a session costs",
    "max": "the most that a session costs",
    "timezone": "in which times of day are read, Europe/Prague",
    "valid_from": "when it begins, 2026-06-01T00:00:00Z; now when empty",
    "valid_to": "when it ends",
    "document": "a whole tariff as JSON, instead of the prices above",
}
_YES, _NO = {"yes", "on", "true", "1"}, {"no", "off", "false", "0"}
_SPAN = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m(?:in)?)?(?:(\d{1,6})s)?", re.ASCII)


def tariff_from_form(fields: Mapping[str, str], *, currency: str = "EUR", timezone: str = "UTC") -> Tariff:
    """Read a form; empty fields count as absent. Its id and version are empty until it is stored.

    `currency` and `timezone` are the site's, for forms that do not say; the field `timezone` is that of a document that
    names none. Raises TariffInvalid naming the form's field.
    """
    heard = {name: value.strip() for name, value in fields.items() if value.strip()}
    for name in heard:
        if name not in FIELDS:
            raise TariffInvalid(said("%(name)s is not a field of a tariff.", name=repr(name)), field=name)
    if "document" in heard:
        return parse_tariff(heard["document"], timezone=heard.get("timezone", timezone))
    form = _Form(heard, currency)
    document: dict[str, Any] = {
        "name": heard.get("name", ""),
        "asset": form.asset.code,
        "vat_included": form.vat_included,
        "timezone": heard.get("timezone", timezone),
        "elements": [*form.night(), *form.always(), *form.idle()],
        "min_price": form.limit("min"),
        "max_price": form.limit("max"),
        "valid_from": form.instant("valid_from"),
        "valid_to": form.instant("valid_to"),
    }
    if not document["elements"]:
        raise TariffInvalid(said("Say at least one price; a free tariff has an energy price of 0."), field="energy")
    try:
        return parse_tariff(document)
    except TariffInvalid as error:
        field = str(error.fields.get("field"))
        raise TariffInvalid(error.said, field=_FORM_NAMES.get(field.rsplit(".", maxsplit=1)[-1], field)) from None


_FORM_NAMES = {
    "asset": "currency",
    "min_price": "min",
    "max_price": "max",
    "start_time": "night_from",
    "end_time": "night_to",
    "step_size": "energy_step",
}


class _Form:
    """The fields of one form, read into parts of a document."""

    def __init__(self, heard: Mapping[str, str], currency: str) -> None:
        self._said = heard
        code = heard.get("currency", currency).upper()
        try:
            self.asset = known_asset(code)
        except ValueError:
            raise TariffInvalid(
                said("%(code)s is no currency. Use a code like EUR, or BTC.", code=repr(code)), field="currency"
            ) from None
        self._vat_ppm = exact(heard.get("vat", "0").removesuffix("%").strip(), 4, 100, "vat")
        included = heard.get("vat_included", "yes").lower()
        if included not in _YES | _NO:
            raise TariffInvalid(said("Say yes or no."), field="vat_included")
        self.vat_included = included in _YES

    def always(self) -> list[dict[str, Any]]:
        """Return the element of the prices that hold at all times."""
        components = []
        if "flat" in self._said:
            components.append(self._component(Kind.FLAT, self._units("flat"), 1))
        if "energy" in self._said:
            components.append(self._component(Kind.ENERGY, self._units("energy"), self._said.get("energy_step", "1")))
        if "time" in self._said:
            components.append(self._component(Kind.TIME, self._per_hour("time"), 0))
        return [{"components": components}] if components else []

    def night(self) -> list[dict[str, Any]]:
        """Return the element of the night price, before the others so that it wins."""
        if "night_energy" not in self._said:
            return []
        for name in ("night_from", "night_to", "energy"):
            if name not in self._said:
                raise TariffInvalid(said("A night price needs its hours and a price for the day."), field=name)
        step = self._said.get("energy_step", "1")
        component = self._component(Kind.ENERGY, self._units("night_energy"), step)
        hours = {"start_time": self._said["night_from"], "end_time": self._said["night_to"]}
        return [{"components": [component], "restrictions": hours}]

    def idle(self) -> list[dict[str, Any]]:
        """Return the element of the fee for staying without charging."""
        if "idle" not in self._said:
            return []
        component = self._component(Kind.PARKING_TIME, self._per_hour("idle"), 0)
        grace = span_seconds(self._said.get("idle_after", "0"), "idle_after")
        return [{"components": [component], **({"restrictions": {"min_parked": grace}} if grace else {})}]

    def limit(self, name: str) -> dict[str, str] | None:
        """Return a minimum or maximum before and after tax, by the form's one rate of VAT."""
        if name not in self._said:
            return None
        units = self._units(name)
        other = 1_000_000 + self._vat_ppm
        net = units * 1_000_000 // other if self.vat_included else units
        gross = units if self.vat_included else -(-units * other // 1_000_000)
        return {"net": decimal_text(net, self.asset.scale), "gross": decimal_text(gross, self.asset.scale)}

    def instant(self, name: str) -> str | None:
        """Return an instant as text."""
        heard = self._said.get(name)
        return None if heard is None else moment(heard, name).iso()

    def _component(self, kind: Kind, units: int, step: str | int) -> dict[str, Any]:
        return {
            "kind": kind.value,
            "price": decimal_text(units, self.asset.scale),
            "vat": decimal_text(self._vat_ppm, 4),
            "step_size": step,
        }

    def _units(self, name: str) -> int:
        scale = self.asset.scale
        return exact(self._said[name], scale, UNITS_MAX // 10**scale, name, comma=True)

    def _per_hour(self, name: str) -> int:
        heard, slash, unit = self._said[name].partition("/")
        times = {"min": 60, "m": 60, "h": 1, "hour": 1}.get(unit.strip() if slash else "min")
        if times is None:
            raise TariffInvalid(said("Write a price of time like 0.10/min or 6/h."), field=name)
        scale = self.asset.scale
        return times * exact(heard, scale, UNITS_MAX // 10**scale // 60, name, comma=True)


def span_seconds(heard: str, field: str) -> int:
    """Read a span like `15m`, `1h30m` or `90s` as seconds; a bare number is minutes. Raises TariffInvalid."""
    text = heard.replace(" ", "").lower()
    if text.isdecimal() and text.isascii() and len(text) <= 6:  # noqa: PLR2004 (two years)
        return 60 * int(text)
    found = _SPAN.fullmatch(text)
    if found is None or not text:
        raise TariffInvalid(
            said("%(heard)s is no span of time. Write it like 15m or 1h30m.", heard=repr(heard)), field=field
        )
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def form_from_tariff(tariff: Tariff) -> dict[str, str] | None:
    """Return the form that makes this tariff, for editing; None when it says more than a form can."""
    fields = {
        "name": tariff.name,
        "currency": tariff.asset.code,
        "vat_included": "yes" if tariff.vat_included else "no",
        "timezone": tariff.timezone,
    }
    for element in tariff.elements:
        limit = element.restrictions
        if limit.start_minute is not None and limit.end_minute is not None:
            fields["night_from"] = f"{limit.start_minute // 60:02d}:{limit.start_minute % 60:02d}"
            fields["night_to"] = f"{limit.end_minute // 60:02d}:{limit.end_minute % 60:02d}"
        if limit.min_parked_s:
            fields["idle_after"] = f"{limit.min_parked_s}s"
        for component in element.components:
            fields["vat"] = percent(component.vat_ppm).removesuffix(" %")
            fields.update(_prices(component.kind, component.price, component.step_size, tariff, night=limit.calendar))
    for name, price in (("min", tariff.min_price), ("max", tariff.max_price)):
        if price is not None:
            units = price.gross if tariff.vat_included else price.net
            fields[name] = decimal_text(units, tariff.asset.scale)
    for name, instant in (("valid_from", tariff.valid_from), ("valid_to", tariff.valid_to)):
        if instant is not None:
            fields[name] = instant.iso()
    try:
        again = tariff_from_form(fields)
    except TariffInvalid:
        return None
    return fields if _said_by_form(again) == _said_by_form(tariff) else None


def _said_by_form(tariff: Tariff) -> tuple[object, ...]:
    return (tariff.elements, tariff.min_price, tariff.max_price, tariff.valid_from, tariff.valid_to)


def _prices(kind: Kind, price: int, step: int, tariff: Tariff, *, night: bool) -> dict[str, str]:
    text = decimal_text(price, tariff.asset.scale)
    match kind:
        case Kind.ENERGY:
            return {"night_energy" if night else "energy": text, "energy_step": str(step)}
        case Kind.TIME:
            return {"time": f"{text}/h"}
        case Kind.PARKING_TIME:
            return {"idle": f"{text}/h"}
        case _:
            return {"flat": text}
