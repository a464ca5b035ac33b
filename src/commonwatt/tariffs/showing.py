"""Tariffs, bills and rates as JSON values, the same for the API and the command line."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from commonwatt.kernel import BTC, Amount, Asset, Instant, Rounding
from commonwatt.tariffs.document import write_tariff
from commonwatt.tariffs.model.bill import Bill, Line
from commonwatt.tariffs.model.explain import explain
from commonwatt.tariffs.model.rate import Rate, fiat_to_msat
from commonwatt.tariffs.model.tariff import Kind, Tariff
from commonwatt.tariffs.store import Assignment, Listed, Version

_UNITS = {Kind.ENERGY: "Wh", Kind.TIME: "ms", Kind.PARKING_TIME: "ms"}


class PriceShown(TypedDict):
    """A price as decimal texts in the tariff's asset, without and with VAT."""

    net: str
    gross: str


class BoundsShown(TypedDict, total=False):
    """What only some tariffs have."""

    min_price: PriceShown
    max_price: PriceShown
    valid_from: str
    valid_to: str


class VersionShown(BoundsShown):
    """One version of a tariff: its ids, its document as it can be posted, and what it says in words."""

    id: str
    version: str
    name: str
    asset: str
    vat_included: bool
    timezone: str
    elements: list[dict[str, Any]]
    explained: list[str]


class HistoryShown(VersionShown):
    """A version with its number, and who made it when."""

    number: int
    made: Instant
    made_by: str


class AssignmentShown(TypedDict):
    """Where a tariff holds: without a station at the site, without a connector at the whole station."""

    tariff_id: str | None
    station: str | None
    connector: int | None
    since: Instant
    made: Instant
    made_by: str


class ListedShown(TypedDict):
    """A tariff with its version in force, and where it holds."""

    id: str
    name: str
    retired: Instant | None
    versions: int
    current: VersionShown | None
    assigned: list[AssignmentShown]


class RateShown(TypedDict):
    """A price of one bitcoin, with the sources that made it and the ones that were not believed."""

    id: str
    currency: str
    price: Amount
    at: Instant
    used: list[str]
    dropped: list[str]


class LineShown(TypedDict):
    """A line of a bill; `element` is null for what a minimum adds or a maximum takes off."""

    kind: str
    element: int | None
    used: int
    quantity: int
    unit: str
    unit_price: Amount
    vat_ppm: int
    net: Amount
    vat: Amount
    gross: Amount


class RemainderShown(TypedDict):
    """What rounding took from the bill, as a fraction of the asset's smallest unit."""

    numerator: int
    denominator: int


class InBitcoin(TypedDict, total=False):
    """What a bill has beside its own where a rate is known."""

    bitcoin: Amount
    rate: str


class BillShown(InBitcoin):
    """A bill; its lines add up to its sums."""

    lines: list[LineShown]
    net: Amount
    vat: Amount
    gross: Amount
    remainder: RemainderShown


class PreviewShown(BillShown):
    """What a session would cost, and the version of the tariff that says so."""

    tariff: VersionShown


def show_version(tariff: Tariff) -> VersionShown:
    """Show one version: its ids, its document, and what it says in words."""
    ids = {"id": tariff.id, "version": tariff.version}
    return cast("VersionShown", {**ids, **write_tariff(tariff), "explained": explain(tariff)})


def show_listed(listed: Listed) -> ListedShown:
    """Show a tariff: its version in force, and where it holds."""
    return {
        "id": listed.id,
        "name": listed.name,
        "retired": listed.retired,
        "versions": listed.versions,
        "current": None if listed.current is None else show_version(listed.current),
        "assigned": [show_assignment(place) for place in listed.places],
    }


def show_history(version: Version) -> HistoryShown:
    """Show a version with its number, and who made it when."""
    return {"number": version.number, "made": version.made, "made_by": version.made_by, **show_version(version.tariff)}


def show_assignment(place: Assignment) -> AssignmentShown:
    """Show an assignment; an empty station is the site, connector 0 the whole station."""
    return {
        "tariff_id": place.tariff_id,
        "station": place.station or None,
        "connector": place.connector or None,
        "since": place.since,
        "made": place.made,
        "made_by": place.made_by,
    }


def show_bill(bill: Bill, rate: Rate | None = None) -> BillShown:
    """Show a bill; with a rate also what it is in bitcoin, rounded up to the msat."""
    shown: BillShown = {
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


def _show_line(line: Line, asset: Asset) -> LineShown:
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


def show_rate(rate: Rate) -> RateShown:
    """Show a rate with the sources that made it and the ones that were not believed."""
    return {
        "id": rate.id,
        "currency": rate.currency,
        "price": Amount(Asset.of(rate.currency), rate.micro_per_btc),
        "at": rate.at,
        "used": list(rate.used),
        "dropped": list(rate.dropped),
    }
