"""Why the machine or the network said no, in words that a person reads."""

from __future__ import annotations

import os
import ssl


def reason_of(error: BaseException) -> str:
    """Return the reason alone, `connection refused`: neither the error's class nor its number nor its addresses."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return reason_of(inner)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0 and not isinstance(error, ssl.SSLError):
        return _begun_small(os.strerror(number))
    return _begun_small(str(getattr(error, "strerror", None) or inner or error) or type(error).__name__)


def _begun_small(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
