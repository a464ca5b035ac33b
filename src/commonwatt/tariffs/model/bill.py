"""What a tally costs: lines per component, blocks rounded up once per dimension, tax, minimum and maximum.

Blocks (`step_size`) are taken as OCPI 2.2.1 says (mod_cdrs, step_size): once for the session's total energy, and once
for its time. The block of the component that counted last is used, and what it adds is billed at that component's
price. Where a session has paid parking, only the parking is rounded, for the charging before it is followed by
another period that is billed by time.
"""

from __future__ import annotations

from dataclasses import dataclass

from commonwatt.kernel import Asset, Instant, Rounding, divide
from commonwatt.tariffs.model.tally import Tally, advance, open_tally
from commonwatt.tariffs.model.tariff import DIVISORS, MS_PER_HOUR, PPM, WH_PER_KWH, Component, Kind, Tariff

ROUNDING = Rounding.HALF_EVEN
"""Of a line's price to a whole unit, and of the tax in it."""
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Line:
    """One component's share of a bill, or (`element` -1) what a minimum adds or a maximum takes off."""

    kind: Kind
    element: int
    used: int
    """What was measured: Wh, ms, or 1."""
    quantity: int
    """What is billed after blocks: Wh, ms, or 1."""
    unit_price: int
    """Per kWh, per hour, or flat; contains tax when the tariff's prices do."""
    vat_ppm: int
    net: int
    vat: int
    remainder: int = 0
    """What rounding took from the line, in 1/3,600,000 of a unit; negative when it gave."""

    @property
    def gross(self) -> int:
        """What is paid, in units."""
        return self.net + self.vat


@dataclass(frozen=True, slots=True)
class Bill:
    """What is due, in units of the asset; the lines always add up to the totals."""

    asset: Asset
    lines: tuple[Line, ...]
    net: int
    vat: int
    remainder: int
    """Sum of the lines' remainders, in 1/3,600,000 of a unit."""

    @property
    def gross(self) -> int:
        """What is paid, in units."""
        return self.net + self.vat


def bill(tariff: Tariff, tally: Tally) -> Bill:
    """Price a tally. Raises ValueError when it was counted under another version."""
    if tally.version != tariff.version:
        msg = f"a tally of version {tally.version} cannot be billed by version {tariff.version}"
        raise ValueError(msg)
    plan = tariff.plan
    billed = in_blocks(tariff, tally)
    lines = [
        _line(component, plan.elements[number], tally.quantities[number], billed[number], included=tariff.vat_included)
        for number, component in enumerate(plan.components)
        if billed[number]
    ]
    net, vat = sum(line.net for line in lines), sum(line.vat for line in lines)
    wanted_net, wanted_gross = _adjust(tariff, net, net + vat)
    more_net, more_vat = wanted_net - net, wanted_gross - wanted_net - vat
    if more_net or more_vat:
        kind = Kind.MINIMUM if more_net + more_vat > 0 else Kind.MAXIMUM
        price = more_net + more_vat if tariff.vat_included else more_net
        lines.append(Line(kind, -1, 1, 1, price, 0, more_net, more_vat))
        net, vat = net + more_net, vat + more_vat
    return Bill(tariff.asset, tuple(lines), net, vat, sum(line.remainder for line in lines))


def cost(tariff: Tariff, tally: Tally) -> int:
    """Return what the bill's `gross` would be, quickly: for every sample."""
    billed = in_blocks(tariff, tally)
    free = tariff.min_price is None and tariff.max_price is None
    if free and tariff.vat_included:
        used = zip(tariff.plan.components, billed, strict=True)
        return sum([divide(one.price * quantity, DIVISORS[one.kind], ROUNDING).quotient for one, quantity in used])
    net = gross = 0
    for component, quantity in zip(tariff.plan.components, billed, strict=True):
        if quantity and component.price:
            line_net, line_vat, _ = _priced(component, quantity, included=tariff.vat_included)
            net += line_net
            gross += line_net + line_vat
    return gross if free else _adjust(tariff, net, gross)[1]


def rise_max(tariff: Tariff, energy_wh: int, seconds: int) -> int:
    """Return what so much more energy and time can at most add to the cost, whatever comes to hold: far quicker.

    Never less than the difference of two `cost`s; much more where elements or blocks differ in price.
    """
    rise = tariff.plan.rise
    return -(-rise.per_kwh * energy_wh // WH_PER_KWH) - (-rise.per_hour * seconds // SECONDS_PER_HOUR) + rise.flat


def preview(tariff: Tariff, energy_wh: int, duration_s: int, parked_s: int, start: Instant) -> Bill:
    """Price so much energy in so many seconds of even charging, then so many parked, from a start: before paying."""
    tally = open_tally(tariff, start)
    tally = advance(tariff, tally, start.plus(seconds=duration_s), energy_wh, None, charging=True)
    tally = advance(tariff, tally, start.plus(seconds=duration_s + parked_s), energy_wh, 0, charging=False)
    return bill(tariff, tally)


def in_blocks(tariff: Tariff, tally: Tally) -> list[int]:
    """Return the quantities that are billed, per component: what was used, and what the blocks add to the last."""
    quantities = list(tally.quantities)
    components = tariff.plan.components
    last = tally.last_energy
    if last >= 0 and components[last].step_size > 1:
        quantities[last] += -_of_its_kind(tariff, quantities, last) % components[last].step_size
    last = tally.last_parking if tally.last_parking >= 0 else tally.last_time
    if last >= 0 and components[last].step_size:
        quantities[last] += -_of_its_kind(tariff, quantities, last) % (1000 * components[last].step_size)
    return quantities


def _of_its_kind(tariff: Tariff, quantities: list[int], number: int) -> int:
    """Return what was used of a component's kind, under all elements."""
    if tariff.plan.plain is not None:
        return quantities[number]  # nothing is restricted, so no other of its kind ever counts
    components = tariff.plan.components
    kind = components[number].kind
    return sum(quantities[n] for n, c in enumerate(components) if c.kind is kind)


def _priced(component: Component, quantity: int, *, included: bool) -> tuple[int, int, int]:
    """Return net, tax, and the remainder in 1/3,600,000 of a unit."""
    divisor = DIVISORS[component.kind]
    priced, rest = divide(component.price * quantity, divisor, ROUNDING)
    remainder = rest * (MS_PER_HOUR // divisor)
    if not component.vat_ppm:
        return priced, 0, remainder
    if included:
        net = divide(priced * PPM, PPM + component.vat_ppm, ROUNDING).quotient
        return net, priced - net, remainder
    return priced, divide(priced * component.vat_ppm, PPM, ROUNDING).quotient, remainder


def _line(component: Component, element: int, used: int, quantity: int, *, included: bool) -> Line:
    net, vat, rest = _priced(component, quantity, included=included)
    return Line(component.kind, element, used, quantity, component.price, component.vat_ppm, net, vat, rest)


def _adjust(tariff: Tariff, net: int, gross: int) -> tuple[int, int]:
    """Apply minimum and maximum, each before and after tax (OCPI 2.2.1, Tariff: min_price, max_price).

    Both sides of each are known here: `document` completes one that was told without tax.
    """
    if (low := tariff.min_price) is not None:
        net, gross = max(net, low.net), max(gross, low.gross)
    if (high := tariff.max_price) is not None:
        net, gross = min(net, high.net), min(gross, high.gross)
    return net, max(net, gross)
