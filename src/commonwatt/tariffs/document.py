"""A tariff as JSON: how it is stored, exchanged and described by its owner.

Reads our own form and the tariff object of OCPI 2.2.1 alike (`price_components` is `components`, `currency` is
`asset`, and so on). Strict: what is not understood is refused with the place of it, for a price that is silently left
out would be billed wrongly. Numbers may be JSON numbers or decimal strings; they are read exactly, never as floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from commonwatt.kernel import BTC, Asset, Instant, Rounding, divide, is_currency, said
from commonwatt.tariffs.errors import TariffInvalid
from commonwatt.tariffs.model.tariff import PPM, Component, Element, Kind, Price, Restrictions, Tariff
from commonwatt.tariffs.reading import Reader, decimal_text, decode, moment

ELEMENTS_MAX = 50
COMPONENTS_MAX = 8
STEP_MAX_WH = 1_000_000
STEP_MAX_S = 7 * 86_400
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
PRICED = (Kind.ENERGY, Kind.TIME, Kind.PARKING_TIME, Kind.FLAT)
_IGNORED = {
    "id",
    "version",
    "country_code",
    "party_id",
    "type",
    "tariff_alt_text",
    "tariff_alt_url",
    "energy_mix",
    "last_updated",
    "explained",
}
"""Fields of OCPI that say nothing about the price, and what we add ourselves when we show a tariff."""
_NAMES = {
    "currency": "asset",
    "start_date_time": "valid_from",
    "end_date_time": "valid_to",
    "price_components": "components",
    "type": "kind",
    "excl_vat": "net",
    "incl_vat": "gross",
    "day_of_week": "weekdays",
}


def parse_tariff(source: bytes | str | Mapping[str, Any], *, timezone: str = "UTC") -> Tariff:
    """Read a tariff; its id and version are empty until it is stored. Raises TariffInvalid naming the field.

    `timezone` is that of a document that names none: the site's for a new tariff, the tariff's own for a new version.
    No tariff of OCPI 2.2.1 names one, for its times are by the clock of the place (mod_tariffs, TariffRestrictions).
    """
    return _parse(source, timezone, known_asset)


def stored_tariff(source: str) -> Tariff:
    """Read a tariff as `encode_tariff` wrote it, also in a currency that was withdrawn since."""
    return _parse(source, "UTC", Asset.of)


def known_asset(code: str) -> Asset:
    """Return bitcoin or a currency that is in use (ISO 4217): what prices can be set in. Raises ValueError."""
    if code != BTC.code and not is_currency(code):
        msg = f"{code!r} is no currency"
        raise ValueError(msg)
    return Asset.of(code)


def _parse(source: bytes | str | Mapping[str, Any], timezone: str, asset_of: Callable[[str], Asset]) -> Tariff:
    document = decode(source) if isinstance(source, bytes | str) else dict(source)
    top = Reader({name: value for name, value in document.items() if name not in _IGNORED}, "", _NAMES)
    asset = _asset(top, asset_of)
    elements = tuple(_element(element, asset) for element in top.objects("elements", ELEMENTS_MAX))
    if not elements:
        raise TariffInvalid(
            said("A tariff needs at least one element with a price; a free one has a price of 0."), field="elements"
        )
    tariff = Tariff(
        id="",
        version="",
        name=top.text("name", 100, document.get("id", "")),
        asset=asset,
        elements=elements,
        vat_included=_vat_included(top),
        min_price=_price(top, "min_price", asset, elements),
        max_price=_price(top, "max_price", asset, elements),
        valid_from=_instant(top, "valid_from"),
        valid_to=_instant(top, "valid_to"),
        timezone=tariff_zone(top.text("timezone", 64, timezone), top.at("timezone")),
    )
    top.done()
    _check_limits(tariff)
    return tariff


def write_tariff(tariff: Tariff) -> dict[str, Any]:
    """Return the tariff as JSON values, which `parse_tariff` reads back to an equal tariff (without its ids)."""
    scale = tariff.asset.scale
    document: dict[str, Any] = {
        "name": tariff.name,
        "asset": tariff.asset.code,
        "vat_included": tariff.vat_included,
        "timezone": tariff.timezone,
        "elements": [_write_element(element, scale) for element in tariff.elements],
    }
    for name, price in (("min_price", tariff.min_price), ("max_price", tariff.max_price)):
        if price is not None:
            document[name] = {"net": decimal_text(price.net, scale), "gross": decimal_text(price.gross, scale)}
    for name, instant in (("valid_from", tariff.valid_from), ("valid_to", tariff.valid_to)):
        if instant is not None:
            document[name] = instant.iso()
    return document


def _asset(top: Reader, asset_of: Callable[[str], Asset]) -> Asset:
    code = top.text("asset", 3)
    try:
        return asset_of(code)
    except ValueError:
        raise TariffInvalid(
            said("%(code)s is no currency. Use a code like EUR, or BTC.", code=repr(code)), field=top.at("asset")
        ) from None


def _vat_included(top: Reader) -> bool:
    heard = top.take("tax_included")
    if heard not in {None, "YES", "NO", "N/A"}:
        raise TariffInvalid(said("Say YES, NO or N/A."), field=top.at("tax_included"))
    return top.flag("vat_included", default=heard == "YES")


def tariff_zone(zone: str, place: str = "timezone") -> str:
    """Return the name of a zone that exists (IANA). Raises TariffInvalid naming the place."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise TariffInvalid(
            said("%(zone)s is no time zone. Use a name like Europe/Prague.", zone=repr(zone)), field=place
        ) from None
    return zone


