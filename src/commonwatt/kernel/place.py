"""Where one charges: the limits of a station's connectors, the same for all who read, price or hear them."""

from __future__ import annotations

from typing import Final

CONNECTORS_MAX: Final = 64
"""The highest connector number that is believed: a station registers every number up to its own (OCPP 1.6, 7.8)."""
