"""Offer a charge: look that the charge point can deliver, lock tariff and rate, then ask for the money."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import let
from commonwatt.charging.actions.note_station import FREE
from commonwatt.charging.charge import Charge, Kind, Progress
from commonwatt.charging.errors import (
    ConnectorBusy,
    ConnectorOut,
    SessionNotCharging,
    SessionOver,
)
from commonwatt.charging.finding import charge_behind, charge_named, check_line, connector_named, is_offline
from commonwatt.charging.model.happenings import OfferWithdrawn
from commonwatt.charging.model.session import Session, Status
from commonwatt.charging.prepaying import check_amount, rate_for, span_before, span_within
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.charging.secrets import new_id_tag, new_secret
from commonwatt.kernel import Fault, said
from commonwatt.kit.database import Database, Work
from commonwatt.payments import Invoice, cancel_invoice, rail_of, request_invoice
from commonwatt.payments.ports import Rail
from commonwatt.stations import ConnectorView
from commonwatt.stations.ports import StationLine
from commonwatt.tariffs import tariff_for

OFFER_MARGIN_S = 30
"""An offer outlives its invoice a little: a payment at the last moment still finds it."""


async def offer_session(
    database: Database,
    line: StationLine,
    rail: Rail,
    *,
    connector: str,
    amount_msat: int,
    metadata: str | None = None,
    comment: str | None = None,
    address: str | None = None,
    rules: Rules = DEFAULT,
) -> tuple[Charge, Invoice]:
    """Open a session at a connector, named by its slug, and return it with the invoice that starts it.

    Raises NoSuchConnector, ConnectorOut, ConnectorBusy, AmountOutOfRange, PriceBeyondLimit, NoRate or RailUnavailable;
    SessionOver for an offer that was withdrawn while its invoice was made. One that got no invoice lapses by itself.
    """
    view = await database.read(connector_named, connector)
    check_line(line, view)
    charge = await database.write(open_offer, connector, amount_msat, address, rules)
    invoice = await request_invoice(
        database,
        rail,
        subject=charge.subject,
        account=charge.account,
        amount_msat=amount_msat,
        description=f"Charging at {view.station_name}",
        metadata=metadata,
        expiry_s=rules.invoice_s,
        hold=rail.capabilities.hold,
        comment=comment,
    )
    return await _still(database, charge, _check_standing, invoice), invoice


async def offer_top_up(
    database: Database,
    rails: Mapping[str, Rail],
    *,
    secret: str,
    amount_msat: int,
    metadata: str | None = None,
    rules: Rules = DEFAULT,
) -> tuple[Charge, Invoice]:
    """Return an invoice that adds to a running session's credit, over the rail that the session was paid over.

    Paid at once, it is never locked; so it is offered only while energy flows. Money that buys nothing would come back
    at the owner's cost.
    """
    charge = check_charging(await database.read(charge_behind, secret))
    check_amount(amount_msat, span_within(rules))
    invoice = await request_invoice(
        database,
        pick_rail(rails, await database.read(rail_of, charge.subject)),
        subject=charge.subject,
        account=charge.account,
        amount_msat=amount_msat,
        description="More credit for a running charge",
        metadata=metadata,
        expiry_s=rules.invoice_s,
        hold=False,
    )
    return await _still(database, charge, check_charging, invoice), invoice


async def _still(database: Database, charge: Charge, check: Callable[[Charge], Charge], invoice: Invoice) -> Charge:
    """Return the charge as it is once its invoice stands; where it takes no money any more, close that and say so.

    An invoice that was drafted before a session ended was closed by its end, one that is drafted later is seen here: so
    none stays open, and nobody has seen it yet. A read suffices, for what ends after it finds the invoice in its place.
    """
    try:
        return check(await database.read(charge_named, charge.id))
    except Fault:
        await database.write(cancel_invoice, invoice.payment_hash)
        raise


def _check_standing(charge: Charge) -> Charge:
    """Return a charge that may still be paid for; raises SessionOver for an offer that was withdrawn."""
    if charge.session.over:
        raise SessionOver(
            said("The offer was withdrawn while its payment code was made. Nothing was charged; ask for another.")
        )
    return charge


def check_charging(charge: Charge) -> Charge:
    """Return a charge to which credit may be added; raises SessionNotCharging before it, SessionOver after it."""
    match charge.session.status:
        case Status.CHARGING:
            return charge
        case Status.OFFERED | Status.STARTING | Status.STARTED:
            raise SessionNotCharging(said("Credit can be added once energy flows. Plug in, and add it then."))
        case _:
            raise SessionOver(
                said("This session is over, so nothing can be added to it. Start a new one at the charge point.")
            )


def open_offer(work: Work, connector: str, amount_msat: int, address: str | None, rules: Rules) -> Charge:
    """Store an offer with the tariff and the rate of this moment."""
    view = connector_named(work.sql, connector)
    check_free(view)
    if store.active_charges(work.sql, view.station, view.number):
        raise ConnectorBusy(said("Somebody else charges here. Choose another charge point."), connector=connector)
    tariff = tariff_for(work.sql, view.station, view.number, work.now)
    rate = rate_for(work.sql, tariff, work.now)
    check_amount(amount_msat, span_before(tariff, rate, rules, work.now))
    _make_room(work, view, rules)
    deadline = work.now.plus(seconds=rules.invoice_s + OFFER_MARGIN_S).ms
    charge = Charge(
        id=work.new_id(),
        secret=new_secret(work),
        kind=Kind.PREPAID,
        station=view.station,
        connector=view.number,
        id_tag=new_id_tag(work),
        tariff_version=tariff.version,
        rate_id=None if rate is None else rate.id,
        made=work.now,
        progress=Progress(Session(Status.OFFERED, deadline_ms=deadline), heard_ms=work.now.ms),
        asset=tariff.asset.code,
        address=address,
    )
    store.insert_charge(work, charge)
    return charge


def _make_room(work: Work, view: ConnectorView, rules: Rules) -> None:
    """Withdraw the oldest unpaid offers of a connector that has as many as it may.

    Nobody is turned away, so nobody can block a connector by offers that stay unpaid. Each client's share of offers
    is smaller than what a connector has room for (`kit.web.limits`), so no single one pushes out another's.
    """
    for oldest in store.offered_charges(work.sql, view.station, view.number, beyond=rules.offers_max - 1):
        let(work, oldest, OfferWithdrawn("too many newer offers"), rules)


def check_free(view: ConnectorView) -> None:
    """Pass a connector where a driver may begin to pay now. Raises ConnectorOut or ConnectorBusy."""
    if not view.online:
        raise is_offline(view)
    if view.status in {"Unavailable", "Faulted", "Unknown"}:
        raise ConnectorOut(said("The charge point is out of order. Choose another one."), connector=view.name)
    if view.status not in FREE:
        raise ConnectorBusy(said("Somebody else charges here. Choose another charge point."), connector=view.name)


def pick_rail(rails: Mapping[str, Rail], name: str | None = None) -> Rail:
    """Return the named rail if the site has it, else the first: the configuration names them by preference."""
    return rails[name] if name is not None and name in rails else next(iter(rails.values()))