def _instant(top: Reader, name: str) -> Instant | None:
    heard = top.take(name)
    return None if heard is None else moment(heard, top.at(name))


def _price(top: Reader, name: str, asset: Asset, elements: tuple[Element, ...]) -> Price | None:
    """Read a minimum or maximum; the amount with VAT may be left out (OCPI 2.2.1, Price.incl_vat).

    Then it follows from the rate of VAT that all prices share. Where they have several rates nobody can tell which one
    is meant, and the document is refused until it says the amount with VAT.
    """
    inner = top.inner(name)
    if inner is None:
        return None
    net = inner.units("net", asset.scale)
    rates = {component.vat_ppm for element in elements for component in element.components if component.price}
    with_vat = divide(net * (PPM + max(rates, default=0)), PPM, Rounding.HALF_EVEN).quotient
    gross = inner.units("gross", asset.scale, with_vat if len(rates) <= 1 else -1)
    if gross < 0:
        raise TariffInvalid(
            said("The prices have several rates of VAT, so say this amount with VAT as well."), field=inner.at("gross")
        )
    inner.done()
    if gross < net:
        raise TariffInvalid(said("The amount with VAT cannot be less than the one without."), field=inner.at("gross"))
    return Price(net, gross)


def _element(reader: Reader, asset: Asset) -> Element:
    components = tuple(_component(each, asset) for each in reader.objects("components", COMPONENTS_MAX))
    if not components:
        raise TariffInvalid(said("An element needs at least one price."), field=reader.at("components"))
    kinds = [component.kind for component in components]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise TariffInvalid(
                said("Two prices of %(kind)s in one element; only the first would ever count. Remove one.", kind=kind),
                field=reader.at("components"),
            )
    restrictions = reader.inner("restrictions")
    element = Element(components, Restrictions() if restrictions is None else _restrictions(restrictions))
    reader.done()
    return element


def _component(reader: Reader, asset: Asset) -> Component:
    heard = reader.text("kind", 20)
    if heard not in PRICED:
        known = ", ".join(PRICED)
        raise TariffInvalid(
            said("%(heard)s cannot be priced; known are %(known)s.", heard=repr(heard), known=known),
            field=reader.at("kind"),
        )
    kind = Kind(heard)
    step_max = STEP_MAX_WH if kind is Kind.ENERGY else STEP_MAX_S
    component = Component(
        kind,
        reader.units("price", asset.scale),
        reader.scaled("vat", 4, 100, 0) or 0,
        reader.whole("step_size", step_max, 1) or 0,
    )
    reader.done()
    return component


def _restrictions(reader: Reader) -> Restrictions:
    if reader.take("reservation") is not None:
        raise TariffInvalid(
            said("Reservations are not priced here. Remove the elements that are restricted to reservations."),
            field=reader.at("reservation"),
        )
    limit = Restrictions(
        start_minute=_minute(reader, "start_time"),
        end_minute=_minute(reader, "end_time"),
        start_date=_date(reader, "start_date"),
        end_date=_date(reader, "end_date"),
        min_wh=reader.scaled("min_kwh", 3, 10**6),
        max_wh=reader.scaled("max_kwh", 3, 10**6),
        min_current_ma=reader.scaled("min_current", 3, 10**6),
        max_current_ma=reader.scaled("max_current", 3, 10**6),
        min_power_w=reader.scaled("min_power", 3, 10**6),
        max_power_w=reader.scaled("max_power", 3, 10**6),
        min_duration_s=reader.whole("min_duration", 10**8),
        max_duration_s=reader.whole("max_duration", 10**8),
        min_parked_s=reader.whole("min_parked", 10**8),
        max_parked_s=reader.whole("max_parked", 10**8),
        weekdays=tuple(sorted(DAYS.index(day) for day in reader.words("weekdays", DAYS))),
    )
    reader.done()
    _check_order(limit, reader)
    return limit


