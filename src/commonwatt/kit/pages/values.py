"""How values read: fiat first, units after a thin space, a dash with its reason for the unknown, never a false zero.

Every filter returns text that is safe in HTML, with the exact value on hover; the `*_text` functions return plain text
for titles, CSV headings and the terminal. Numbers are written by the page's language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date as calendar_date
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal, get_currency_precision
from markupsafe import Markup

from commonwatt.kernel import BTC, Amount, Asset, Instant
from commonwatt.kernel.quantity import Quantity
from commonwatt.kit.pages.page import current_page

THIN = "\u202f"
MINUS = "\u2212"
DASH = "\u2014"
MSAT_PER_SAT = 1000
DAY_MS = 86_400_000
WHOLE_SATS_FROM = 10


def _(text: str) -> str:
    """Mark a text for the catalogs; it is translated where it is shown."""
    return text


def locale_of(language: str) -> str:
    """Return the locale that writes numbers and times of a language: English is Britain's, with a clock of 24 hours."""
    return {"en": "en_GB"}.get(language, language)


def number_text(value: Decimal | int, digits: int | None = None) -> str:
    """Write a number by the page's language with a true minus; with `digits`, exactly so many decimals."""
    pattern = "#,##0" if digits == 0 else None if digits is None else "#,##0." + "0" * digits
    locale = locale_of(current_page().language)
    text = format_decimal(value, format=pattern, locale=locale, decimal_quantization=digits is not None)
    return text.replace("-", MINUS)


def significant(value: Decimal, digits: int = 3) -> Decimal:
    """Round to so many significant digits, but never a whole part."""
    if not value:
        return Decimal(0)
    places = max(0, digits - 1 - value.adjusted())
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


def of_units(amount: Amount) -> Decimal:
    """Return an amount in the unit that people say."""
    return Decimal(amount.units).scaleb(-amount.asset.scale)


def money_text(amount: Amount) -> str:
    """Write an amount: fiat with its currency's decimals (more where it would read as zero), bitcoin in sats."""
    if amount.asset.code == "BTC":
        return sats_text(amount)
    if amount.asset.code == "WH":
        return energy_text(amount.units)
    value = of_units(amount)
    digits = get_currency_precision(amount.asset.code)
    if value and abs(value) < Decimal(1).scaleb(-digits):
        digits = min(amount.asset.scale, -value.adjusted() + 1)
    return f"{number_text(value, digits)}\u00a0{amount.asset.code}"


def sats_text(amount: Amount) -> str:
    """Write bitcoin in sats, whole from ten on; the books have it to the msat."""
    sats = Decimal(amount.units).scaleb(-3)
    if abs(sats) >= WHOLE_SATS_FROM or sats == sats.to_integral_value():
        return f"{number_text(sats.quantize(Decimal(1)), 0)}\u00a0sats"
    return f"{number_text(sats.normalize())}\u00a0sats"


def booked_text(amount: Amount) -> str:
    """Write an amount as the books have it, so that a column visibly adds up: to the msat, the last unit, the Wh."""
    if amount.asset.code == "BTC":
        digits = 3 if amount.units % MSAT_PER_SAT else 0
        return f"{number_text(Decimal(amount.units).scaleb(-3), digits)}\u00a0sats"
    if amount.asset.code == "WH":
        return f"{number_text(amount.units, 0)}\u00a0Wh"
    own = get_currency_precision(amount.asset.code)
    digits = amount.asset.scale if amount.units % 10 ** (amount.asset.scale - own) else own
    return f"{number_text(of_units(amount), digits)}\u00a0{amount.asset.code}"


def _fiat_text(value: Decimal, code: str) -> str:
    """Write a price with all the decimals it has, at least the currency's."""
    exponent = value.normalize().as_tuple().exponent
    own = -exponent if isinstance(exponent, int) else 0
    return f"{number_text(value, max(own, get_currency_precision(code)))}\u00a0{code}"


