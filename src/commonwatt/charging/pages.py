"""The driver's pages: a connector (`/c/<name>`), a session behind its secret (`/s/<secret>`), a receipt (`/r/<id>`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

from babel.numbers import get_currency_precision
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from sqlalchemy import Connection

from commonwatt.charging import store
from commonwatt.charging.actions.claim_change import leave_address
from commonwatt.charging.actions.offer_session import offer_session, offer_top_up, pick_rail
from commonwatt.charging.actions.stop_session import ask_to_stop
from commonwatt.charging.addresses import usable_address
from commonwatt.charging.charge import whole_sats_up
from commonwatt.charging.driver_view import example, first_choices, payable, session_context
from commonwatt.charging.errors import (
    AmountOutOfRange,
    NoSuchSession,
    PriceBeyondLimit,
    SessionRunning,
)
from commonwatt.charging.finding import charge_behind, connector_named
from commonwatt.charging.lnurl import metadata_of, pay_url, withdraw_url
from commonwatt.charging.prepaying import Span, span_before, span_within
from commonwatt.charging.pricing import to_msat
from commonwatt.charging.receipt import receipt_context, receipt_of, receipt_pdf
from commonwatt.charging.rules import Rules
from commonwatt.kernel import BTC, Clock, Fault, Instant, Rounding, said
from commonwatt.kit.database import Database
from commonwatt.kit.pages import render_for
from commonwatt.kit.web import Site
from commonwatt.payments.ports import Rail
from commonwatt.protocols.lnurl import address_identifier, encode_lnurl
from commonwatt.stations import ConnectorView
from commonwatt.stations.ports import StationLine
from commonwatt.tariffs import Rate, Tariff, current_rate, explain, tariff_for
from commonwatt.tariffs.errors import NoRate, NoTariff

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
SEE_OTHER: Final = 303
STATES = {"Available": "free", "Preparing": "plugged", "Faulted": "out", "Unavailable": "out", "Unknown": "out"}
THOUSAND_DIGITS: Final = 3
_SEPARATORS = ", '\u2019\u00a0\u202f"
ADDRESS_MAX: Final = 200
SECRET_HEADERS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@get("/c/{name:str}", include_in_schema=False)
async def show_connector(
    name: str,
    database: Database,
    clock: Clock,
    site: Site,
    line: StationLine,
    rules: Rules,
) -> Template:
    """Show a connector to whoever scanned its code."""
    context = await _connector_context(name, database, clock, site, line, rules)
    return Template("charging/connector.html", context={**context, "typed": "", "wrong": "", "beyond": False})


@get("/c/{name:str}/pay", include_in_schema=False)
async def lead_to_connector(name: str) -> Redirect:
    """Lead who opens the address of the form to the page that it belongs to."""
    return Redirect(_connector_path(name), status_code=SEE_OTHER)


@post("/c/{name:str}/pay", include_in_schema=False, status_code=SEE_OTHER)
async def pay_connector(
    name: str,
    data: Form,
    database: Database,
    clock: Clock,
    site: Site,
    line: StationLine,
    rails: Mapping[str, Rail],
    rules: Rules,
) -> Template | Redirect:
    """Open a session for the chosen amount and lead to its page, where the payment code is."""
    context = await _connector_context(name, database, clock, site, line, rules)
    view: ConnectorView = context["connector"]
    try:
        amount = _chosen(data, context["tariff"], context["rate"])
        terms = " ".join(explain(context["tariff"]))
        charge, _ = await offer_session(
            database,
            line,
            pick_rail(rails),
            connector=view.name,
            amount_msat=amount,
            metadata=metadata_of(view, site, terms),
            rules=rules,
        )
    except Fault as error:
        wrong = {
            "typed": data.get("own", ""),
            "wrong": context["trouble"] or error.said,
            "beyond": not context["trouble"] and _beyond(error),
            "lives_at": _connector_path(view.name),
        }
        return Template("charging/connector.html", context={**context, **wrong}, status_code=error.status)
    return Redirect(f"/s/{charge.secret}", status_code=SEE_OTHER)


@get("/s/{secret:str}", include_in_schema=False)
async def show_session(secret: str, database: Database, clock: Clock, site: Site, rules: Rules) -> Template:
    """Show a session to its driver."""
    return await _session_page(secret, database, clock, site, rules)


@get(["/s/{secret:str}/stop", "/s/{secret:str}/top-up", "/s/{secret:str}/address"], include_in_schema=False)
async def lead_to_session(secret: str) -> Redirect:
    """Lead who opens the address of a form to the page that it belongs to."""
    return Redirect(_session_path(secret), status_code=SEE_OTHER, headers=SECRET_HEADERS)


@post("/s/{secret:str}/stop", include_in_schema=False, status_code=SEE_OTHER)
async def stop(secret: str, database: Database, clock: Clock, site: Site, rules: Rules) -> Template | Redirect:
    """Stop the charge at its driver's wish."""
    charge = await database.read(charge_behind, secret)
    try:
        await database.write(ask_to_stop, charge.id, "the driver stopped it", rules)
    except Fault as error:
        return await _session_page(secret, database, clock, site, rules, wrong=error)
    return Redirect(f"/s/{secret}", status_code=SEE_OTHER)


