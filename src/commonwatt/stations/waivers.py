"""Waivers: the oddities of one station that its owner may accept."""

from __future__ import annotations

SLOW_START = "slow-start"
"""StartTransaction is answered after one second; some stations drop the link after a faster answer."""
WH_MEANS_KWH = "wh-means-kwh"
"""The station's energy register counts kWh though it says Wh."""
NO_SUBPROTOCOL = "no-subprotocol"
"""The station may connect without naming a subprotocol; it is taken for OCPP 1.6."""
WAIVERS = (SLOW_START, WH_MEANS_KWH, NO_SUBPROTOCOL)
"""Exceptions that a station may be granted; what each means is said on the page."""
