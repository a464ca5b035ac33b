"""A charge or a connector by what somebody gave for it, or a refusal that says what to do."""

from __future__ import annotations

from sqlalchemy import Connection

from commonwatt.charging import store
from commonwatt.charging.charge import Charge
from commonwatt.charging.errors import ConnectorOut, NoSuchConnector, NoSuchSession
from commonwatt.kernel import said
from commonwatt.stations import ConnectorView, find_connector
from commonwatt.stations.ports import StationLine

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


def connector_named(sql: Connection, name: str) -> ConnectorView:
    """Return the connector that a code names, at a station of ours. Raises NoSuchConnector."""
    view = find_connector(sql, name)
    if view is None or view.station_state != "admitted":
        hint = said("No charge point is named %(name)s. Scan its code again.", name=repr(name[:64]))
        raise NoSuchConnector(hint, connector=name[:64])
    return view


def check_line(line: StationLine, view: ConnectorView) -> None:
    """Pass a connector whose station is connected. Raises ConnectorOut."""
    if not line.is_connected(view.station):
        raise is_offline(view)


def is_offline(view: ConnectorView) -> ConnectorOut:
    """Return the refusal to sell at a connector whose station is away."""
    return ConnectorOut(
        said("The charge point is offline, so it cannot start. Nothing was charged."), connector=view.name
    )
