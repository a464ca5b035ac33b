"""A tariff in words: what a driver reads before paying and an owner before saving."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from commonwatt.kernel import Asset
from commonwatt.tariffs.model.tariff import Component, Element, Kind, Restrictions, Tariff

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SUBJECTS = {
    Kind.ENERGY: "per kWh",
    Kind.TIME: "per hour of charging",
    Kind.PARKING_TIME: "per hour connected without charging",
    Kind.FLAT: "per session",
}


def explain(tariff: Tariff) -> list[str]:
    """Return one line per price, in the order in which they are looked up, then the tariff's minimum and maximum."""
    lines = [_component(component, element, tariff) for element in tariff.elements for component in element.components]
    if any(element.restrictions.calendar for element in tariff.elements):
        lines.append(f"Times are local to {tariff.timezone}.")
    for word, price in (("At least", tariff.min_price), ("At most", tariff.max_price)):
        if price is not None:
            included = "" if price.net == price.gross else f", {money(price.net, tariff.asset)} before VAT"
            lines.append(f"{word} {money(price.gross, tariff.asset)} per session{included}.")
    return lines


def money(units: int, asset: Asset) -> str:
    """Write units as people read them: `0.45 EUR`, or whole and broken sats for bitcoin; nothing is rounded off."""
    scale, code = (3, "sat") if asset.code == "BTC" else (asset.scale, asset.code)
    sign = "\N{MINUS SIGN}" if units < 0 else ""
    whole, rest = divmod(abs(units), 10**scale)
    decimals = f"{rest:0{scale}d}".rstrip("0") if scale else ""
    if code not in {"sat", "WH"}:
        decimals = decimals.ljust(2, "0")
    return f"{sign}{whole}{'.' if decimals else ''}{decimals} {code}"


def _component(component: Component, element: Element, tariff: Tariff) -> str:
    if not component.price:
        head = f"Free {_SUBJECTS[component.kind]}"
    else:
        head = f"{money(component.price, tariff.asset)} {_SUBJECTS[component.kind]}"
        if component.vat_ppm:
            rate = percent(component.vat_ppm)
            head += f", {rate} VAT included" if tariff.vat_included else f" plus {rate} VAT"
    parts = [head, *_step(component), *_conditions(element.restrictions)]
    return ", ".join(parts) + "."


def percent(ppm: int) -> str:
    """Write millionths as per cent without needless zeros: `20 %`, `5.2 %`."""
    whole, rest = divmod(ppm, 10_000)
    decimals = f"{rest:04d}".rstrip("0")
    return f"{whole}{'.' if decimals else ''}{decimals} %"


def _step(component: Component) -> Iterator[str]:
    if component.step_size > 1 and component.price:
        match component.kind:
            case Kind.ENERGY:
                yield f"in blocks of {_kwh(component.step_size)}"
            case Kind.TIME | Kind.PARKING_TIME:
                yield f"in blocks of {span(component.step_size)}"
            case _:
                return


def _conditions(limit: Restrictions) -> Iterator[str]:
    if limit.start_minute is not None or limit.end_minute is not None:
        yield f"from {_clock(limit.start_minute or 0)} to {_clock(limit.end_minute or 1440)}"
    if limit.weekdays:
        yield "on " + ", ".join(DAYS[day] for day in limit.weekdays)
    if limit.start_date is not None:
        yield f"from {limit.start_date.isoformat()}"
    if limit.end_date is not None:
        yield f"before {limit.end_date.isoformat()}"
    yield from _between(limit.min_wh, limit.max_wh, _kwh, "from {} on", "for the first {}", "from {} to {}")
    yield from _between(
        limit.min_power_w, limit.max_power_w, _kw, "at {} and more", "below {}", "at {} and more but below {}"
    )
    yield from _between(
        limit.min_current_ma, limit.max_current_ma, _ampere, "at {} and more", "below {}", "at {} and more but below {}"
    )
    yield from _between(
        limit.min_duration_s,
        limit.max_duration_s,
        span,
        "from {} after the start",
        "in the first {}",
        "from {} to {} after the start",
    )
    yield from _between(
        limit.min_parked_s,
        limit.max_parked_s,
        span,
        "after {} without charging",
        "in the first {} without charging",
        "after {} and before {} without charging",
    )


def _between(
    low: int | None, high: int | None, write: Callable[[int], str], only_low: str, only_high: str, both: str
) -> Iterator[str]:
    if low and high is not None:
        yield both.format(write(low), write(high))
    elif low:
        yield only_low.format(write(low))
    elif high is not None:
        yield only_high.format(write(high))


def span(seconds: int) -> str:
    """Write a span of time in the largest units that come out whole: `1 h 30 min`, `90 s`."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "min"), (left, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _thousandths(value: int, unit: str) -> str:
    whole, rest = divmod(value, 1000)
    decimals = f"{rest:03d}".rstrip("0")
    return f"{whole}{'.' if decimals else ''}{decimals} {unit}"


def _kwh(value: int) -> str:
    return f"{value} Wh" if value < 100 else _thousandths(value, "kWh")  # noqa: PLR2004 (below 0.1 kWh)


def _kw(value: int) -> str:
    return _thousandths(value, "kW")


def _ampere(value: int) -> str:
    return _thousandths(value, "A")
