"""A charge by what somebody gave for it, or a refusal that says what to do."""

from __future__ import annotations

from sqlalchemy import Connection

from commonwatt.charging import store
from commonwatt.charging.charge import Charge
from commonwatt.charging.errors import NoSuchSession
from commonwatt.kernel import said

_ID_SHOWN = 60
"""So many characters of an id that fits nothing are repeated in what refuses it."""


def charge_named(sql: Connection, session_id: str) -> Charge:
    """Return the charge of an id that a member or a program gave. Raises NoSuchSession."""
    charge = store.charge_by_id(sql, session_id)
    if charge is None:
        hint = said("There is no session of this id. Search the list of sessions.")
        raise NoSuchSession(hint, session=session_id[:_ID_SHOWN])
    return charge


def charge_behind(sql: Connection, secret: str) -> Charge:
    """Return the charge behind the secret link that a driver gave. Raises NoSuchSession."""
    charge = store.charge_by_secret(sql, secret)
    if charge is None:
        raise NoSuchSession(said("No session has this link. Check that it was copied whole."))
    return charge
