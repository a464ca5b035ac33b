"""Every page in every state that is worth a look: what is pictured, and judged by axe.

A scene names the route it shows, as the application's route table writes it; a page route without a scene fails a test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from commonwatt import charging, members, tariffs
from commonwatt.adapters.payment.sandbox import SandboxRail
from commonwatt.main.demo.town import PLACES
from commonwatt.payments import PaymentFilter, list_invoices, list_payouts
from commonwatt.payments.ports import InvoiceTerms

NOT_PAGES = ("/api/", "/lnurl/", "/.well-known/", "/static/", "/live", "/language/", "/healthz", "/readyz", "/metrics")
NOT_PAGE_ENDS = (".csv", ".ico", ".json")
REFERENCE = "/api/v1/reference"
VISITORS = "visitors"
PAID_MSAT = 9_000_000
FREE = "station-road-1"
"""A connector that no scene occupies, so it is free whichever test comes first."""


@dataclass(frozen=True)
class Scene:
    """One page in one state."""

    route: str
    name: str
    path: str | Callable[[Any], str] = ""
    status: int = 200

    def address(self, town):
        """Where the page is, in this town."""
        path = self.path(town) if callable(self.path) else self.path or self.route
        return town.url(path)


def page_routes(app):
    """Return the routes that answer a browser with a page: neither data, nor a mere redirect."""
    found = set()
    for route in app.routes:
        handlers = [one for one in getattr(route, "route_handlers", ()) if "GET" in getattr(one, "http_methods", ())]
        answers = [str(handler.parsed_fn_signature.return_type.annotation) for handler in handlers]
        pages = [answer for answer in answers if not answer.startswith("dict") and "redirect.Redirect'>" not in answer]
        if pages and not route.path.startswith(NOT_PAGES) and not route.path.endswith(NOT_PAGE_ENDS):
            found.add(route.path)
    return found | {REFERENCE}


async def pay(serving, connector, msat=PAID_MSAT):
    """Let a visitor pay at a connector by the public way; return the session."""
    house, network = serving.house, serving.worlds.sandbox
    rail = house.rails["sandbox"]
    assert isinstance(rail, SandboxRail)
    await network.add_node(VISITORS, 10**12)
    charge, invoice = await charging.offer_session(
        house.database, house.hub, rail, connector=connector, amount_msat=msat, rules=house.rules
    )
    return charge, network.pay(VISITORS, invoice.bolt11, amount_msat=msat, fee_limit_msat=msat // 50, timeout_s=60)


async def take_change(serving, charge):
    """Let the visitor take what is left, as a wallet does."""
    house, network = serving.house, serving.worlds.sandbox
    offer = await house.database.read(charging.offer_change, charge.secret)
    terms = InvoiceTerms(house.database.ids.secret(32), offer.max_msat, "Change", None, 3600, hold=False)
    issued = await network.issue(VISITORS, terms)
    await house.database.write(
        charging.claim_change, charge.secret, offer.k1, issued.value.bolt11, ("sandbox",), house.rules
    )


def offered(town):
    """A session that waits for its payment."""
    charge, payment = town.do(pay(town.serving, "market-square-2"))
    payment.close()
    return charge


def starting(town, connector="market-square-2"):
    """A session that is paid and waits for the car."""
    charge, payment = town.do(pay(town.serving, connector))
    town.spawn(payment)
    town.until_charge(charge.id, lambda now: now.session.status.value == "starting")
    return charge


def running(town, identity, connector):
    """A session that charges, a few readings old."""
    charge = starting(town, f"{identity.lower()}-{connector}")
    town.plug(identity, connector)
    town.until_charge(charge.id, lambda now: now.session.energy_wh > 150)
    return charge


def ended(town, identity, connector):
    """A session that is over; its change waits."""
    charge = running(town, identity, connector)
    town.unplug(identity, connector)
    town.until_charge(charge.id, lambda now: now.session.billed)
    return charge


def cancelled(town):
    """A session that was offered and never paid."""
    charge = offered(town)
    town.write(charging.ask_to_stop, charge.id, "the invoice was not paid in time", town.serving.house.rules)
    return charge


def furnish_more(town):
    """Give the town an ordinary morning, once: sessions in every state, a tag's charge, a waiting station, people."""
    if "running" in town.kept:
        return
    town.switch_on("NEW-ONE", wait=False)
    tag = town.scan_tag("MARKET-SQUARE", "DEMO-CARSHARE-1", 1)
    assert tag == "Accepted"
    town.plug("MARKET-SQUARE", 1)
    town.do(take_change(town.serving, ended(town, "TOWN-HALL", 2)))
    town.kept["ended"] = ended(town, "TOWN-HALL", 2)
    town.unplug("MARKET-SQUARE", 1)
    town.kept["running"] = running(town, "TOWN-HALL", 1)
    owner = members.TERMINAL
    town.kept["invitation"] = town.write(members.invite_member, owner, "Ben", members.Role.OPERATOR).path
    town.write(members.create_token, owner, "Home automation", ["sessions:read"], 90 * 86_400)


def _secret(make):
    return lambda town: f"/s/{make(town).secret}"