def booked(amount: Amount | None, why: str = "") -> Markup:
    """Show an amount of the journal or a balance without any rounding."""
    if amount is None:
        return unknown(why)
    kind = "amount negative" if amount.units < 0 else "amount"
    return Markup('<span class="{}" title="{}">{}</span>').format(kind, exact_text(amount), booked_text(amount))


def exact_text(amount: Amount) -> str:
    """Write an amount to its last unit."""
    if amount.asset.code == "BTC":
        return f"{number_text(amount.units, 0)} msat"
    return f"{number_text(of_units(amount), amount.asset.scale)} {amount.asset.code}"


def money(amount: Amount | None, sats: Amount | None = None, why: str = "", *, to_msat: bool = False) -> Markup:
    """Show an amount, with the sats that moved beside it, the exact values on hover.

    `to_msat` writes sats with all that they have, so that a column of them adds up on paper too.
    """
    if amount is None:
        return unknown(why)
    title = exact_text(amount) if sats is None else f"{exact_text(amount)} {DASH} {exact_text(sats)}"
    kind = "amount negative" if amount.units < 0 else "amount"
    in_sats = booked_text if to_msat else sats_text
    text = in_sats(amount) if amount.asset.code == "BTC" else money_text(amount)
    shown = Markup('<span class="{}" title="{}">{}').format(kind, title, text)
    beside = Markup(' <span class="sats">{}</span>').format(in_sats(sats)) if sats is not None else Markup()
    return shown + beside + Markup("</span>")


def price(amount: Amount | None, unit: str = "", why: str = "") -> Markup:
    """Show a price: as many decimals as it has, at least its currency's; `unit` is what it is for, as `kWh`."""
    if amount is None:
        return unknown(why)
    text = sats_text(amount) if amount.asset.code == "BTC" else _fiat_text(of_units(amount), amount.asset.code)
    return Markup('<span class="amount">{}</span>').format(f"{text}/{unit}" if unit else text)


def _whole(value: int | Quantity) -> int:
    return value.value if isinstance(value, Quantity) else value


def _scaled_text(value: int, small: str, steps: tuple[tuple[int, str], ...]) -> str:
    """Write with the largest unit that fits; three significant digits above the small unit."""
    for size, unit in steps:
        if abs(value) >= size:
            return f"{_significant_text(Decimal(value) / _of(unit))}{THIN}{unit}"
    return f"{number_text(value, 0)}{THIN}{small}"


def _significant_text(value: Decimal) -> str:
    exponent = significant(value).as_tuple().exponent
    return number_text(significant(value), -exponent if isinstance(exponent, int) else 0)


def _of(unit: str) -> int:
    return {"k": 1000, "M": 1_000_000}[unit[0]]


def energy_text(wh: int | Quantity) -> str:
    """Write energy: kWh with three significant digits, Wh below 0.1 kWh, MWh from 1,000 kWh on."""
    value = _whole(wh)
    if value == 0:
        return f"0{THIN}kWh"
    return _scaled_text(value, "Wh", ((1_000_000, "MWh"), (100, "kWh")))


def power_text(watts: int | Quantity) -> str:
    """Write power: kW with three significant digits, W below 0.1 kW."""
    value = _whole(watts)
    if value == 0:
        return f"0{THIN}kW"
    return _scaled_text(value, "W", ((1_000_000, "MW"), (100, "kW")))


def energy(wh: int | Quantity | None, why: str = "") -> Markup:
    """Show energy, the exact Wh on hover."""
    if wh is None:
        return unknown(why)
    title = f"{number_text(_whole(wh), 0)} Wh"
    return Markup('<data value="{}" title="{}" class="nowrap">{}</data>').format(_whole(wh), title, energy_text(wh))


def meter(wh: int | Quantity | None, why: str = "") -> Markup:
    """Show a register as its display does: kWh with all three decimals."""
    if wh is None:
        return unknown(why)
    return Markup('<span class="nowrap">{}</span>').format(f"{number_text(Decimal(_whole(wh)).scaleb(-3), 3)}{THIN}kWh")


