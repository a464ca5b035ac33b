"""Members of a message, read strictly enough to pay by."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from commonwatt.protocols.lnurl.errors import LnurlError

_MSAT_MAX = 21_000_000 * 100_000_000_000
_TEXT_MAX = 400_000
"""Characters; metadata may carry an image."""


def read_text(message: dict[str, Any], name: str) -> str:
    """Return a text. Raises LnurlError when it is absent, empty, too long or something else."""
    value = message.get(name)
    if not isinstance(value, str) or not value or len(value) > _TEXT_MAX:
        msg = f"its {name} is not a text that could be used"
        raise LnurlError(msg)
    return value


def read_amount(message: dict[str, Any], name: str) -> int:
    """Return a whole number from zero to all bitcoin there will be. Raises LnurlError."""
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MSAT_MAX:
        msg = f"its {name} is not a whole number of millisatoshi"
        raise LnurlError(msg)
    return value


def read_url(message: dict[str, Any], name: str) -> str:
    """Return a web address. Raises LnurlError."""
    value = read_text(message, name)
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        msg = f"its {name} is not a web address"
        raise LnurlError(msg)
    return value