def _tariff_id(town):
    return town.read(tariffs.list_tariffs, town.serving.house.clock.now())[0].id


def _invoice(town):
    return town.read(lambda sql: list_invoices(sql, PaymentFilter(), limit=1))[0]


def _payout(town):
    return town.read(lambda sql: list_payouts(sql, PaymentFilter(), limit=1))[0]


def _change_code(town):
    from commonwatt.charging.lnurl import withdraw_url
    from commonwatt.protocols.lnurl import encode_lnurl

    return f"/wallet?code={encode_lnurl(withdraw_url(town.serving.site, town.kept['ended'].secret))}"


def _station(tab):
    return lambda _town: f"/stations/{PLACES[1][0]}" + (f"?tab={tab}" if tab else "")


PASSERS = (
    Scene("/c/{name:str}", "connector free", f"/c/{FREE}"),
    Scene("/c/{name:str}", "connector in use", "/c/town-hall-1"),
    Scene("/c/{name:str}", "connector offline", "/c/solar-yard-1"),
    Scene("/s/{secret:str}", "session to pay", _secret(offered)),
    Scene("/s/{secret:str}", "session waits for the plug", _secret(starting)),
    Scene("/s/{secret:str}", "session charging", lambda town: f"/s/{town.kept['running'].secret}"),
    Scene("/s/{secret:str}", "session ended, change owed", lambda town: f"/s/{town.kept['ended'].secret}"),
    Scene("/r/{name:str}", "receipt", lambda town: f"/r/{town.kept['ended'].id}"),
    Scene("/wallet", "wallet", "/wallet"),
    Scene("/wallet", "wallet before receiving", _change_code),
    Scene("/wallet", "wallet with a wrong code", "/wallet?code=hello"),
    Scene("/sign-in", "sign in"),
    Scene("/recovery", "recovery"),
    Scene("/invitation/{secret:str}", "invitation", lambda town: town.kept["invitation"]),
    Scene("/parts", "parts"),
    Scene("/problems/{slug:str}", "page of a problem", "/problems/refused"),
    Scene("/c/{name:str}", "no such connector", "/c/nowhere-1", 404),
)
STATION = "/stations/{identity:str}"
OWNERS = (
    Scene("/overview", "overview"),
    Scene("/start", "first steps"),
    Scene("/stations", "stations"),
    Scene("/stations", "stations, none matches", "/stations?q=nobody"),
    Scene("/stations/new", "add station"),
    Scene(STATION, "station", _station("")),
    Scene(STATION, "station, messages", _station("messages")),
    Scene(STATION, "station, configuration", _station("configuration")),
    Scene(STATION, "station, commands", _station("commands")),
    Scene(STATION, "station, settings", _station("settings")),
    Scene(STATION, "station that waits", "/stations/NEW-ONE"),
    Scene(STATION + "/sheet", "QR sheet of a station", "/stations/TOWN-HALL/sheet"),
    Scene("/stations/qr", "QR sheets"),
    Scene("/sessions", "sessions"),
    Scene("/sessions", "sessions, none matches", "/sessions?q=nobody"),
    Scene("/sessions/{session_id:str}", "session", lambda town: f"/sessions/{town.kept['ended'].id}"),
    Scene("/sessions/{session_id:str}", "session running", lambda town: f"/sessions/{town.kept['running'].id}"),
    Scene("/tariffs", "tariffs"),
    Scene("/tariffs/new", "new tariff"),
    Scene("/tariffs/{tariff_id:str}", "tariff", lambda town: f"/tariffs/{_tariff_id(town)}"),
    Scene("/tariffs/{tariff_id:str}/edit", "change tariff", lambda town: f"/tariffs/{_tariff_id(town)}/edit"),
    Scene("/tags", "RFID tags"),
    Scene("/payments", "payments"),
    Scene("/payments", "payments, paid out", "/payments?tab=out"),
    Scene("/payments/{payment_hash:str}", "payment", lambda town: f"/payments/{_invoice(town).payment_hash}"),
    Scene("/payments/out/{payout_id:str}", "payout", lambda town: f"/payments/out/{_payout(town).id}"),
    Scene("/owed", "change owed"),
    Scene("/journal", "journal"),
    Scene("/accounts", "accounts"),
    Scene("/people", "people"),
    Scene("/audit", "audit log"),
    Scene("/settings", "settings"),
    Scene("/rails", "rails"),
    Scene("/tokens", "tokens"),
    Scene("/devices", "devices"),
    Scene("/prove", "prove it is you", "/prove?next=/people"),
    Scene("/jobs", "jobs"),
    Scene(REFERENCE, "API reference"),
)
EMPTY_PATHS = (
    *("/overview", "/start", "/stations", "/stations/qr", "/sessions", "/tariffs", "/tags", "/payments", "/owed"),
    *("/journal", "/accounts", "/audit", "/tokens", "/jobs", "/wallet"),
)
EMPTY = tuple(Scene(path, f"empty {path[1:].replace('/', ' ')}") for path in EMPTY_PATHS)
FIRST = (Scene("/setup/{secret:str}", "set-up", lambda town: town.serving.setup_link.removeprefix(town.url())),)
