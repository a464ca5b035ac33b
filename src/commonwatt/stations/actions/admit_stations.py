"""Who may connect: add, admit, reject, rename, waive, set a password, remove."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from sqlalchemy import delete, func, insert, select, update

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.stations.actions.tell_station import tell_station
from commonwatt.stations.errors import StationTaken, WaitingRoomFull, WaiverUnknown
from commonwatt.stations.events import StationAdmitted, StationRemoved
from commonwatt.stations.identity import check_identity
from commonwatt.stations.queries import secret_hash_of, station_of
from commonwatt.stations.secrets import hash_secret
from commonwatt.stations.store import configuration, connector, frame, offered_secret, quirk, station
from commonwatt.stations.waivers import WAIVERS

ADMITTED, WAITING, REJECTED = "admitted", "waiting", "rejected"
WAITING_MAX = 200
"""Unknown stations that may wait at once, so that a stranger cannot fill the disk."""


def add_station(work: Work, identity: str, name: str = "", *, with_password: bool = True) -> str | None:
    """Make a station known and let it in; return its password, which is shown once, or None without one.

    Raises IdentityInvalid, or StationTaken when it is there already.
    """
    check_identity(identity)
    if work.sql.execute(select(station.c.identity).where(station.c.identity == identity)).first():
        msg = said(
            "There is a station %(identity)s already; admit it, rename it, or choose another identity.",
            identity=identity,
        )
        raise StationTaken(msg, identity=identity)
    secret = _fresh_secret(work) if with_password else None
    work.sql.execute(
        insert(station).values(
            identity=identity,
            name=name or identity,
            state=ADMITTED,
            secret_hash=None if secret is None else hash_secret(secret, work.ids.secret(16)),
            made_ms=work.now.ms,
            admitted_ms=work.now.ms,
        )
    )
    tell_station(work, identity, "admission")
    return secret


def await_admission(work: Work, identity: str, offered: str | None = None) -> None:
    """Put an unknown station into the waiting room, with the hash of the password that it offered.

    Raises WaitingRoomFull when too many wait. A station that is known already is left alone.
    """
    check_identity(identity)
    if work.sql.execute(select(station.c.identity).where(station.c.identity == identity)).first():
        return
    waiting = work.sql.execute(select(func.count()).where(station.c.state == WAITING)).scalar_one()
    if waiting >= WAITING_MAX:
        msg = said(
            "%(waiting)s unknown stations wait already. Admit, reject or remove some of them, then "
            "this one can connect.",
            waiting=waiting,
        )
        raise WaitingRoomFull(msg, waiting=waiting)
    work.sql.execute(insert(station).values(identity=identity, name=identity, state=WAITING, made_ms=work.now.ms))
    if offered is not None:
        work.sql.execute(insert(offered_secret).values(station=identity, secret_hash=offered))
    tell_station(work, identity, "admission")


def admit_station(work: Work, identity: str) -> None:
    """Let a waiting or rejected station in, with the password that it offered while it waited. Twice is once."""
    view = station_of(work.sql, identity)
    if view.state == ADMITTED:
        return
    offered = work.sql.execute(select(offered_secret).where(offered_secret.c.station == identity)).first()
    work.sql.execute(
        update(station)
        .where(station.c.identity == identity)
        .values(
            state=ADMITTED,
            admitted_ms=work.now.ms,
            secret_hash=secret_hash_of(work.sql, identity) or (offered.secret_hash if offered else None),
        )
    )
    work.sql.execute(delete(offered_secret).where(offered_secret.c.station == identity))
    work.emit(StationAdmitted(identity))
    tell_station(work, identity, "admission")


def reject_station(work: Work, identity: str) -> None:
    """Keep a station out; its connection is closed and later ones are refused."""
    station_of(work.sql, identity)
    work.sql.execute(update(station).where(station.c.identity == identity).values(state=REJECTED))
    tell_station(work, identity, "admission")


def rename_station(work: Work, identity: str, name: str) -> None:
    """Give a station the name that people read."""
    station_of(work.sql, identity)
    named = name.strip()[:120] or identity
    work.sql.execute(update(station).where(station.c.identity == identity).values(name=named))
    tell_station(work, identity, "admission")


def set_waivers(work: Work, identity: str, waivers: Iterable[str]) -> None:
    """Grant a station its exceptions, by their names, in place of those it had; they hold from its next connection.

    Raises WaiverUnknown for a name that is none.
    """
    station_of(work.sql, identity)
    granted = set(waivers)
    if unknown := granted - set(WAIVERS):
        msg = f"{min(unknown)[:60]!r} is no waiver. Grant any of {', '.join(WAIVERS)}."
        raise WaiverUnknown(msg, waiver=min(unknown)[:60])
    joined = ",".join(sorted(granted))
    work.sql.execute(update(station).where(station.c.identity == identity).values(waivers=joined))
    tell_station(work, identity, "admission")


def set_password(work: Work, identity: str, secret: str | None = None) -> str:
    """Give a station a new password, a fresh one unless told; return it, for the only time."""
    station_of(work.sql, identity)
    chosen = secret or _fresh_secret(work)
    hashed = hash_secret(chosen, work.ids.secret(16))
    work.sql.execute(update(station).where(station.c.identity == identity).values(secret_hash=hashed))
    tell_station(work, identity, "admission")
    return chosen


def remove_password(work: Work, identity: str) -> None:
    """Let a station connect without a password, where the site's policy is open."""
    station_of(work.sql, identity)
    work.sql.execute(update(station).where(station.c.identity == identity).values(secret_hash=None))
    tell_station(work, identity, "admission")


def remove_station(work: Work, identity: str) -> None:
    """Forget a station with its connectors and frames; sessions and money that it brought stay on record."""
    station_of(work.sql, identity)
    for table in (connector, quirk, configuration, offered_secret, frame):
        work.sql.execute(delete(table).where(table.c.station == identity))
    work.sql.execute(delete(station).where(station.c.identity == identity))
    work.emit(StationRemoved(identity))
    tell_station(work, identity, "admission")


def _fresh_secret(work: Work) -> str:
    """Return 20 letters and digits with 100 bits behind them: OCPP 1.6 stations take 16 to 40 characters."""
    return base64.b32encode(work.ids.secret(13)).decode()[:20].lower()
