"""Made-up values for every page of the owner, full."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from msgspec.structs import replace as changed
from tests.kit import pages_fakes as fakes

from commonwatt.books.model.posting import Entry, Posting
from commonwatt.books.queries import AccountState, TrialLine
from commonwatt.charging.charge import account_of_tag
from commonwatt.charging.queries import Totals
from commonwatt.charging.session_view import ORDER
from commonwatt.kernel import BTC, EUR, Amount
from commonwatt.kit.database.outbox import Job
from commonwatt.payments.asking import RailState
from commonwatt.payments.ports import Capabilities, RailBalance
from commonwatt.payments.queries import PaymentSums
from commonwatt.payments.reports import Payout, PayoutState
from commonwatt.stations.queries import FrameView, QuirkView, SettingView, StationView
from commonwatt.tariffs import Assignment, Listed, Rate, Version, preview
from commonwatt.tariffs.pages import Example, Priced

NOW = fakes.NOW


def station(**changes) -> StationView:
    known = StationView(
        "CP-1",
        "Hilltop garage",
        "admitted",
        True,
        True,
        (),
        "Virta",
        "M22",
        "SN-1",
        "1.4.2",
        "Available",
        "NoError",
        "192.0.2.7",
        "ocpp1.6",
        NOW.ms - 10**9,
        NOW.ms - 10**9,
        NOW.ms - 10**7,
        NOW.ms - 4000,
        NOW.ms - 10**6,
        None,
        -1200,
        23,
    )
    return replace(known, **changes)


def listed() -> Listed:
    place = Assignment("a1", "CP-1", 1, "t1", NOW, NOW, "Alice")
    return Listed("t1", "Standard", None, 2, fakes.tariff(), (place,))


def posting() -> Posting:
    amount = Amount(BTC, 6_113_000)
    entries = (Entry.debit("session:019a7c7e", amount), Entry.credit("revenue:energy", amount))
    return Posting(42, "bill:1", NOW, "Energy of a session", "session/019a7c7e", entries)


def payout() -> Payout:
    return Payout(
        "p1",
        "change:1:0",
        "h1",
        "cd" * 32,
        fakes.BOLT11,
        "session/1",
        "session:1",
        "sandbox",
        8_429_000,
        50_000,
        1_000,
        PayoutState.PENDING,
        True,
        "no answer yet; we ask again",
        NOW,
        NOW,
        None,
    )


SUMS = PaymentSums(
    Amount(BTC, 9 * 10**9), 12, Amount(BTC, 10**9), 4, Amount(BTC, 5_000), Amount(BTC, 10**8), Amount(BTC, 0)
)
CHARGES = [fakes.charge("charging"), fakes.charge("ended"), fakes.charge("cancelled"), fakes.charge("offered")]
EVENTS = [{"what": "Paid", "when": NOW, "tone": "ok", "icon": "zap", "who": "driver", "why": "14,540 sats"}]
STORY = [
    {"kind": kind, "when": NOW, "money": fakes.pair(5_000_000), "why": "Local", "number": 7}
    for kind in (*ORDER, "given-back", "claimed", "returned", "undelivered")
]
ROW = SimpleNamespace(
    id=7,
    id_tag="04A1",
    holder="Bob",
    state="accepted",
    made_ms=NOW.ms,
    meter_start_wh=1,
    meter_stop_wh=None,
    stop_reason=None,
)
PREVIEW = preview(fakes.tariff(), 30_000, 3600, 0, NOW)
SHEET = "http://localhost:8080/c/cp-1-1"
NAMES = {"CP-1": "Hilltop garage"}

FULL = {
    "charging/overview.html": {
        "day": Totals(4, 84_250, 9_000_000, 12_000_000, 0),
        "yesterday": Totals(2, 64_250, 9_000_000, 12_000_000, 0),
        "earned": Amount(EUR, 35_000_000),
        "billed": Amount(BTC, 58_000_000),
        "power_w": 11_040,
        "running": 1,
        "unseen": 3,
        "history": {"energy": [1, None, 4, 5], "money": [1, 2, 3, 4]},
        "cards": [
            {"connector": fakes.connector("Charging"), "charge": CHARGES[0], "cost": fakes.pair(4_200_000)},
            {"connector": fakes.connector(name="cp-1-2", number=2), "charge": None, "cost": None},
        ],
        "needs": [
            {"text": "CP-9 waits", "href": "/stations", "action": "Admit it", "tone": "warn", "icon": "hourglass"}
        ],
        "counts": {"admitted": 3, "connected": 2},
        "chart": fakes.chart(),
    },
    "charging/sessions.html": {
        "sessions": CHARGES,
        "next_cursor": "x",
        "names": NAMES,
        "filtered": False,
        "totals": Totals(4, 84_250, 9, 9, 0),
        "running": 1,
        "owed": {"sessions": 2, **fakes.pair(5_000_000)},
        "changes": {charge.id: fakes.pair(1_000_000) for charge in CHARGES},
        "by": "month",
        "chart": fakes.chart(),
        "span": {"sessions": 4, "energy_wh": 84_250, "money": Amount(EUR, 35_000_000)},
    },
    "charging/owner_session.html": {
        "charge": fakes.charge("ended"),
        "connector": fakes.connector(),
        "tariff": fakes.tariff(),
        "bill": PREVIEW,
        "chart": fakes.chart(),
        "events": STORY,
        "invoices": [fakes.invoice()],
        "payouts": [payout()],
        "money_of": {"ab" * 32: fakes.pair(5_000_000), "p1": fakes.pair(-1_000_000)},
        "postings": [posting()],
        "transaction": ROW,
        "may_act": True,
        "duration_s": 3600,
        "readings": 60,
        "id_tag": "CWA1",
        "address": "ada@wallet.example",
        "rate": Rate("r1", "EUR", 68_756_700_000, NOW, ("kraken", "bitstamp")),
        "late_wh": 700,
        "uncollected": fakes.pair(200_000),
        "left": fakes.pair(1_000_000),
        "done": "stop",
        **{name: fakes.pair(4_200_000) for name in ("cost", "paid", "returned", "owed", "locked")},
    },
    "charging/owed.html": {
        "sessions": [changed(fakes.charge("ended", billed=True, billed_msat=9), withheld=NOW)],
        "next_cursor": None,
        "number": 1,
        "total": fakes.pair(5_000_000),
        "addresses": {CHARGES[1].id: None},
        "money": {CHARGES[1].id: {"paid": fakes.pair(9_000_000), "owed": fakes.pair(5_000_000)}},
        "withheld": [CHARGES[1].id],
        "withheld_total": fakes.pair(5_000_000),
        "addressed": 0,
        "may_release": True,
        "done": "released",
        "names": NAMES,
    },
    "charging/tags.html": {
        "tags": [ROW],
        "account_of_tag": lambda tag_id: account_of_tag(str(tag_id)),
        "next_cursor": None,
        "may_change": True,
        "errors": [],
        "typed": {},
        "filtered": False,
        "done": "added",
    },
    "stations/stations.html": {
        "stations": [station(), station(identity="CP-2", connected=False)],
        "waiting": [station(state="waiting", vendor=None, model=None)],
        "connectors": {"CP-1": [fakes.connector(), fakes.connector("Faulted")]},
        "next_cursor": None,
        "filtered": False,
        "may_change": True,
        "counts": {"admitted": 2, "connected": 1},
        "address": "ws://localhost:8887/ocpp/",
    },
    "stations/added.html": {
        "identity": "CP-9",
        "name": "Yard",
        "password": "abc",
        "shown_before": False,
        "address": "ws://localhost:8887/ocpp/CP-9",
    },
    "stations/new_station.html": {
        "address": "ws://localhost:8887/ocpp/",
        "typed": {},
        "granted": ["slow-start"],
        "with_password": True,
        "errors": [{"field": "identity", "message": "Taken."}],
        "trial": False,
        "once": "1f",
    },
    "stations/station.html": {
        "once": "1f",
        "station": station(),
        "connectors": [fakes.connector("Charging"), fakes.connector("Faulted", error_code="GroundFailure")],
        "tab": "overview",
        "may_change": True,
        "may_command": True,
        "sees_tags": False,
        "done": "renamed",
        "waivers": ["slow-start"],
        "quirks": [QuirkView("unit", "sends kWh as Wh", 3, NOW.ms, NOW.ms)],
        "running": {1: CHARGES[0]},
        "tariffs": {1: fakes.tariff(), 2: None},
        "power_w": 7000,
        "today": {"sessions": 2, "energy_wh": 12_000, "money": Amount(EUR, 5_000_000)},
        "sessions": CHARGES,
        "drifts": True,
        "tags": [ROW],
        "triggers": ["Heartbeat"],
        "chart": {
            "unit": "kW",
            "series": [{"label": "", "number": 1, "meaning": "car", "dash": "long", "points": [[NOW.ms, 7]]}],
        },
        "frames": [FrameView(1, "CP-1", NOW.ms, "in", "call", "Heartbeat", "m1", '[2,"m1","Heartbeat",{}]')],
        "next_cursor": None,
        "filtered": False,
        "settings": [
            SettingView("HeartbeatInterval", "60", False, NOW.ms),
            SettingView("NumberOfConnectors", "2", True, NOW.ms),
        ],
        "commands": ["Reset"],
        "sent": {"action": "Reset", "outcome": "answer", "status": "Accepted"},
    },
    "stations/qr_sheet.html": {
        "sheets": [{"connector": fakes.connector(), "url": SHEET, "code": SHEET}],
        "back": "/stations",
    },
    "payments/payments.html": {
        "tab": "in",
        "invoices": [fakes.invoice()],
        "payouts": [payout()],
        "next_cursor": None,
        "filtered": False,
        "sums": SUMS,
        "worths": {
            **dict.fromkeys(("received", "paid_out", "ab" * 32), Amount(EUR, 5_400_000)),
            **dict.fromkeys(("fees", "open", "p1")),
        },
        "rail_names": ["sandbox", "lnd"],
    },
    "payments/payment.html": {
        "invoice": fakes.invoice(),
        "payout": None,
        "may_decide": False,
        "fiat": Amount(EUR, 10_000_000),
        "events": EVENTS,
        "postings": [posting()],
    },
    "payments/rails.html": {
        "rails": [
            RailState("lnd", Capabilities(True, True, True, True), RailBalance(10**9, 10**8), None),
            RailState("sandbox", Capabilities(False, False, False, False), None, "It does not answer."),
        ]
    },
    "tariffs/tariffs.html": {
        "tariffs": [listed()],
        "next_cursor": None,
        "filtered": False,
        "may_change": True,
        "names": NAMES,
        "rate": Rate("r1", "EUR", 68_756_700_000, NOW, ("kraken", "bitstamp")),
        "rate_why": "",
        "now": NOW,
    },
    "tariffs/tariff.html": {
        "listed": listed(),
        "versions": [Version(fakes.tariff(), 1, NOW, "Alice")],
        "may_change": True,
        "names": NAMES,
        "preview": {
            "energy_kwh": "30",
            "minutes": "60",
            "parked": "0",
            "start": "",
            "begins": NOW,
            "bill": PREVIEW,
            "sats": None,
            "wrong": "",
        },
        "beyond": {"least": fakes.pair(600_400_000), "most": fakes.pair(500_000_000)},
        "assignments": list(listed().places),
        "places": [{"value": "CP-1/1", "name": "Hilltop garage", "number": 1, "label": ""}],
        "now": NOW,
        "done": "made",
    },
    "tariffs/edit_tariff.html": {
        "listed": listed(),
        "typed": {"energy": "0,42"},
        "errors": [{"field": "energy", "message": "Write 0.42."}],
        "draft": fakes.tariff(),
        "priced": Priced([Example(30_000, 3600, 0, PREVIEW, None)], NOW, "", ""),
        "expected": "v1",
        "currency": "EUR",
    },
    "books/journal.html": {
        "holders": {"revenue:energy": "Bob"},
        "postings": [posting()],
        "next_cursor": "41",
        "filtered": False,
        "assets": ["BTC", "EUR"],
        "balanced": True,
        "checked": NOW,
    },
    "books/accounts.html": {
        "holders": {"revenue:energy": "Bob"},
        "accounts": [AccountState("revenue:energy", Amount(BTC, -9_000), Amount(BTC, 0))],
        "next_cursor": None,
        "filtered": False,
        "assets": ["BTC", "EUR"],
        "at": NOW,
        "trial": [TrialLine("revenue:energy", Amount(EUR, 0), Amount(EUR, 9_000_000))],
    },
    "jobs.html": {
        "jobs": [
            Job(1, "payments.SettleInvoice", {"hash": "ab"}, "dead", 9, NOW.ms, NOW.ms, "no route"),
            Job(2, "x", {}, "waiting", 0, NOW.ms, NOW.ms),
        ],
        "counts": {"dead": 1},
        "kinds": {"payments.SettleInvoice": "Take a locked payment"},
        "next_cursor": None,
        "may_change": True,
    },
    "settings.html": {
        "groups": [
            {
                "name": "site",
                "keys": [
                    {"name": "site.name", "shown": "Hilltop", "origin": "file", "says": "the name", "variable": "X"}
                ],
            }
        ],
        "file": "/etc/commonwatt.toml",
        "has_file": True,
        "facts": [("Version", "0.1.0")],
    },
    "start.html": {
        "steps": [
            {"done": True, "title": "Sign in", "text": "You did.", "href": "", "action": ""},
            {"done": False, "title": "Tariff", "text": "One price.", "href": "/tariffs/new", "action": "Make tariff"},
        ],
        "alone": True,
        "address": "ws://localhost:8887/ocpp/",
    },
}
