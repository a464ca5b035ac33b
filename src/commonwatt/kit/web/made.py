"""What was just made, and where it is from now on (RFC 9110, 15.3.2 and 10.2.2)."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote

from commonwatt.kit.web.encoding import Answer

T = TypeVar("T")


class Made(Answer[T]):
    """An answer with `Location`: what was made has an address of its own."""


def made(value: T, collection: str, name: str) -> Made[T]:
    """Answer with what was made in a collection such as `/api/v1/stations`, under its name there."""
    return Made(value, headers={"Location": f"{collection}/{quote(name, safe='')}"})
