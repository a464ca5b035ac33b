"""Sessions, transactions and local tags as JSON values: what programs see of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from sqlalchemy import Row

from commonwatt.charging.charge import Charge, account_of_tag
from commonwatt.kernel import BTC, Amount, Asset, Instant
from commonwatt.members import Actor, mask_id_tag

UNREPORTED = "unreported"
"""Stands for the reason of an end that no station told."""


@dataclass(frozen=True, slots=True)
class SessionShown:
    """A session as programs see it. Instants in RFC 3339; `cost` and `gross` run until the end.

    `earned` is the part of `gross` that is paid for: all of it but where more was delivered than a driver had paid.
    """

    id: str
    status: str
    kind: str
    station: str
    connector: int
    id_tag: str
    transaction_id: int | None
    made: Instant
    began: Instant | None
    ended: Instant | None
    energy_wh: int
    power_w: int
    gross: Amount
    earned: Amount
    paid: Amount
    held: Amount
    cost: Amount
    billed: Amount
    returned: Amount
    owed: Amount
    tariff_version: str
    rate_id: str | None
    reason: str
    flags: list[str]
    address: str | None
    """Where its change goes by itself; null where there is none, and for who may not see id tags."""
    withheld: Instant | None
    """Since when its change is withheld because a backup was restored; null once it was released, and as a rule."""


@dataclass(frozen=True, slots=True)
class TransactionShown:
    """A transaction as the station reported it (OCPP 1.6, 4.8 and 4.10)."""

    id: int
    session_id: str | None
    station: str
    connector: int
    id_tag: str
    authorisation: str
    start_time: Instant
    start_received: Instant
    meter_start_wh: int
    stop_time: Instant | None
    stop_received: Instant | None
    meter_stop_wh: int | None
    reason: str | None
    """As the station told it (OCPP 1.6, 7.36); `unreported` where its session is over without the station's word."""
    running: bool
    meter_values: list[dict[str, Any]] | None = None
    """At most 5,000 at a time, oldest first; `?skip=5000` gives those behind them."""
    meter_values_total: int | None = None


class OfferShown(TypedDict):
    """A session that was just opened: what to pay, until when, and the driver's secret link."""

    session: SessionShown
    invoice: str
    payment_hash: str
    expires: Instant
    link: str


class TagShown(TypedDict):
    """A local tag with the account of the books that it charges on."""

    id_tag: str
    holder: str
    state: str
    made: Instant
    account: str


def shown_session(charge: Charge, actor: Actor | None) -> SessionShown:
    """Return a session as this actor may see it."""
    session = charge.session
    return SessionShown(
        id=charge.id,
        status=session.status.value,
        kind=charge.kind.value,
        station=charge.station,
        connector=charge.connector,
        id_tag=mask_id_tag(actor, charge.id_tag),
        transaction_id=session.transaction_id,
        made=charge.made,
        began=charge.began,
        ended=charge.ended,
        energy_wh=session.energy_wh,
        power_w=charge.progress.power_w,
        gross=Amount(Asset.of(charge.asset), charge.gross_units),
        earned=Amount(Asset.of(charge.asset), charge.earned_units),
        paid=Amount(BTC, session.paid_msat),
        held=Amount(BTC, session.held_msat),
        cost=Amount(BTC, session.cost_msat),
        billed=Amount(BTC, session.billed_msat),
        returned=Amount(BTC, charge.returned_msat),
        owed=Amount(BTC, charge.owed_msat),
        tariff_version=charge.tariff_version,
        rate_id=charge.rate_id,
        reason=session.reason,
        flags=list(charge.flags),
        address=address_for(actor, charge),
        withheld=charge.withheld,
    )


def shown_transaction(
    row: Row[Any],
    actor: Actor | None,
    values: list[dict[str, Any]] | None = None,
    total: int | None = None,
    *,
    unreported: bool = False,
) -> TransactionShown:
    """Return a transaction as this actor may see it; `unreported` is one that ended without its station's word."""
    return TransactionShown(
        id=row.id,
        session_id=row.session_id,
        station=row.station,
        connector=row.connector,
        id_tag=mask_id_tag(actor, row.id_tag),
        authorisation=row.authorisation,
        start_time=Instant(row.started_ms),
        start_received=Instant(row.received_ms),
        meter_start_wh=row.meter_start_wh,
        stop_time=_instant(row.stopped_ms),
        stop_received=_instant(row.stop_received_ms),
        meter_stop_wh=row.meter_stop_wh,
        reason=UNREPORTED if unreported else row.stop_reason,
        running=row.stopped_ms is None and not unreported,
        meter_values=values,
        meter_values_total=total,
    )


def shown_tag(row: Row[Any]) -> TagShown:
    """Return a local tag, for who may see it, with the account of the books that it charges on."""
    return {
        "id_tag": row.id_tag,
        "holder": row.holder,
        "state": row.state,
        "made": Instant(row.made_ms),
        "account": account_of_tag(row.id),
    }


def address_for(actor: Actor | None, charge: Charge) -> str | None:
    """Return the Lightning address that a session's driver left, for who may see it: it tells who a driver is."""
    return charge.address if actor is not None and actor.sees_id_tags else None


def _instant(ms: int | None) -> Instant | None:
    return None if ms is None else Instant(ms)
