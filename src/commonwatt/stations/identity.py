"""Identities of stations and names of connectors: what may be the end of an address."""

from __future__ import annotations

import re

from commonwatt.kernel import said
from commonwatt.stations.errors import IdentityInvalid

_IDENTITY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _.:*=|+@-]{0,46}[A-Za-z0-9_.:*=|+@-])?", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)


def check_identity(identity: str) -> str:
    """Return an identity that may be used; raises IdentityInvalid (OCPP-J 1.6, 3.1.1: it ends the station's URL).

    A space inside is one: stations write it as `%20` there, as that section asks. One at an end is a slip of typing.
    """
    if not _IDENTITY.fullmatch(identity):
        msg = said(
            "An identity has 1 to 48 letters, digits or characters of ` _ . : * = | + @ -`, and spaces inside. It "
            "begins with a letter or a digit. Choose another one and enter the same at the station."
        )
        raise IdentityInvalid(msg, identity=identity[:60])
    return identity


def name_of(identity: str, number: int) -> str:
    """Return the usual name of a connector: the identity in small letters, a hyphen, its number."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", identity.lower()).strip("-._") or "station"
    return f"{plain[:50]}-{number}"


def is_name(name: str) -> bool:
    """Whether a text can be a connector's name: the end of its page's address and of its Lightning address (LUD-16)."""
    return _NAME.fullmatch(name) is not None
