"""Which tariff holds where: at the site, at a station, at one connector."""

from __future__ import annotations

from sqlalchemy import insert, select

from commonwatt.kernel import CONNECTORS_MAX, Instant, said
from commonwatt.kit.database import Work
from commonwatt.members import SYSTEM, Actor, record_act
from commonwatt.tariffs.errors import TariffInvalid, TariffRetired
from commonwatt.tariffs.ports import PlaceCheck, anywhere
from commonwatt.tariffs.store import Assignment, assignments, places_of, read_assignment, tariff_row


def assign_tariff(
    work: Work,
    tariff_id: str | None,
    station: str = "",
    connector: int = 0,
    *,
    since: Instant | None = None,
    actor: Actor | None = None,
    check_place: PlaceCheck = anywhere,
) -> Assignment:
    """Let a tariff hold at a place from now on or from `since`; None takes the place's own tariff away again.

    An empty station means the site, connector 0 the whole station. The same again is a no-op. Raises TariffMissing,
    TariffRetired, TariffInvalid for a place that cannot be or an instant in the past, and what `check_place` raises for
    one that is not there; but what still holds at a station that was removed may be taken away.
    """
    if not 0 <= connector <= CONNECTORS_MAX or (connector and not station):
        raise TariffInvalid(
            said(
                "Connectors have numbers from 1 to %(most)s and belong to a station; 0 is the whole station.",
                most=CONNECTORS_MAX,
            ),
            field="connector",
        )
    if len(station) > 64:  # noqa: PLR2004 (the column's width)
        raise TariffInvalid(said("A station's identity has at most 64 characters."), field="station")
    begins = since or work.now
    if begins < work.now:
        raise TariffInvalid(said("It would begin in the past. What was sold is never priced anew."), field="since")
    if tariff_id is not None or not _holds_at(work, station, connector):
        check_place(work.sql, station, connector)
    if tariff_id is not None:
        _check_tariff(work, tariff_id)
    place = (assignments.c.station == station, assignments.c.connector == connector)
    newest = work.sql.execute(
        select(assignments).where(*place).order_by(assignments.c.from_ms.desc(), assignments.c.id.desc()).limit(1)
    ).first()
    if newest is not None and newest.tariff_id == tariff_id and newest.from_ms <= begins.ms:
        return read_assignment(newest)
    who = actor or SYSTEM
    made = Assignment(work.new_id(), station, connector, tariff_id, begins, work.now, who.name)
    work.sql.execute(
        insert(assignments).values(
            id=made.id,
            station=station,
            connector=connector,
            tariff_id=tariff_id,
            from_ms=begins.ms,
            made_ms=work.now.ms,
            made_by=who.name,
        )
    )
    place_name = f"{station or 'site'}{f'/{connector}' if connector else ''}"
    record_act(work, actor, "assign tariff", f"tariff/{tariff_id}", {"place": place_name, "since": begins})
    work.tell("tariffs", "assigned", station=station, connector=connector)
    return made


def _holds_at(work: Work, station: str, connector: int) -> bool:
    """Whether a place has a tariff of its own, now or later."""
    held = places_of(work.sql, work.now).values()
    return any((one.station, one.connector) == (station, connector) for places in held for one in places)


def _check_tariff(work: Work, tariff_id: str) -> None:
    row = tariff_row(work.sql, tariff_id)
    if row.retired_ms is not None:
        raise TariffRetired(said("%(name)s is retired. Assign another tariff.", name=row.name), tariff=tariff_id)
