"""Tariffs: prices over time; price times energy gives an amount and a remainder. This is the front door."""

from commonwatt.tariffs.actions.assign_tariff import assign_tariff
from commonwatt.tariffs.actions.create_tariff import create_tariff
from commonwatt.tariffs.actions.forget_rates import forget_rates
from commonwatt.tariffs.actions.outdate_rates import outdate_rates
from commonwatt.tariffs.actions.refresh_rates import RatePolicy, refresh_rates, store_rate
from commonwatt.tariffs.actions.retire_tariff import retire_tariff
from commonwatt.tariffs.actions.revise_tariff import revise_tariff
from commonwatt.tariffs.document import parse_tariff, write_tariff
from commonwatt.tariffs.model.bill import Bill, Line, bill, cost, preview, rise_max
from commonwatt.tariffs.model.explain import explain, money
from commonwatt.tariffs.model.limit import Limit, limit_energy
from commonwatt.tariffs.model.rate import Quote, Rate, combine, covers, fiat_to_msat, msat_to_fiat
from commonwatt.tariffs.model.tally import Tally, advance, open_tally
from commonwatt.tariffs.model.tariff import Component, Element, Kind, Price, Restrictions, Tariff
from commonwatt.tariffs.store import (
    Assignment,
    Listed,
    Version,
    assignment_history,
    current_rate,
    history,
    list_rates,
    list_tariffs,
    rate_by_id,
    show_tariff,
    tariff_by_id,
    tariff_for,
    version_at,
)

__all__ = [
    "Assignment",
    "Bill",
    "Component",
    "Element",
    "Kind",
    "Limit",
    "Line",
    "Listed",
    "Price",
    "Quote",
    "Rate",
    "RatePolicy",
    "Restrictions",
    "Tally",
    "Tariff",
    "Version",
    "advance",
    "assign_tariff",
    "assignment_history",
    "bill",
    "combine",
    "cost",
    "covers",
    "create_tariff",
    "current_rate",
    "explain",
    "fiat_to_msat",
    "forget_rates",
    "history",
    "limit_energy",
    "list_rates",
    "list_tariffs",
    "money",
    "msat_to_fiat",
    "open_tally",
    "outdate_rates",
    "parse_tariff",
    "preview",
    "rate_by_id",
    "refresh_rates",
    "retire_tariff",
    "revise_tariff",
    "rise_max",
    "show_tariff",
    "store_rate",
    "tariff_by_id",
    "tariff_for",
    "version_at",
    "write_tariff",
]