def power(watts: int | Quantity | None, why: str = "") -> Markup:
    """Show power, the exact W on hover."""
    if watts is None:
        return unknown(why)
    title = f"{number_text(_whole(watts), 0)} W"
    return Markup('<data value="{}" title="{}" class="nowrap">{}</data>').format(
        _whole(watts), title, power_text(watts)
    )


def instant_text(moment: Instant) -> str:
    """Write an instant: relative within the day, else date and time in the site's zone."""
    page = current_page()
    delta = moment.since(page.now)
    if abs(delta) < 1000:  # noqa: PLR2004 (milliseconds in a second)
        return page.text(_("now"))
    if abs(delta) < DAY_MS:
        seconds = timedelta(milliseconds=delta)
        text = format_timedelta(seconds, add_direction=True, format="short", locale=locale_of(page.language))
        return _SHORT.sub(lambda found: _UNITS[found[1]], text)
    return date_text(moment)


_SHORT = re.compile(r"\b(min|sec|hr)s?\b\.?")
_UNITS = {"min": "min", "sec": "s", "hr": "h"}


def date_text(moment: Instant) -> str:
    """Write date and time in the site's zone."""
    page = current_page()
    return format_datetime(moment.utc(), "medium", tzinfo=page.zone, locale=locale_of(page.language))


def clock_text(moment: Instant) -> str:
    """Write the hour and minute in the site's zone."""
    page = current_page()
    return format_time(moment.utc(), "short", tzinfo=page.zone, locale=locale_of(page.language))


def since_text(moment: Instant) -> str:
    """Write when something began, to stand after a word such as `since`: the clock today, date and time before."""
    zone = current_page().zone
    today = current_page().now.utc().astimezone(zone).date()
    return clock_text(moment) if moment.utc().astimezone(zone).date() == today else date_text(moment)


def _time(moment: Instant, text: str, mark: str | Markup = "") -> Markup:
    zone = current_page().site.timezone
    local: datetime = moment.utc().astimezone(current_page().zone)
    title = local.isoformat(sep=" ", timespec="seconds")
    return Markup('<time datetime="{}" title="{}" data-zone="{}"{}>{}</time>').format(
        moment.iso(), title, zone, mark, text
    )


def moment_of(value: Instant | int) -> Instant:
    """Return an instant, also of milliseconds as rows have them."""
    return Instant(value) if isinstance(value, int) else value


def instant(moment: Instant | int | None, why: str = "") -> Markup:
    """Show an instant; it stays true while the page is open, ISO on hover."""
    if moment is None:
        return unknown(why)
    moment = moment_of(moment)
    near = abs(moment.since(current_page().now)) < DAY_MS
    return _time(moment, instant_text(moment), Markup(" data-relative") if near else "")


def date(moment: Instant | int | None, why: str = "") -> Markup:
    """Show date and time, never relative: for receipts and journals."""
    return unknown(why) if moment is None else _time(moment_of(moment), date_text(moment_of(moment)))


def since(moment: Instant | int | None, why: str = "") -> Markup:
    """Show when something began, to stand after a word such as `since`."""
    return unknown(why) if moment is None else _time(moment_of(moment), since_text(moment_of(moment)))


def clock(moment: Instant | int | None, why: str = "") -> Markup:
    """Show hour and minute."""
    return unknown(why) if moment is None else _time(moment_of(moment), clock_text(moment_of(moment)))


def countdown(moment: Instant) -> Markup:
    """Show the time left until an instant, counting down where there is script."""
    return _time(moment, clock_text(moment), Markup(" data-countdown"))


