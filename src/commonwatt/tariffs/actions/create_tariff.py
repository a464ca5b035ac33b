"""A tariff begins with its first version."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import insert, select

from commonwatt.kernel import Instant, said
from commonwatt.kit.database import Work
from commonwatt.members import SYSTEM, Actor, record_act
from commonwatt.tariffs.document import encode_tariff, write_tariff
from commonwatt.tariffs.errors import TariffInvalid, TariffNameTaken
from commonwatt.tariffs.model.tariff import Tariff
from commonwatt.tariffs.store import tariffs, versions


def create_tariff(work: Work, draft: Tariff, *, actor: Actor | None = None) -> Tariff:
    """Store a new tariff and return its first version, which holds from now on or from its `valid_from`.

    Raises TariffInvalid for a nameless one or one that would begin in the past, TariffNameTaken for a name that is in
    use: commands and pages name tariffs by their names.
    """
    if not draft.name:
        raise TariffInvalid(said("A tariff needs a name."), field="name")
    check_name_free(work, draft.name)
    tariff_id = work.new_id()
    work.sql.execute(insert(tariffs).values(id=tariff_id, name=draft.name, made_ms=work.now.ms))
    tariff = add_version(work, tariff_id, 1, draft, actor)
    record_act(work, actor, "create tariff", f"tariff/{tariff_id}", write_tariff(tariff))
    return tariff


def check_name_free(work: Work, name: str, own_id: str = "") -> None:
    """Raise TariffNameTaken when another tariff that is not retired has this name, in large or small letters."""
    others = select(tariffs.c.id, tariffs.c.name).where(tariffs.c.retired_ms.is_(None), tariffs.c.id != own_id)
    for other in work.sql.execute(others).all():
        if other.name.casefold() == name.casefold():
            raise TariffNameTaken(
                said("There is a tariff %(name)s already. Revise it, or choose another name.", name=other.name),
                field="name",
                tariff=other.id,
            )


def add_version(work: Work, tariff_id: str, number: int, draft: Tariff, actor: Actor | None) -> Tariff:
    """Store one version. Raises TariffInvalid when it would begin before now."""
    begins = draft.valid_from or work.now
    if begins < work.now:
        raise TariffInvalid(
            said(
                "It would begin at %(begins)s, in the past. What was sold is never priced anew; choose now or later.",
                begins=begins.iso(),
            ),
            field="valid_from",
        )
    if draft.valid_to is not None and draft.valid_to <= begins:
        raise TariffInvalid(said("It ends before it begins."), field="valid_to")
    tariff = replace(draft, id=tariff_id, version=work.new_id(), valid_from=begins)
    work.sql.execute(
        insert(versions).values(
            id=tariff.version,
            tariff_id=tariff_id,
            number=number,
            valid_from_ms=begins.ms,
            valid_to_ms=_ms(tariff.valid_to),
            document=encode_tariff(tariff),
            made_ms=work.now.ms,
            made_by=(actor or SYSTEM).name,
        )
    )
    work.tell("tariffs", "changed", id=tariff_id)
    return tariff


def _ms(instant: Instant | None) -> int | None:
    return None if instant is None else instant.ms
