"""The receipt of a session: facts as JSON whose digest names them, and the same as a PDF by typst."""

from __future__ import annotations

import importlib.resources
from typing import Any, NamedTuple

import typst
from sqlalchemy import Connection

from commonwatt.charging import store
from commonwatt.charging.charge import Charge
from commonwatt.charging.driver_view import bill_told, both, cost_of, duration_s, place_told
from commonwatt.charging.pricing import rate_of, tariff_of
from commonwatt.kernel import Instant, Rounding, digest_of, divide
from commonwatt.kit.web import Site
from commonwatt.tariffs import Bill


class Charged(NamedTuple):
    """What of a bill is charged, in units of the tariff's asset; `waived` was delivered beyond what was paid."""

    net: int = 0
    vat: int = 0
    waived: int = 0


def charged_of(charge: Charge, bill: Bill | None) -> Charged:
    """Return what of a bill is charged: all of it, or the share of a credit that did not suffice, as the books have it.

    The VAT of the share is rounded down, the rest of it is net; on the books both are the same to the msat.
    """
    if bill is None or bill.gross <= 0:
        return Charged()
    earned = charge.earned_units
    vat = divide(bill.vat * earned, bill.gross, Rounding.DOWN).quotient
    return Charged(earned - vat, vat, bill.gross - earned)


def receipt_of(sql: Connection, charge: Charge, site: Site) -> dict[str, Any]:
    """Return the facts of a receipt as JSON values without floats; `digest` is over all the others.

    `waived` is there only where something was delivered beyond what was paid.
    """
    session, bill = charge.session, bill_told(sql, charge)
    charged = charged_of(charge, bill)
    row = store.transaction_by_id(sql, session.transaction_id) if session.transaction_id else None
    rate = rate_of(sql, charge)
    facts: dict[str, Any] = {
        "receipt": charge.id,
        "issuer": site.name,
        "contact": site.contact,
        "station": charge.station,
        "connector": charge.connector,
        "began": _iso(charge.began),
        "ended": _iso(charge.ended),
        "energy_wh": session.energy_wh,
        "meter_start_wh": row.meter_start_wh if row else None,
        "meter_stop_wh": row.meter_stop_wh if row else None,
        "tariff_version": charge.tariff_version,
        "asset": charge.asset,
        "lines": [
            {
                "kind": line.kind.value,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "vat_ppm": line.vat_ppm,
                "net": line.net,
                "vat": line.vat,
            }
            for line in (bill.lines if bill else ())
        ],
        "net": charged.net,
        "vat": charged.vat,
        "gross": charged.net + charged.vat,
        "micro_per_btc": rate.micro_per_btc if rate else None,
        "paid_msat": session.paid_msat,
        "billed_msat": session.billed_msat,
        "change_msat": session.change_msat,
    }
    if charged.waived:
        facts["waived"] = charged.waived
    return {**facts, "digest": digest_of(facts)}


def receipt_context(sql: Connection, charge: Charge, site: Site, now: Instant) -> dict[str, Any]:
    """Return what the receipt's page shows."""
    tariff, rate = tariff_of(sql, charge), rate_of(sql, charge)
    session = charge.session
    facts = receipt_of(sql, charge, site)
    bill = bill_told(sql, charge)
    return {
        "charge": charge,
        "connector": place_told(sql, charge),
        "tariff": tariff,
        "bill": bill,
        "vat": facts["vat"],
        "waived": facts.get("waived", 0) if tariff.vat_included or bill is None else bill.net - facts["net"],
        "began": charge.began,
        "ended": charge.ended,
        "duration_s": duration_s(charge, now),
        "meter_start_wh": facts["meter_start_wh"],
        "meter_stop_wh": facts["meter_stop_wh"],
        "total": cost_of(tariff, rate, charge),
        "paid": both(tariff, rate, session.paid_msat),
        "returned": both(tariff, rate, charge.returned_msat),
        "owed": both(tariff, rate, charge.owed_msat),
        "rate": rate,
        "digest": facts["digest"],
    }


def receipt_pdf(words: str) -> bytes:
    """Return a receipt as a PDF of one page; `words` is `receipt_words.json`, rendered in its reader's language."""
    source = importlib.resources.files("commonwatt.charging").joinpath("templates/receipt.typ").read_bytes()
    return typst.compile(source, format="pdf", sys_inputs={"words": words})


def _iso(instant: Instant | None) -> str | None:
    return None if instant is None else instant.iso()
