"""What a driver's pages show, computed from a charge: sums in fiat and sats, how far the credit goes, the chart."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from babel.numbers import get_currency_precision
from sqlalchemy import Connection

from commonwatt.charging import queries
from commonwatt.charging.charge import SAT_MSAT, Charge, Kind, whole_sats_up
from commonwatt.charging.model.session import Status
from commonwatt.charging.prepaying import Span, span_within
from commonwatt.charging.pricing import bill_of, rate_of, tariff_of, to_msat
from commonwatt.charging.rules import Rules
from commonwatt.charging.store import charge_by_id
from commonwatt.kernel import BTC, Amount, Asset, Fault, Instant, Rounding
from commonwatt.kit.database import is_awaited
from commonwatt.metering import Reading, readings_of
from commonwatt.payments import Stage, invoices_of
from commonwatt.protocols.lnurl import LnurlError, read_link
from commonwatt.stations import ConnectorView, connector_at
from commonwatt.tariffs import Bill, Rate, Tariff, current_rate, limit_energy, msat_to_fiat, preview

CHOICES_MICRO = (5_000_000, 10_000_000, 20_000_000, 40_000_000)
"""What is offered to pay, in millionths of the currency."""
CHOICES_MSAT = (5_000_000, 10_000_000, 25_000_000, 50_000_000)
"""The same where the tariff is in bitcoin."""
EXAMPLE_WH, EXAMPLE_S = 30_000, 3600
TYPICAL_W = 11_000
HOUR_S = 3600
CHART_POINTS_MAX = 600
ADDRESS_SHOWN: Final = 48
"""A longer address, such as an LNURL, is shown by its beginning and its end."""

Both = dict[str, Amount | None]


def both(tariff: Tariff, rate: Rate | None, msat: int) -> Both:
    """Return an amount in the tariff's currency, and in sats beside it where that is another one."""
    if tariff.asset.code == BTC.code or rate is None:
        return {"amount": Amount(BTC, msat), "sats": None}
    fiat = msat_to_fiat(msat, rate, Rounding.HALF_UP).quotient
    return {"amount": Amount(tariff.asset, fiat), "sats": Amount(BTC, msat)}


def cost_of(tariff: Tariff, rate: Rate | None, charge: Charge) -> Both:
    """Return what a charge costs until now or was billed; on account that is the bill itself, which no rate touches."""
    if charge.kind is Kind.LOCAL:
        return {"amount": Amount(Asset.of(charge.asset), charge.gross_units), "sats": None}
    session = charge.session
    return both(tariff, rate, session.billed_msat if session.billed else session.cost_msat)


def bill_told(sql: Connection, charge: Charge) -> Bill | None:
    """Return the bill that people are shown: none of a session that was cancelled, whatever was due from its start."""
    return None if charge.session.status is Status.CANCELLED else bill_of(sql, charge)


def both_of(sql: Connection, charge: Charge, msat: int) -> Both:
    """Return an amount of a charge at the rate that it has locked."""
    return both(tariff_of(sql, charge), rate_of(sql, charge), msat)


def both_now(sql: Connection, currency: str, msat: int, now: Instant) -> Both:
    """Return msat in a currency at the present rate, with sats beside; sats alone without a rate."""
    try:
        rate = current_rate(sql, currency, now)
    except Fault:
        return {"amount": Amount(BTC, msat), "sats": None}
    fiat = msat_to_fiat(msat, rate, Rounding.HALF_UP).quotient
    return {"amount": Amount(Asset.of(currency), fiat), "sats": Amount(BTC, msat)}


def worth_of(sql: Connection, subject: str, msat: int, now: Instant, currency: str) -> Amount | None:
    """Return what msat are in a currency: at the rate that the subject's session has locked, else at the present one.

    None where that session is priced in bitcoin, or no rate is known. It is `payments.ports.Worth` with a currency.
    """
    charge = charge_by_id(sql, subject.removeprefix("session/")) if subject.startswith("session/") else None
    pair = both_now(sql, currency, msat, now) if charge is None else both_of(sql, charge, msat)
    return pair["amount"] if pair["sats"] is not None else None


