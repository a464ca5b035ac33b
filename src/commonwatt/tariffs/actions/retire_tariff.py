"""A tariff that is not wanted any more disappears from lists; what it priced stays as it was."""

from __future__ import annotations

from sqlalchemy import update

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.members import Actor, record_act
from commonwatt.tariffs.errors import TariffInUse
from commonwatt.tariffs.store import places_of, tariff_row, tariffs


def retire_tariff(work: Work, tariff_id: str, *, actor: Actor | None = None) -> None:
    """Retire a tariff; again is a no-op. Raises TariffMissing, and TariffInUse while it is assigned anywhere."""
    row = tariff_row(work.sql, tariff_id)
    if row.retired_ms is not None:
        return
    places = places_of(work.sql, work.now).get(tariff_id, ())
    if places:
        named = ", ".join(
            f"{place.station or 'the site'}{f'/{place.connector}' if place.connector else ''}" for place in places
        )
        raise TariffInUse(
            said("%(name)s is assigned to %(named)s. Assign another tariff there first.", name=row.name, named=named),
            tariff=tariff_id,
            places=named,
        )
    work.sql.execute(update(tariffs).where(tariffs.c.id == tariff_id).values(retired_ms=work.now.ms))
    record_act(work, actor, "retire tariff", f"tariff/{tariff_id}")
    work.tell("tariffs", "retired", id=tariff_id)
