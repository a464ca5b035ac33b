"""Tariffs: prices over time; price times energy gives an amount and a remainder. This is the front door."""

from commonwatt.tariffs.model.bill import Bill, Line, bill, cost, preview
from commonwatt.tariffs.model.explain import explain, money
from commonwatt.tariffs.model.limit import Limit, limit_energy
from commonwatt.tariffs.model.rate import Quote, Rate, combine, fiat_to_msat, msat_to_fiat
from commonwatt.tariffs.model.tally import Tally, advance, open_tally
from commonwatt.tariffs.model.tariff import Component, Element, Kind, Price, Restrictions, Tariff

__all__ = [
    "Bill",
    "Component",
    "Element",
    "Kind",
    "Limit",
    "Line",
    "Price",
    "Quote",
    "Rate",
    "Restrictions",
    "Tally",
    "Tariff",
    "advance",
    "bill",
    "combine",
    "cost",
    "explain",
    "fiat_to_msat",
    "limit_energy",
    "money",
    "msat_to_fiat",
    "open_tally",
    "preview",
]
