"""Shared words: quantity, amount, currency, instant, ids, errors, outcome, digest, place, said. Standard library."""

from commonwatt.kernel.amount import BTC, ENERGY, EUR, Amount, Asset, Rounding, amount_text, divide
from commonwatt.kernel.currency import is_currency
from commonwatt.kernel.digest import digest_of, sha256_hex
from commonwatt.kernel.errors import Broken, Fault, Missing, Refused, Unavailable
from commonwatt.kernel.ids import Ids, RandomIds, SeededIds, uuid7
from commonwatt.kernel.instant import Clock, Instant
from commonwatt.kernel.outcome import Done, Failed, Outcome, Unknown
from commonwatt.kernel.place import CONNECTORS_MAX
from commonwatt.kernel.quantity import MilliAmpere, MilliVolt, Seconds, Watt, WattHour
from commonwatt.kernel.said import Said, said

__all__ = [
    "BTC",
    "CONNECTORS_MAX",
    "ENERGY",
    "EUR",
    "Amount",
    "Asset",
    "Broken",
    "Clock",
    "Done",
    "Failed",
    "Fault",
    "Ids",
    "Instant",
    "MilliAmpere",
    "MilliVolt",
    "Missing",
    "Outcome",
    "RandomIds",
    "Refused",
    "Rounding",
    "Said",
    "Seconds",
    "SeededIds",
    "Unavailable",
    "Unknown",
    "Watt",
    "WattHour",
    "amount_text",
    "digest_of",
    "divide",
    "is_currency",
    "said",
    "sha256_hex",
    "uuid7",
]
