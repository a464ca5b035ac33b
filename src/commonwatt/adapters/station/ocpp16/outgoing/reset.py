"""Reset (OCPP 1.6, 5.14)."""

from __future__ import annotations

from typing import Any


def request(*, hard: bool) -> tuple[str, dict[str, Any]]:
    """Ask to restart: softly, ending transactions in order, or hard."""
    return "Reset", {"type": "Hard" if hard else "Soft"}
