"""Tariffs and bills as lines for a terminal."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import NamedTuple

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
            "retired" if row.retired else ", ".join(place_text(place) for place in row.places) or "nowhere",
            short(row.id),
        )
        for row in rows
    ]
    return table(("name", "price", "holds at", "id"), cells)


def show_text(listed: store.Listed) -> str:
    """Return one tariff in words."""
    versions = "1 version" if listed.versions == 1 else f"{listed.versions} versions"
    lines = [f"{listed.name}, {listed.id}, {versions}"]
    if listed.retired is not None:
        lines.append(f"Retired {instant_text(listed.retired)}.")
    elif listed.places:
        places = ", ".join(f"{place_text(place)} from {instant_text(place.since)} on" for place in listed.places)
        lines.append(f"Holds at {places}.")
    else:
        lines.append(f"It holds nowhere yet; `commonwatt tariff assign {shlex.quote(listed.name)}` changes that.")
    if listed.current is not None:
        lines.append(indented(listed.current))
    return wrapped("\n".join(lines), indent="    ")


class Span(NamedTuple):
    """That a version holds from an instant on, until another one; None has no end."""

    version: store.Version
    begins: Instant
    ends: Instant | None


def spans_of(versions: list[store.Version]) -> list[Span]:
    """Return when each version holds, the latest first: by the rule of `store.version_at`, who began last wins.

    A version comes twice where one that ends lay over it. One that another replaces before it begins ends as it begins.
    """
    turns = sorted({turn for one in versions for turn in (_begin(one), one.tariff.valid_to) if turn is not None})
    spans: list[Span] = []
    for begins, ends in zip(turns, [*turns[1:], None], strict=True):
        held = [one for one in versions if _begin(one) <= begins and not _over(one, begins)]
        if not held:
            continue
        last = max(held, key=lambda one: (_begin(one), one.number))
        if spans and spans[-1].version is last and spans[-1].ends == begins:
            spans[-1] = spans[-1]._replace(ends=ends)
        else:
            spans.append(Span(last, begins, ends))
    never = [one for one in versions if one not in [span.version for span in spans]]
    spans += [Span(one, _begin(one), _begin(one)) for one in never]
    return sorted(spans, key=lambda span: (span.begins, span.version.number), reverse=True)


def _begin(version: store.Version) -> Instant:
    return version.tariff.valid_from or version.made


def _over(version: store.Version, at: Instant) -> bool:
    return version.tariff.valid_to is not None and version.tariff.valid_to <= at


def history_text(versions: list[store.Version]) -> str:
    """Return when each version held and holds, as a table, the latest first."""
    rows = [
        (
            str(span.version.number),
            moment_text(span.begins),
            "never held" if span.begins == span.ends else moment_text(span.ends),
            span.version.made_by,
            base_price(span.version.tariff),
        )
        for span in spans_of(versions)
    ]
    return table(("no", "from", "to", "made by", "price"), rows, "rllll")


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