@post("/s/{secret:str}/top-up", include_in_schema=False, status_code=SEE_OTHER)
async def top_up(
    secret: str, data: Form, database: Database, clock: Clock, site: Site, rails: Mapping[str, Rail], rules: Rules
) -> Template | Redirect:
    """Make a payment code for more credit."""
    try:
        amount = _whole(data.get("amount", ""))
        await offer_top_up(database, rails, secret=secret, amount_msat=amount, rules=rules)
    except Fault as error:
        return await _session_page(secret, database, clock, site, rules, wrong=error)
    return Redirect(f"/s/{secret}", status_code=SEE_OTHER)


@post("/s/{secret:str}/address", include_in_schema=False, status_code=SEE_OTHER)
async def keep_address(
    secret: str, data: Form, database: Database, clock: Clock, site: Site, rules: Rules
) -> Template | Redirect:
    """Note where the change shall go, nowhere by itself if empty; a session that is over sends it at once."""
    try:
        address = usable_address(data.get("address", ""), sandbox=site.sandbox)
        await database.write(leave_address, secret, address)
    except Fault as error:
        typed = data.get("address", "")
        return await _session_page(secret, database, clock, site, rules, wrong=error, typed_address=typed)
    return Redirect(f"/s/{secret}", status_code=SEE_OTHER)


@get("/r/{name:str}", include_in_schema=False)
async def show_receipt(
    name: str, request: Request[Any, Any, Any], database: Database, clock: Clock, site: Site
) -> Response[Any]:
    """Show a receipt as a page, as `.json` or as `.pdf`; its id is unguessable and names no person."""
    session_id, _, form = name.partition(".")
    charge = await database.read(store.charge_by_id, session_id)
    if charge is None or charge.began is None or form not in ("", "json", "pdf"):
        raise NoSuchSession(said("There is no receipt of this number. Check that the link was copied whole."))
    if not charge.session.billed:
        raise SessionRunning(said("The receipt is ready once the charge has ended and its bill is posted."))
    if form == "json":
        return Response(await database.read(receipt_of, charge, site), media_type="application/json")
    context = await database.read(receipt_context, charge, site, clock.now())
    if form == "":
        return Template("charging/receipt.html", context=context)
    words = render_for(request, "charging/receipt_words.json", **context)
    headers = {"Content-Disposition": f'inline; filename="receipt-{charge.id[:13]}.pdf"'}
    return Response(receipt_pdf(words), media_type="application/pdf", headers=headers)


async def _connector_context(
    name: str, database: Database, clock: Clock, site: Site, line: StationLine, rules: Rules
) -> dict[str, Any]:
    view = await database.read(connector_named, name)
    now = clock.now()
    try:
        tariff = await database.read(tariff_for, view.station, view.number, now)
    except NoTariff as error:
        raise error.in_words(
            said("This charge point has no price yet, so nobody can pay here. Choose another one.")
        ) from None
    rate, trouble = await database.read(_rate_now, tariff, now)
    span = span_within(rules)
    if not trouble:
        span, trouble = _span_now(tariff, rate, rules, now)
    choices = [] if trouble else first_choices(tariff, rate, span, now)
    least, most = payable(tariff, rate, span)
    return {
        "connector": view,
        "state": STATES.get(view.status, "busy") if line.is_connected(view.station) else "offline",
        "tariff": tariff,
        "rate": rate,
        "choices": choices,
        "chosen": choices[min(1, len(choices) - 1)]["msat"] if choices else 0,
        "preview": None if trouble else example(tariff, rate, now),
        "least": least,
        "most": most,
        "currency": tariff.asset.code,
        "address": "" if trouble or not _has_addresses(site) else address_identifier(view.name, site.host),
        "lnurl": "" if trouble else encode_lnurl(pay_url(site, view.name)),
        "trouble": trouble,
    }


