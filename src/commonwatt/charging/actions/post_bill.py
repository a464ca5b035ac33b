"""Put a bill on the books: the driver's credit pays revenue, VAT and what rounding left; the energy is posted too."""

from __future__ import annotations

from commonwatt.books import Entry, post
from commonwatt.charging.charge import Charge, Kind
from commonwatt.charging.pricing import bill_of, rate_of, tariff_of, to_msat
from commonwatt.kernel import BTC, ENERGY, Amount, Asset, Rounding, divide
from commonwatt.kit.database import Work


def post_bill(work: Work, charge: Charge) -> None:
    """Post a session's bill and energy once.

    In msat each of net and VAT is rounded down; what that leaves of the billed amount goes to the rounding account.
    When the credit did not suffice, net and VAT share what was paid in proportion.
    """
    entries = _energy(charge)
    entries += _on_account(work, charge) if charge.kind is Kind.LOCAL else _prepaid(work, charge)
    if entries:
        memo = f"Charge at {charge.station}, connector {charge.connector}"
        post(work, f"bill:{charge.id}", entries, memo, charge.subject)


def _energy(charge: Charge) -> list[Entry]:
    delivered = Amount(ENERGY, charge.session.energy_wh)
    return [Entry.debit(f"energy:{charge.station}", delivered), Entry.credit("grid", delivered)] if delivered else []


def _prepaid(work: Work, charge: Charge) -> list[Entry]:
    billed = charge.session.billed_msat
    bill = bill_of(work.sql, charge)
    if billed <= 0 or bill is None:
        return []
    tariff, rate = tariff_of(work.sql, charge), rate_of(work.sql, charge)
    vat_msat = to_msat(tariff, rate, bill.vat)
    net_msat = to_msat(tariff, rate, bill.net)
    cost_msat = charge.session.cost_msat
    if billed < cost_msat:
        vat_msat = divide(vat_msat * billed, cost_msat, Rounding.DOWN).quotient
        net_msat = divide(net_msat * billed, cost_msat, Rounding.DOWN).quotient
    return [
        Entry.debit(charge.account, Amount(BTC, billed)),
        Entry.credit("revenue", Amount(BTC, net_msat)),
        Entry.credit("vat", Amount(BTC, vat_msat)),
        Entry.credit("rounding", Amount(BTC, billed - net_msat - vat_msat)),
    ]


def _on_account(work: Work, charge: Charge) -> list[Entry]:
    bill = bill_of(work.sql, charge)
    if bill is None or bill.gross <= 0:
        return []
    asset = Asset.of(charge.asset)
    return [
        Entry.debit(charge.debtor, Amount(asset, bill.gross)),
        Entry.credit("revenue", Amount(asset, bill.net)),
        Entry.credit("vat", Amount(asset, bill.vat)),
    ]
