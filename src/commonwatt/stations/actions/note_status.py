"""Connectors as they report: made when first heard of, changed when they say something new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.stations.actions.tell_station import tell_station
from commonwatt.stations.errors import ConnectorMissing, ConnectorNameTaken
from commonwatt.stations.events import ConnectorChanged
from commonwatt.stations.identity import is_name, name_of
from commonwatt.stations.store import connector

UNKNOWN = "Unknown"
"""The status of a connector that has not reported yet."""
NUMBER_MAX = 64
"""The highest connector number that is believed."""

_READ = "SELECT status, error_code, info, vendor_error FROM connector WHERE station = ? AND number = ?"
_CHANGE = (
    "UPDATE connector SET status = ?, error_code = ?, info = ?, vendor_error = ?, since_ms = ?, reported_ms = ? "
    "WHERE station = ? AND number = ?"
)
_REPEAT = "UPDATE connector SET reported_ms = ? WHERE station = ? AND number = ?"
_WHOLE = "UPDATE station SET status = ?, error_code = ? WHERE identity = ? AND (status IS NOT ? OR error_code IS NOT ?)"


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """What a connector says of itself (OCPP 1.6, 4.9); number 0 speaks for the whole station."""

    station: str
    number: int
    status: str
    error_code: str
    info: str = ""
    vendor_error: str = ""


def note_status(work: Work, reports: Sequence[ConnectorStatus]) -> None:
    """Take over what connectors report, in order; a change is an event, a repetition only refreshes the time."""
    repeated: list[tuple[int, str, int]] = []
    for report in reports:
        if report.number == 0:
            whole = (report.status, report.error_code)
            work.sql.exec_driver_sql(_WHOLE, (*whole, report.station, *whole))
            continue
        row = work.sql.exec_driver_sql(_READ, (report.station, report.number)).fetchone()
        if row is None:
            ensure_connector(work, report.station, report.number)
        said = (report.status, report.error_code, report.info, report.vendor_error)
        if row is not None and tuple(row) == said:
            repeated.append((work.now.ms, report.station, report.number))
            continue
        work.sql.exec_driver_sql(_CHANGE, (*said, work.now.ms, work.now.ms, report.station, report.number))
        if row is None or tuple(row)[:2] != said[:2]:
            work.emit(ConnectorChanged(report.station, report.number, report.status, report.error_code))
            tell_station(work, report.station, "connector", connector=report.number, status=report.status)
    if repeated:
        work.sql.exec_driver_sql(_REPEAT, repeated)


def ensure_connector(work: Work, identity: str, number: int) -> str:
    """Make a connector that nobody heard of yet; return its name, which no other has."""
    key = (connector.c.station == identity) & (connector.c.number == number)
    existing = work.sql.execute(select(connector.c.name).where(key)).first()
    if existing is not None:
        return str(existing.name)
    if not 1 <= number <= NUMBER_MAX:
        msg = said(
            "%(number)s is no connector's number; they count from 1 to %(most)s.", number=number, most=NUMBER_MAX
        )
        raise ConnectorMissing(msg, station=identity, connector=number)
    usual = name = name_of(identity, number)
    again = 1
    while work.sql.execute(select(connector.c.name).where(connector.c.name == name)).first():
        again += 1
        name = f"{usual}.{again}"
    work.sql.execute(
        insert(connector).values(
            station=identity, number=number, name=name, status=UNKNOWN, error_code="NoError", since_ms=work.now.ms
        )
    )
    return name


def rename_connector(
    work: Work, identity: str, number: int, *, name: str | None = None, label: str | None = None
) -> None:
    """Change the name in a connector's address, or its label. Printed QR codes of the old name stop working.

    Raises ConnectorMissing, and ConnectorNameTaken for a name that another connector has or no address can.
    """
    key = (connector.c.station == identity) & (connector.c.number == number)
    if work.sql.execute(select(connector.c.name).where(key)).first() is None:
        msg = said(
            "Station %(identity)s has no connector %(number)s. Look at its page for those it has.",
            identity=identity,
            number=number,
        )
        raise ConnectorMissing(msg, station=identity, connector=number)
    if name is not None:
        taken = work.sql.execute(select(connector.c.name).where(connector.c.name == name, ~key)).first()
        if taken or not is_name(name):
            shown = repr(name[:64])
            msg = (
                said("The name %(name)s belongs to another connector. Choose another one.", name=shown)
                if taken
                else said("The name %(name)s may have only a-z, 0-9, `-`, `_` and `.`. Choose another one.", name=shown)
            )
            raise ConnectorNameTaken(msg, name=name[:64])
        work.sql.execute(update(connector).where(key).values(name=name))
    if label is not None:
        work.sql.execute(update(connector).where(key).values(label=label.strip()[:120]))
    tell_station(work, identity, "connector", connector=number)
