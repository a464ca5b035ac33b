"""OCPP 1.6J: one file per message, each translating to a neutral call; the rules of charging live in charging.

Reading order: `dialect` (what the link calls), `routes` (action to handler), `incoming/` and `outgoing/` (one file per
message), `check` and `repair` (the standard's schemas, and what real stations do slightly wrong), `samples`, `times`.
"""

from commonwatt.adapters.station.ocpp16.dialect import Ocpp16

__all__ = ["Ocpp16"]
