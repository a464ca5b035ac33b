"""Tariffs, bills and rates as JSON values, the same for the API and the command line."""

from __future__ import annotations

from typing import Any

from commonwatt.kernel import BTC, Amount, Asset, Rounding
from commonwatt.tariffs.document import write_tariff
from commonwatt.tariffs.model.bill import Bill, Line
from commonwatt.tariffs.model.explain import explain
from commonwatt.tariffs.model.rate import Rate, fiat_to_msat
from commonwatt.tariffs.model.tariff import Kind, Tariff
from commonwatt.tariffs.store import Assignment, Listed, Version

_UNITS = {Kind.ENERGY: "Wh", Kind.TIME: "ms", Kind.PARKING_TIME: "ms"}


def show_version(tariff: Tariff) -> dict[str, Any]:
    """Show one version: its ids, its document, and what it says in words."""
    return {"id": tariff.id, "version": tariff.version, **write_tariff(tariff), "explained": explain(tariff)}


def show_listed(listed: Listed) -> dict[str, Any]:
    """Show a tariff: its version in force, and where it holds."""
    return {
        "id": listed.id,
        "name": listed.name,
        "retired": listed.retired,
        "versions": listed.versions,
        "current": None if listed.current is None else show_version(listed.current),
        "assigned": [show_assignment(place) for place in listed.places],
    }


def show_history(version: Version) -> dict[str, Any]:
    """Show a version with its number, and who made it when."""
    return {"number": version.number, "made": version.made, "made_by": version.made_by, **show_version(version.tariff)}


def show_assignment(place: Assignment) -> dict[str, Any]:
    """Show an assignment; an empty station is the site, connector 0 the whole station."""
    return {
        "tariff_id": place.tariff_id,
        "station": place.station or None,
        "connector": place.connector or None,
        "since": place.since,
        "made": place.made,
        "made_by": place.made_by,
    }


def show_bill(bill: Bill, rate: Rate | None = None) -> dict[str, Any]:
    """Show a bill; with a rate also what it is in bitcoin, rounded up to the msat."""
    shown = {
        "lines": [_show_line(line, bill.asset) for line in bill.lines],
        "net": Amount(bill.asset, bill.net),
        "vat": Amount(bill.asset, bill.vat),
        "gross": Amount(bill.asset, bill.gross),
        "remainder": {"numerator": bill.remainder, "denominator": 3_600_000},
    }
    if rate is not None:
        shown["bitcoin"] = Amount(BTC, fiat_to_msat(bill.gross, rate, Rounding.UP).quotient)
        shown["rate"] = rate.id
    return shown


def _show_line(line: Line, asset: Asset) -> dict[str, Any]:
    return {
        "kind": line.kind.value,
        "element": None if line.element < 0 else line.element,
        "used": line.used,
        "quantity": line.quantity,
        "unit": _UNITS.get(line.kind, "session"),
        "unit_price": Amount(asset, line.unit_price),
        "vat_ppm": line.vat_ppm,
        "net": Amount(asset, line.net),
        "vat": Amount(asset, line.vat),
        "gross": Amount(asset, line.gross),
    }


def show_rate(rate: Rate) -> dict[str, Any]:
    """Show a rate with the sources that made it and the ones that were not believed."""
    return {
        "id": rate.id,
        "currency": rate.currency,
        "price": Amount(Asset.of(rate.currency), rate.micro_per_btc),
        "at": rate.at,
        "used": rate.used,
        "dropped": rate.dropped,
    }
