"""Made-up sessions in every state, for tests of the driver's pages."""

from __future__ import annotations

from dataclasses import replace

from commonwatt.charging.charge import Charge, Kind, Progress
from commonwatt.charging.model.session import Session, Status
from commonwatt.kernel import BTC, EUR, Amount, Instant
from commonwatt.payments.reports import Invoice, Stage
from commonwatt.stations import ConnectorView
from commonwatt.tariffs import Component, Element, Rate, Restrictions, Tariff, advance, bill, open_tally
from commonwatt.tariffs import Kind as Dimension

NOW = Instant.parse("2026-05-01T12:00:00Z")
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2Vj"
BOLT11 = "lnbcrt145440n1p" + "qpzry9x8gf2tvdw0s3jn54khce6mua7l" * 8


def connector(status: str = "Available", **changes) -> ConnectorView:
    view = ConnectorView(
        "CP-1",
        1,
        "cp-1-1",
        "left socket",
        status,
        "NoError",
        "",
        "",
        NOW.ms,
        NOW.ms,
        True,
        "Hilltop garage",
        "admitted",
    )
    return replace(view, **changes)


def tariff() -> Tariff:
    return Tariff(
        id="t1",
        version="v1",
        name="Standard",
        asset=EUR,
        elements=(
            Element(
                (Component(Dimension.PARKING_TIME, 3_000_000, 210_000, 60),),
                Restrictions(start_minute=480, end_minute=1200, weekdays=(0, 1, 2, 3, 4), min_parked_s=1800),
            ),
            Element((Component(Dimension.ENERGY, 420_000, 210_000),)),
            Element((Component(Dimension.FLAT, 500_000, 210_000),)),
        ),
        timezone="Europe/Prague",
        vat_included=True,
    )


def pair(units: int) -> dict:
    return {"amount": Amount(EUR, units), "sats": Amount(BTC, units * 1454 // 1000)}


def connector_context(state: str = "free", **changes) -> dict:
    choices = [{"msat": 1454 * euro * 1000, **pair(euro * 1_000_000), "energy_wh": euro * 2380} for euro in (5, 10, 20)]
    return {
        "connector": connector(),
        "state": state,
        "tariff": tariff(),
        "choices": choices,
        "chosen": choices[1]["msat"],
        "preview": {"energy_wh": 30_000, "duration_s": 3600, **pair(13_100_000)},
        "least": Amount(EUR, 70_000),
        "most": Amount(EUR, 687_000_000),
        "currency": "EUR",
        "address": "cp-1-1@charge.example",
        "lnurl": "lnurl1dp68gurn8ghj7cmgv9e8xetvv9ehxtn90psk6urvv5h8xurpwf3xsmrvwd",
        "typed": "",
        "wrong": "",
        "beyond": False,
        "trouble": "",
        **changes,
    }


def charge(status: str, **session) -> Charge:
    values = {"paid_msat": 14_540_000, "cost_msat": 6_113_000, "energy_wh": 9_020, **session}
    if status == "offered":
        values = {}
    return Charge(
        id="019a7c7e-0000-7000-8000-000000000001",
        secret=SECRET,
        kind=Kind.PREPAID,
        station="CP-1",
        connector=1,
        id_tag="CWTAG",
        tariff_version="v1",
        rate_id="r1",
        made=NOW.plus(seconds=-2760),
        progress=Progress(Session(Status(status), **values), power_w=11_040),
        began=None if status in {"offered", "starting"} else NOW.plus(seconds=-2700),
        ended=NOW if status in {"ended", "cancelled"} else None,
        gross_units=4_203_100,
    )


def invoice(msat: int = 14_540_000) -> Invoice:
    return Invoice(
        "ab" * 32,
        "session/1",
        "session:1",
        "sandbox",
        msat,
        0,
        Stage.OPEN,
        None,
        True,
        "Charging",
        None,
        BOLT11,
        NOW,
        NOW.plus(seconds=572),
        None,
    )


def chart() -> dict:
    start = NOW.ms - 2_700_000
    power = [
        [start + 60_000 * step, None if step in {20, 21} else 11.04 - 0.09 * max(0, step - 30)] for step in range(46)
    ]
    energy = [[at, 0.18 * step] for step, (at, _) in enumerate(power)]
    common = {"scale": 0.001}
    return {
        "unit": "kW",
        "from": start,
        "to": NOW.ms,
        "series": [
            {"name": "Power", "meaning": "car", "shape": "step-area", "points": power, "field": "power_w", **common},
            {
                "name": "Energy",
                "meaning": "battery",
                "shape": "line",
                "axis": 1,
                "unit": "kWh",
                "points": energy,
                "field": "energy_wh",
                **common,
            },
        ],
    }


def session_context(status: str, change_state: str = "running", **changes) -> dict:
    one = charge(status)
    return {
        "charge": one,
        "connector": connector("Charging"),
        "tariff": tariff(),
        "invoice": invoice() if status == "offered" else None,
        "price": pair(10_000_000),
        "cost": pair(4_203_100),
        "left": pair(5_796_900),
        "change": pair(5_796_900),
        "used_percent": 42,
        "power_w": 11_040 if status == "charging" else 0,
        "began": one.began,
        "ended": one.ended,
        "duration_s": 2700,
        "lasts": {"energy_wh": 12_600, "until": NOW.plus(seconds=4100)},
        "deadline": NOW.plus(seconds=71) if status in {"starting", "started"} else None,
        "chart": chart() if one.began else None,
        "top_up": None,
        "top_ups": [{"msat": 7_270_000, **pair(5_000_000)}, {"msat": 14_540_000, **pair(10_000_000)}],
        "change_state": change_state,
        "change_lnurl": "lnurl1dp68gurn8ghj7cmgv9e8xetvv9ehxtn90psk6urvv5h8xurpwf3xsmrvwd"
        if change_state in {"owed", "failed"}
        else "",
        "address": "",
        "address_shown": "",
        "wallet_host": "",
        "sending": "",
        "typed_address": "",
        "least": Amount(EUR, 70_000),
        "most": Amount(EUR, 687_000_000),
        "beyond": False,
        "receipt": "/r/019a7c7e-0000-7000-8000-000000000001" if status == "ended" else "",
        "wrong": "",
        **changes,
    }


def receipt_context(**changes) -> dict:
    tally = advance(tariff(), open_tally(tariff(), NOW.plus(seconds=-2700)), NOW, 9_020, 11_000, charging=True)
    return {
        "charge": charge("ended", billed=True, billed_msat=6_113_000),
        "connector": connector(),
        "tariff": tariff(),
        "bill": bill(tariff(), tally),
        "vat": bill(tariff(), tally).vat,
        "waived": 0,
        "began": NOW.plus(seconds=-2700),
        "ended": NOW,
        "duration_s": 2700,
        "meter_start_wh": 1_203_400,
        "meter_stop_wh": 1_212_420,
        "total": pair(4_288_400),
        "paid": pair(10_000_000),
        "returned": pair(5_000_000),
        "owed": pair(711_600),
        "rate": Rate("rate/1", "EUR", 68_756_700_000, NOW, ("kraken",)),
        "digest": "9f" * 32,
        **changes,
    }
