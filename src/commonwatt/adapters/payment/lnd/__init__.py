"""LND as a payment backend, over its REST interface; `LndConfig` names a node, `LndRail` speaks to it."""

from commonwatt.adapters.payment.lnd.config import LndConfig
from commonwatt.adapters.payment.lnd.rail import LndRail

__all__ = ["LndConfig", "LndRail"]