def _rate_now(sql: Connection, tariff: Tariff, now: Instant) -> tuple[Rate | None, str]:
    """Return the rate that a new session would lock, or why there is none."""
    if tariff.asset.code == BTC.code:
        return None, ""
    try:
        return current_rate(sql, tariff.asset.code, now), ""
    except NoRate:
        return None, said(
            "No exchange rate for %(currency)s is known at this moment, so nobody can pay here. Nothing was charged. "
            "Try again in a few minutes.",
            currency=tariff.asset.code,
        )


def _span_now(tariff: Tariff, rate: Rate | None, rules: Rules, now: Instant) -> tuple[Span, str]:
    """Return what a new session may be paid, and why nobody can pay it, if so."""
    try:
        return span_before(tariff, rate, rules, now), ""
    except PriceBeyondLimit as error:
        return span_within(rules), error.said


def _has_addresses(site: Site) -> bool:
    """Whether Lightning addresses of this site can be paid: a wallet asks their host by https, at its usual port."""
    return site.https and urlsplit(site.base_url).port in (None, 443)


def _connector_path(name: str) -> str:
    return f"/c/{quote(name, safe='')}"


def _session_path(secret: str) -> str:
    return f"/s/{quote(secret, safe='')}"


def _beyond(error: Fault) -> bool:
    """Whether an amount was refused for its size, which the page says in the words of its hint."""
    return isinstance(error, AmountOutOfRange) and "max_msat" in error.fields


def _whole(text: str) -> int:
    """Return a whole number of msat, 0 for anything else: no amount of ours has more digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0  # noqa: PLR2004


def _chosen(data: Mapping[str, str], tariff: Tariff, rate: Rate | None) -> int:
    """Return the chosen amount in msat: one of the choices, or the own amount as typed, rounded up to a satoshi.

    Raises AmountOutOfRange for a typed text that is no amount, or that may be a thousand or one; whether an amount may
    be paid is for whoever takes it.
    """
    typed = data.get("own", "").strip()
    if not typed:
        return _whole(data.get("amount", ""))
    _check_separators(typed, tariff)
    try:
        amount = Decimal(typed.replace(",", ".")).scaleb(tariff.asset.scale)
        units = int(amount) if amount.is_finite() and 0 < amount < 10**18 else 0
    except (InvalidOperation, ValueError):
        units = 0
    if not units:
        raise AmountOutOfRange(
            said(
                "%(typed)s is no amount in %(currency)s. Write a number above zero, with digits alone.",
                typed=repr(data["own"].strip()[:20]),
                currency="sats" if tariff.asset.code == BTC.code else tariff.asset.code,
            )
        )
    return whole_sats_up(to_msat(tariff, rate, units, Rounding.UP))


def _check_separators(typed: str, tariff: Tariff) -> None:
    """Raise AmountOutOfRange where three digits follow a separator: `1,000` is a thousand to some and one to others.

    A point is taken as the decimal sign where the currency has three decimals or more.
    """
    coins = tariff.asset.scale if tariff.asset.code == BTC.code else get_currency_precision(tariff.asset.code)
    separators = _SEPARATORS if coins >= THOUSAND_DIGITS else _SEPARATORS + "."
    if re.fullmatch(rf"\d+(?:[{separators}]\d{{3}})+(?:[.,]\d+)?", typed, re.ASCII):
        raise AmountOutOfRange(said("Write the amount without a thousands separator, such as 1000 or 1.50."))


async def _session_page(
    secret: str,
    database: Database,
    clock: Clock,
    site: Site,
    rules: Rules,
    *,
    wrong: Fault | None = None,
    typed_address: str = "",
) -> Template:
    charge = await database.read(charge_behind, secret)
    context = await database.read(session_context, charge, clock.now(), site.timezone, rules)
    lnurl = encode_lnurl(withdraw_url(site, secret))
    context |= {
        "change_lnurl": lnurl,
        "wrong": wrong.said if wrong else "",
        "beyond": wrong is not None and _beyond(wrong),
        "typed_address": typed_address[:ADDRESS_MAX],
        "lives_at": _session_path(secret),
    }
    return Template(
        "charging/session.html",
        context=context,
        headers=SECRET_HEADERS,
        status_code=wrong.status if wrong else 200,
    )


ROUTES = [
    show_connector,
    lead_to_connector,
    pay_connector,
    show_session,
    lead_to_session,
    stop,
    top_up,
    keep_address,
    show_receipt,
]