def elapsed(moment: Instant) -> Markup:
    """Show the time since an instant, counting on where there is script."""
    seconds = max(0, current_page().now.since(moment) // 1000)
    return _time(moment, duration_text(seconds), Markup(" data-elapsed"))


def duration_text(seconds: int | Quantity) -> str:
    """Write a span: `42 s`, `12 min`, `1 h 05 min`, `3 d 4 h`."""
    total = _whole(seconds)
    if abs(total) < 60:  # noqa: PLR2004 (seconds in a minute)
        return f"{total}{THIN}s"
    minutes = (total + 30) // 60
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes}{THIN}min"
    days, rest = divmod(hours, 24)
    if days:
        return f"{days}{THIN}d {rest}{THIN}h" if rest else f"{days}{THIN}d"
    return f"{hours}{THIN}h {minutes:02d}{THIN}min" if minutes else f"{hours}{THIN}h"


def duration(seconds: int | Quantity | None, why: str = "") -> Markup:
    """Show a span of time."""
    if seconds is None:
        return unknown(why)
    return Markup('<span class="nowrap">{}</span>').format(duration_text(seconds))


def milliseconds(value: int | None, why: str = "") -> Markup:
    """Show a short span: `23 ms`, from one second on `1.2 s`; negative with a true minus."""
    if value is None:
        return unknown(why)
    if abs(value) < 1000:  # noqa: PLR2004 (milliseconds in a second)
        text = f"{number_text(value, 0)}{THIN}ms"
    else:
        text = f"{number_text(Decimal(value).scaleb(-3), 1)}{THIN}s"
    return Markup('<span class="nowrap">{}</span>').format(text)


def percent(part: int | None, of: int = 100, why: str = "") -> Markup:
    """Show a share of a whole in whole percent; what is not zero never reads as zero, what is not all never as all."""
    if part is None or of == 0:
        return unknown(why)
    share = Decimal(100 * part) / of
    if 0 < share < 1:
        text = f"<{THIN}1{THIN}%"
    else:
        rounded = 99 if 99 < share < 100 else share.quantize(Decimal(1))  # noqa: PLR2004
        text = f"{number_text(rounded, 0)}{THIN}%"
    return Markup('<span class="nowrap">{}</span>').format(text)


def count(value: int | None, why: str = "") -> Markup:
    """Show a whole number with the language's separators."""
    return unknown(why) if value is None else Markup("{}").format(number_text(value, 0))


def day_text(day: calendar_date) -> str:
    """Write a calendar day."""
    return format_date(day, "medium", locale=locale_of(current_page().language))


def units(number: int, code: str) -> Amount:
    """Return so many units of an asset, for rows that keep the two apart."""
    return Amount(Asset.of(code), number)


def msat(number: int) -> Amount:
    """Return so many msat of bitcoin."""
    return Amount(BTC, number)


def extract_from(place: int, items: Sequence[Any]) -> Any:
    """Return the item at a place: `places|map("extract_from", names)`."""
    return items[place]


def unknown(why: str = "") -> Markup:
    """Show that something is not known, and why: never a zero."""
    reason = why or current_page().text(_("not known"))
    return Markup('<span class="unknown" title="{0}">{1}<span class="why"> {0}</span></span>').format(reason, DASH)


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "money_text": money_text,
    "sats": lambda amount: Markup('<span class="amount" title="{}">{}</span>').format(
        exact_text(amount), sats_text(amount)
    ),
    "booked": booked,
    "booked_text": booked_text,
    "price": price,
    "energy": energy,
    "energy_text": energy_text,
    "meter": meter,
    "power": power,
    "power_text": power_text,
    "instant": instant,
    "date": date,
    "since": since,
    "since_text": since_text,
    "clock": clock,
    "countdown": countdown,
    "elapsed": elapsed,
    "duration": duration,
    "duration_text": duration_text,
    "milliseconds": milliseconds,
    "percent": percent,
    "count": count,
    "day": day_text,
    "twice": lambda value: (value, value),
    "extract_from": extract_from,
    "unknown": lambda value, why="": unknown(why) if value is None else value,
}
