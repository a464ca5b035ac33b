"""A price changes by a new version; the old ones stay, and sessions keep theirs."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import update

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.members import Actor, record_act
from commonwatt.tariffs.actions.create_tariff import add_version, check_name_free
from commonwatt.tariffs.document import write_tariff
from commonwatt.tariffs.errors import TariffChanged, TariffInvalid, TariffRetired
from commonwatt.tariffs.model.tariff import Tariff
from commonwatt.tariffs.store import history, tariff_row, tariffs


def revise_tariff(
    work: Work, tariff_id: str, draft: Tariff, *, expected: str | None = None, actor: Actor | None = None
) -> Tariff:
    """Add a version that holds from now on or from its `valid_from`, and return it.

    A `valid_from` in the past that a version already has counts as absent: the draft is an edited copy of that version.
    `expected` is the id of the version that the caller took for the newest. Raises TariffMissing, TariffRetired,
    TariffChanged when another is newer by now, TariffInvalid when it would begin in the past, TariffNameTaken.
    """
    if not draft.name:
        raise TariffInvalid(said("A tariff needs a name."), field="name")
    row = tariff_row(work.sql, tariff_id)
    if row.retired_ms is not None:
        raise TariffRetired(
            said("%(name)s is retired and takes no new prices. Create a new tariff.", name=row.name), tariff=tariff_id
        )
    check_name_free(work, draft.name, tariff_id)
    versions = history(work.sql, tariff_id)
    newest = versions[0]
    if expected is not None and expected != newest.tariff.version:
        raise TariffChanged(
            said(
                "%(name)s got version %(number)s after you read it. Look at it, then decide again.",
                name=row.name,
                number=newest.number,
            ),
            tariff=tariff_id,
            version=newest.tariff.version,
        )
    begins = draft.valid_from
    if begins is not None and begins < work.now and begins in {version.tariff.valid_from for version in versions}:
        draft = replace(draft, valid_from=None)
    work.sql.execute(update(tariffs).where(tariffs.c.id == tariff_id).values(name=draft.name))
    tariff = add_version(work, tariff_id, newest.number + 1, draft, actor)
    record_act(work, actor, "revise tariff", f"tariff/{tariff_id}", write_tariff(tariff))
    return tariff
