"""The LNURL server of charging: pay at a connector, add to a session, take its change, verify a payment.

The code on the wall is pay-only (LUD-06): whoever scans it while somebody charges is told so, and can neither stop the
charge nor take its change. Change is behind the session's secret (LUD-03), also while it runs: then it is stopped, its
last reading awaited, and the rest offered. Every answer, refusals too, is JSON that wallets understand, with no key
that the LUDs do not name.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from litestar import Response, get
from sqlalchemy import Connection

from commonwatt.charging.actions.claim_change import ChangeOffer, claim_change, offer_change
from commonwatt.charging.actions.offer_session import (
    check_charging,
    check_free,
    offer_session,
    offer_top_up,
    pick_rail,
)
from commonwatt.charging.actions.stop_session import ask_to_stop
from commonwatt.charging.errors import SessionOver, SessionRunning
from commonwatt.charging.finding import charge_behind, check_line, connector_named
from commonwatt.charging.model.session import ACTIVE, Status
from commonwatt.charging.prepaying import Span, rate_for, span_before
from commonwatt.charging.rules import Rules
from commonwatt.kernel import Clock, Fault, Instant, said
from commonwatt.kit.database import Database
from commonwatt.kit.web import Site
from commonwatt.payments import invoice_of, preimage_when_settled
from commonwatt.payments.ports import Rail
from commonwatt.payments.reports import Stage
from commonwatt.protocols.bolt11 import Bolt11Error
from commonwatt.protocols.lnurl import (
    LnurlError,
    PayAnswer,
    PayRequest,
    UrlAction,
    Verification,
    WithdrawRequest,
    address_identifier,
    compose_error,
    compose_metadata,
    compose_ok,
)
from commonwatt.stations import ConnectorView
from commonwatt.stations.ports import StationLine
from commonwatt.tariffs import explain, tariff_for

COMMENT_MAX = 120
LAST_READING_S = 25
"""How long a wallet that takes change during the charge waits for the last reading."""
HASH_LENGTH = 64

Rails = Mapping[str, Rail]


def metadata_of(connector: ConnectorView, site: Site, terms: str) -> str:
    """Return what a payment at a connector commits to: one line, its Lightning address, and the tariff in words."""
    line = f"Charging at {connector.label or connector.station_name} ({site.name})"
    return compose_metadata(
        line, identifier=address_identifier(connector.name, site.host), long_description=terms or None
    )


def pay_url(site: Site, name: str) -> str:
    """Return the address behind a connector's code."""
    return site.url(f"/lnurl/pay/{name}")


def withdraw_url(site: Site, secret: str) -> str:
    """Return the address behind a session's change; it is as secret as the session's link."""
    return site.url(f"/lnurl/withdraw/{secret}")


def top_up_url(site: Site, secret: str) -> str:
    """Return the address that adds to a session's credit."""
    return site.url(f"/lnurl/topup/{secret}")


@get(["/lnurl/pay/{name:str}", "/.well-known/lnurlp/{name:str}"], include_in_schema=False)
async def show_pay(
    name: str, database: Database, clock: Clock, site: Site, line: StationLine, rules: Rules, sa: str = "1"
) -> Response[Any]:
    """Say what may be paid at a connector now (LUD-06, LUD-16)."""
    try:
        view, terms, span = await _open_connector(name, database, clock, line, rules)
        callback = site.url(f"/lnurl/pay/{view.name}/callback")
        request = PayRequest(
            callback if sa != "0" else f"{callback}/sa/0",
            *span,
            metadata_of(view, site, terms),
            COMMENT_MAX,
        )
        return _answer(request.compose())
    except (Fault, LnurlError) as error:
        return _refuse(error)


@get(["/lnurl/pay/{name:str}/callback", "/lnurl/pay/{name:str}/callback/sa/{sa:str}"], include_in_schema=False)
async def take_pay(
    name: str,
    database: Database,
    clock: Clock,
    site: Site,
    line: StationLine,
    rails: Rails,
    rules: Rules,
    amount: str = "",
    comment: str = "",
    sa: str = "1",
) -> Response[Any]:
    """Open a session and answer with its invoice (LUD-06, 09, 11, 12, 21).

    `sa` is in the path because common wallets replace a callback's query by their own.
    """
    try:
        amount_msat = _amount(amount)
        if len(comment) > COMMENT_MAX:
            raise LnurlError(f"the comment is longer than {COMMENT_MAX} characters")
        view, terms, _ = await _open_connector(name, database, clock, line, rules)
        charge, invoice = await offer_session(
            database,
            line,
            pick_rail(rails),
            connector=view.name,
            amount_msat=amount_msat,
            metadata=metadata_of(view, site, terms),
            comment=comment or None,
            rules=rules,
        )
    except (Fault, LnurlError) as error:
        return _refuse(error)
    page = site.url(f"/s/{charge.secret}")
    success = (
        UrlAction("Watch your charge, stop it, take your change", page) if sa != "0" and rules.success_action else None
    )
    verify = site.url(f"/lnurl/verify/{invoice.payment_hash}")
    return _answer(PayAnswer(invoice.bolt11, success, disposable=False, verify=verify).compose())