def payable(tariff: Tariff, rate: Rate | None, span: Span) -> tuple[Amount | None, Amount | None]:
    """Return the least and the most that may be paid at once, rounded inwards to what the currency shows.

    So both may be typed as they are read.
    """
    least, most = span
    if tariff.asset.code == BTC.code or rate is None:
        return both(tariff, rate, least)["amount"], both(tariff, rate, most)["amount"]
    step = 10 ** max(0, tariff.asset.scale - get_currency_precision(tariff.asset.code))
    up, down = (msat_to_fiat(least, rate, Rounding.UP).quotient, msat_to_fiat(most, rate, Rounding.DOWN).quotient)
    return Amount(tariff.asset, -(-up // step) * step), Amount(tariff.asset, down - down % step)


def payment_choices(tariff: Tariff, rate: Rate | None, span: Span, now: Instant) -> list[dict[str, Any]]:
    """Return what a driver may choose to pay, each with about how much energy it buys."""
    choices = []
    wanted = CHOICES_MSAT if tariff.asset.code == BTC.code else CHOICES_MICRO
    for units in wanted:
        msat = to_msat(tariff, rate, units, Rounding.UP)
        msat = whole_sats_up(msat)
        if span.least_msat <= msat <= span.most_msat:
            energy = energy_for(tariff, units, now)
            choices.append({"msat": msat, "energy_wh": energy, **both(tariff, rate, msat)})
    return choices


def first_choices(tariff: Tariff, rate: Rate | None, span: Span, now: Instant) -> list[dict[str, Any]]:
    """Return what a driver may choose to pay before a charge; the least alone where it is above all that is offered."""
    choices = payment_choices(tariff, rate, span, now)
    least, most = payable(tariff, rate, span)
    if choices or least is None or most is None or least > most:
        return choices
    msat = whole_sats_up(to_msat(tariff, rate, least.units, Rounding.UP))
    energy = energy_for(tariff, least.units, now)
    return [{"msat": msat, "energy_wh": energy, **both(tariff, rate, msat)}]


def energy_for(tariff: Tariff, units: int, now: Instant) -> int | None:
    """Return about how much energy an amount buys at a usual power, in Wh rounded down to 100; None beyond 200 kWh."""
    low, high = 0, 200_000
    if _cost(tariff, high, now) <= units:
        return None
    while high - low > 50:  # noqa: PLR2004 (Wh)
        middle = (low + high) // 2
        low, high = (middle, high) if _cost(tariff, middle, now) <= units else (low, middle)
    return low - low % 100


def _cost(tariff: Tariff, energy_wh: int, now: Instant) -> int:
    return preview(tariff, energy_wh, energy_wh * HOUR_S // TYPICAL_W, 0, now).gross


def example(tariff: Tariff, rate: Rate | None, now: Instant) -> dict[str, Any]:
    """Return what 30 kWh in an hour cost, by the same function that bills."""
    gross = preview(tariff, EXAMPLE_WH, EXAMPLE_S, 0, now).gross
    msat = to_msat(tariff, rate, gross)
    sats = None if tariff.asset.code == BTC.code or rate is None else Amount(BTC, msat)
    return {"energy_wh": EXAMPLE_WH, "duration_s": EXAMPLE_S, "amount": Amount(tariff.asset, gross), "sats": sats}


def session_context(sql: Connection, charge: Charge, now: Instant, zone: str, rules: Rules) -> dict[str, Any]:
    """Return everything that a driver's session page shows."""
    tariff, rate = tariff_of(sql, charge), rate_of(sql, charge)
    session = charge.session
    invoices = invoices_of(sql, charge.subject)
    waiting = [invoice for invoice in invoices if invoice.state is Stage.OPEN and invoice.expires > now]
    offered = session.status is Status.OFFERED
    asked = sum(invoice.amount_msat for invoice in invoices if invoice.state is not Stage.CANCELLED)
    credit = session.credit_msat
    left = max(0, credit - session.cost_msat)
    state, change = change_of(sql, charge)
    span = span_within(rules)
    least, most = payable(tariff, rate, span)
    readings = readings_of(sql, session.transaction_id) if session.transaction_id else []
    return {
        "charge": charge,
        "connector": place_told(sql, charge),
        "tariff": tariff,
        "invoice": next(iter(waiting), None) if offered else None,
        "price": both(tariff, rate, credit or asked),
        "cost": cost_of(tariff, rate, charge),
        "left": both(tariff, rate, left),
        "change": both(tariff, rate, change),
        "used_percent": session.cost_msat * 100 // credit if credit else 0,
        "power_w": charge.progress.power_w if charge.progress.register else None,
        "began": charge.began,
        "ended": charge.ended,
        "duration_s": duration_s(charge, now),
        "lasts": lasts(sql, charge, now),
        "deadline": Instant(session.deadline_ms) if session.deadline_ms else None,
        "chart": chart_of(readings, now, zone, live=not session.over),
        "top_up": None if offered else next(iter(waiting), None),
        "top_ups": payment_choices(tariff, rate, span, now)[:3],
        "least": least,
        "most": most,
        "change_state": state,
        "address": charge.address or "",
        "address_shown": short_address(charge.address or ""),
        "wallet_host": host_of(charge.address or ""),
        "sending": sending_of(sql, charge, state),
        "receipt": f"/r/{charge.id}" if session.billed and charge.began else "",
    }


def place_of(sql: Connection, charge: Charge) -> ConnectorView | None:
    """Return the connector of a charge; None once its station was removed."""
    return connector_at(sql, charge.station, charge.connector)


def place_told(sql: Connection, charge: Charge) -> ConnectorView:
    """Return the connector of a charge as its driver is told of it, nameless once its station was removed."""
    gone = ConnectorView(
        charge.station, charge.connector, "", "", "Unknown", "", "", "", since_ms=0, reported_ms=None, online=False,
        station_name="", station_state="",
    )  # fmt: skip
    return place_of(sql, charge) or gone


def duration_s(charge: Charge, now: Instant) -> int:
    """Return how long a charge takes or took, in whole seconds."""
    if charge.began is None:
        return 0
    tally = charge.progress.tally
    end = Instant(tally.at_ms) if charge.session.over and tally else now
    return max(0, end.since(charge.began) // 1000)


def lasts(sql: Connection, charge: Charge, now: Instant) -> dict[str, Any] | None:
    """Return how far the credit goes at the present power; None when nothing runs."""
    session, progress = charge.session, charge.progress
    if session.status is not Status.CHARGING or progress.tally is None or not session.prepaid:
        return None
    tariff, rate = tariff_of(sql, charge), rate_of(sql, charge)
    units = session.credit_msat
    if rate is not None:
        units = msat_to_fiat(session.credit_msat, rate, Rounding.DOWN).quotient
    limit = limit_energy(tariff, progress.tally, units, progress.power_w, now)
    return {"energy_wh": limit.energy_wh, "until": limit.until}


def change_of(sql: Connection, charge: Charge) -> tuple[str, int]:
    """Return where a session's change is, and how much it is in msat."""
    session = charge.session
    if not session.billed:
        return "running", 0
    claims = queries.list_claims(sql, charge.id)
    paying = [claim for claim in claims if claim.state == "paying"]
    done = [claim for claim in claims if claim.state == "done"]
    if paying:
        return "paying", sum(claim.amount_msat for claim in paying)
    if charge.withholds:
        return "withheld", charge.owed_msat
    if charge.owed_msat >= SAT_MSAT:
        return ("failed" if claims and claims[-1].state == "failed" else "owed"), charge.owed_msat
    if done:
        return "paid", sum(claim.amount_msat for claim in done)
    return "none", 0


def sending_of(sql: Connection, charge: Charge, state: str) -> str:
    """Return how far the sending of change to the driver's address is; empty where no address has to be asked.

    `asking`: the address is being asked; `again`: a payment to it failed, and it is asked again later; `silent`: it is
    asked no more, so the change waits for its driver.
    """
    if not charge.address or state not in ("owed", "failed"):
        return ""
    if not is_awaited(sql, f"change:{charge.id}"):
        return "silent"
    return "asking" if state == "owed" else "again"


def short_address(address: str) -> str:
    """Return an address as people recognise it: whole, or its beginning and its end."""
    return address if len(address) <= ADDRESS_SHOWN else f"{address[:16]}\u2026{address[-8:]}"


def host_of(address: str) -> str:
    """Return whose wallet an address belongs to; the address itself, shortened, where it does not say."""
    with suppress(LnurlError):
        return urlsplit(read_link(address)).netloc
    return short_address(address)


def chart_of(readings: list[Reading], now: Instant, zone: str, *, live: bool) -> dict[str, Any] | None:
    """Return power and energy over time for the chart; None before the second reading."""
    if len(readings) < 2:  # noqa: PLR2004 (one point is no line)
        return None
    step = -(-len(readings) // CHART_POINTS_MAX)
    kept = [*readings[::step], readings[-1]]
    power = [[reading.at_ms, _kilo(reading.power_w)] for reading in kept if reading.power_w is not None]
    energy = [[reading.at_ms, _kilo(reading.energy_wh)] for reading in kept if reading.energy_wh is not None]
    chart: dict[str, Any] = {
        "unit": "kW",
        "zone": zone,
        "series": [
            {
                "name": "Power",
                "meaning": "car",
                "shape": "area",
                "unit": "kW",
                "field": "power_w",
                "scale": 0.001,
                "points": power,
            },
            {
                "name": "Energy",
                "meaning": "car",
                "shape": "line",
                "dash": "short",
                "unit": "kWh",
                "axis": 1,
                "field": "energy_wh",
                "scale": 0.001,
                "points": energy,
            },
        ],
    }
    if live:
        chart["now"] = now.ms
    return chart


def _kilo(value: int | None) -> float | None:
    """Return thousands for the chart alone: a picture, not a bill."""
    return None if value is None else value / 1000