def _minute(reader: Reader, name: str) -> int | None:
    heard = reader.take(name)
    if heard is None:
        return None
    hours, colon, minutes = heard.partition(":") if isinstance(heard, str) else ("", "", "")
    digits = hours.isdecimal() and minutes.isdecimal() and (hours + minutes).isascii()
    if not colon or not digits or (len(hours), len(minutes)) != (2, 2) or int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004
        raise TariffInvalid(
            said("%(heard)s is no time of day. Write it like 09:30.", heard=repr(heard)), field=reader.at(name)
        )
    return 60 * int(hours) + int(minutes)


def _date(reader: Reader, name: str) -> date | None:
    heard = reader.take(name)
    if heard is None:
        return None
    try:
        return date.fromisoformat(heard)
    except (TypeError, ValueError):
        raise TariffInvalid(
            said("%(heard)s is no date. Write it like 2026-05-01.", heard=repr(heard)), field=reader.at(name)
        ) from None


def _check_order(limit: Restrictions, reader: Reader) -> None:
    """Refuse restrictions that can never hold."""
    if limit.start_minute is not None and limit.start_minute == limit.end_minute != 0:
        raise TariffInvalid(said("It starts and ends at the same time of day."), field=reader.at("end_time"))
    if limit.start_date is not None and limit.end_date is not None and limit.start_date >= limit.end_date:
        raise TariffInvalid(
            said("It ends before it starts; the end date is not part of it."), field=reader.at("end_date")
        )
    pairs = (
        ("kwh", limit.min_wh, limit.max_wh),
        ("current", limit.min_current_ma, limit.max_current_ma),
        ("power", limit.min_power_w, limit.max_power_w),
        ("duration", limit.min_duration_s, limit.max_duration_s),
        ("parked", limit.min_parked_s, limit.max_parked_s),
    )
    for name, low, high in pairs:
        if high is not None and high <= (low or 0):
            raise TariffInvalid(
                said("The upper bound must be above the lower one, else this price never holds."),
                field=reader.at(f"max_{name}"),
            )


def _check_limits(tariff: Tariff) -> None:
    low, high = tariff.min_price, tariff.max_price
    if low is not None and high is not None and (low.net > high.net or low.gross > high.gross):
        raise TariffInvalid(said("The least that a session costs is more than the most."), field="max_price")
    if tariff.valid_from is not None and tariff.valid_to is not None and tariff.valid_from >= tariff.valid_to:
        raise TariffInvalid(said("It ends before it begins."), field="valid_to")


def _write_element(element: Element, scale: int) -> dict[str, Any]:
    components = [
        {
            "kind": component.kind.value,
            "price": decimal_text(component.price, scale),
            "vat": decimal_text(component.vat_ppm, 4),
            "step_size": component.step_size,
        }
        for component in element.components
    ]
    limit = element.restrictions
    written: dict[str, Any] = {
        "start_time": _clock(limit.start_minute),
        "end_time": _clock(limit.end_minute),
        "start_date": None if limit.start_date is None else limit.start_date.isoformat(),
        "end_date": None if limit.end_date is None else limit.end_date.isoformat(),
        "min_kwh": _thousandth(limit.min_wh),
        "max_kwh": _thousandth(limit.max_wh),
        "min_current": _thousandth(limit.min_current_ma),
        "max_current": _thousandth(limit.max_current_ma),
        "min_power": _thousandth(limit.min_power_w),
        "max_power": _thousandth(limit.max_power_w),
        "min_duration": limit.min_duration_s,
        "max_duration": limit.max_duration_s,
        "min_parked": limit.min_parked_s,
        "max_parked": limit.max_parked_s,
        "weekdays": [DAYS[day] for day in limit.weekdays] or None,
    }
    restrictions = {name: value for name, value in written.items() if value is not None}
    return {"components": components, **({"restrictions": restrictions} if restrictions else {})}


def _clock(minute: int | None) -> str | None:
    return None if minute is None else f"{minute // 60:02d}:{minute % 60:02d}"


def _thousandth(value: int | None) -> str | None:
    return None if value is None else decimal_text(value, 3)


def encode_tariff(tariff: Tariff) -> str:
    """Return the document as JSON text, the same for equal tariffs."""
    return msgspec.json.encode(write_tariff(tariff)).decode()