@get("/lnurl/topup/{secret:str}", include_in_schema=False)
async def show_top_up(secret: str, database: Database, site: Site, rules: Rules) -> Response[Any]:
    """Say what may be added to a running session (LUD-06)."""
    try:
        check_charging(await database.read(charge_behind, secret))
        request = PayRequest(
            top_up_url(site, secret) + "/callback",
            rules.payment_min_msat,
            rules.payment_max_msat,
            compose_metadata("More credit for your charge"),
        )
        return _answer(request.compose())
    except (Fault, LnurlError) as error:
        return _refuse(error)


@get("/lnurl/topup/{secret:str}/callback", include_in_schema=False)
async def take_top_up(
    secret: str, database: Database, site: Site, rails: Rails, rules: Rules, amount: str = ""
) -> Response[Any]:
    """Answer with an invoice that adds to a session's credit."""
    try:
        _, invoice = await offer_top_up(
            database,
            rails,
            secret=secret,
            amount_msat=_amount(amount),
            metadata=compose_metadata("More credit for your charge"),
            rules=rules,
        )
    except (Fault, LnurlError) as error:
        return _refuse(error)
    verify = site.url(f"/lnurl/verify/{invoice.payment_hash}")
    return _answer(PayAnswer(invoice.bolt11, disposable=False, verify=verify).compose())


@get("/lnurl/withdraw/{secret:str}", include_in_schema=False)
async def show_withdraw(secret: str, database: Database, site: Site, rules: Rules) -> Response[Any]:
    """Offer a session's change (LUD-03); a charge that still runs is stopped first and its last reading awaited."""
    try:
        offer = await await_change(database, secret, rules)
        request = WithdrawRequest(
            withdraw_url(site, secret) + "/callback", offer.k1, "Change of your charge", offer.min_msat, offer.max_msat
        )
        return _answer(request.compose())
    except (Fault, LnurlError) as error:
        return _refuse(error)


@get("/lnurl/withdraw/{secret:str}/callback", include_in_schema=False)
async def take_withdraw(
    secret: str, database: Database, rails: Rails, rules: Rules, pr: str = "", k1: str = ""
) -> Response[Any]:
    """Take a wallet's invoice for the change; OK means that it is reserved on disk and will be paid."""
    try:
        await database.write(claim_change, secret, k1, pr, tuple(rails), rules)
    except Bolt11Error as error:
        return _answer(compose_error(f"this is no invoice: {error}"))
    except (Fault, LnurlError) as error:
        return _refuse(error)
    return _answer(compose_ok())


@get("/lnurl/verify/{payment_hash:str}", include_in_schema=False)
async def verify_payment(payment_hash: str, database: Database) -> Response[Any]:
    """Tell whether an invoice was paid (LUD-21); the preimage only once the money is ours."""
    try:
        if len(payment_hash) != HASH_LENGTH:
            raise LnurlError(said("no invoice of ours has this payment hash"))
        invoice = await database.read(invoice_of, payment_hash)
        settled = invoice.state is Stage.SETTLED
        preimage = await database.read(preimage_when_settled, payment_hash) if settled else None
        return _answer(Verification(invoice.bolt11, settled, preimage).compose())
    except (Fault, LnurlError) as error:
        return _refuse(error)


async def await_change(database: Database, secret: str, rules: Rules) -> ChangeOffer:
    """Return what a session's secret may claim, after stopping a charge that runs and hearing its last reading.

    Raises SessionRunning when the station takes longer than a wallet waits; the charge is being stopped then. One whose
    change is withheld runs on.
    """
    charge = await database.read(charge_behind, secret)
    if charge.session.billed or charge.session.status is Status.OFFERED or charge.withheld is not None:
        return await database.read(offer_change, secret)
    if charge.session.status in ACTIVE:
        with contextlib.suppress(SessionOver):  # it ended by itself meanwhile
            await database.write(ask_to_stop, charge.id, "the driver took the change", rules)
    for _ in range(LAST_READING_S * 4):
        charge = await database.read(charge_behind, secret)
        if charge.session.billed:
            break
        await asyncio.sleep(0.25)
    if charge.session.status in ACTIVE:
        raise SessionRunning(said("The charge is being stopped. Scan again in a minute; your change is safe."))
    return await database.read(offer_change, secret)


async def _open_connector(
    name: str, database: Database, clock: Clock, line: StationLine, rules: Rules
) -> tuple[ConnectorView, str, Span]:
    """Return a connector that takes payments now, its tariff in words, and how much; raise the reason why not."""
    view = await database.read(connector_named, name)
    check_line(line, view)
    check_free(view)
    return view, *await database.read(_terms, view, clock.now(), rules)


def _terms(sql: Connection, view: ConnectorView, now: Instant, rules: Rules) -> tuple[str, Span]:
    tariff = tariff_for(sql, view.station, view.number, now)
    return " ".join(explain(tariff)), span_before(tariff, rate_for(sql, tariff, now), rules, now)


def _amount(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:  # noqa: PLR2004 (more msat than there are)
        raise LnurlError(said("the amount must be a whole number of millisatoshi"))
    return int(text)


def _answer(message: Mapping[str, Any]) -> Response[Any]:
    """Answer a wallet; any page may ask too (browser wallets), and nothing of it may be kept."""
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
    return Response(message, headers=headers, media_type="application/json")


def _refuse(error: Fault | LnurlError) -> Response[Any]:
    reason = error.detail if isinstance(error, Fault) else str(error)
    return _answer(compose_error(reason))


ROUTES = [
    show_pay,
    take_pay,
    show_top_up,
    take_top_up,
    show_withdraw,
    take_withdraw,
    verify_payment,
]
