"""ClearCache (OCPP 1.6, 5.4)."""

from __future__ import annotations

from typing import Any


def request() -> tuple[str, dict[str, Any]]:
    """Ask to forget remembered id tags."""
    return "ClearCache", {}
