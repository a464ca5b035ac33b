"""Tariffs and bills as lines for a terminal."""

from __future__ import annotations

from dataclasses import replace

from commonwatt.kernel import Amount, Instant, amount_text
from commonwatt.kit.cli import instant_text, rounded_text, short, table, wrapped
from commonwatt.tariffs import store
from commonwatt.tariffs.model.bill import Bill
from commonwatt.tariffs.model.explain import explain
from commonwatt.tariffs.model.tariff import NONE, Kind, Tariff

_WORDS = {
    Kind.ENERGY: "energy",
    Kind.TIME: "charging time",
    Kind.PARKING_TIME: "staying without charging",
    Kind.FLAT: "session",
    Kind.MINIMUM: "up to the minimum",
    Kind.MAXIMUM: "down to the maximum",
}


def list_text(rows: list[store.Listed]) -> str:
    """Return tariffs as a table."""
    cells = [
        (
            row.name,
            base_price(row.current),
            ", ".join(place_text(place) for place in row.places) or "nowhere",
            short(row.id),
        )
        for row in rows
    ]
    return table(("name", "price", "holds at", "id"), cells)


def show_text(listed: store.Listed) -> str:
    """Return one tariff in words."""
    places = ", ".join(f"{place_text(place)} since {instant_text(place.since)}" for place in listed.places) or "nowhere"
    lines = [f"{listed.name}, {listed.id}", f"Holds at {places}. {listed.versions} version(s)."]
    if listed.retired is not None:
        lines.append(f"Retired {instant_text(listed.retired)}.")
    if listed.current is not None:
        lines.append(indented(listed.current))
    return wrapped("\n".join(lines), indent="    ")


def indented(one: Tariff) -> str:
    """Return the prices, one per line."""
    return "\n".join(f"  {line}" for line in explain(one))


def base_price(one: Tariff | None) -> str:
    """Return the price that holds where no exception does: energy first, and "..." where there is more to know."""
    if one is None:
        return ""
    usual = [element for element in one.elements if element.restrictions == NONE] or list(one.elements)
    prices = [component for element in usual for component in element.components]
    base = next((price for price in prices if price.kind is Kind.ENERGY), prices[0])
    kept = next(element for element in usual if base in element.components)
    alone = replace(
        one, elements=(replace(kept, components=(base,), restrictions=NONE),), min_price=None, max_price=None
    )
    more = " ..." if len(explain(one)) > 1 else ""
    return explain(alone)[0].rstrip(".") + more


def place_text(place: store.Assignment) -> str:
    """Name a place."""
    if not place.station:
        return "the site"
    return f"{place.station}/{place.connector}" if place.connector else place.station


def moment_text(instant: Instant | None) -> str:
    """Write an instant that may be open."""
    return "" if instant is None else instant_text(instant)


def bill_text(bill: Bill) -> str:
    """Return a bill as a table."""
    rows = [
        (_WORDS[line.kind], _quantity(line.kind, line.quantity), amount_text(Amount(bill.asset, line.gross)))
        for line in bill.lines
    ]
    rows.append(("to pay", "", amount_text(Amount(bill.asset, bill.gross))))
    rows.append(("of it VAT", "", rounded_text(Amount(bill.asset, bill.vat))))
    return table(("what", "how much", "costs"), rows, "lrr")


def _quantity(kind: Kind, quantity: int) -> str:
    match kind:
        case Kind.ENERGY:
            return f"{quantity // 1000}.{quantity % 1000:03d} kWh"
        case Kind.TIME | Kind.PARKING_TIME:
            seconds = -(-quantity // 1000)
            return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} h"
        case _:
            return ""
