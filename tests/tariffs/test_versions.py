"""Versions and places: the past is never priced anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from commonwatt.kernel import Asset, Instant
from commonwatt.members import Actor, Role
from commonwatt.tariffs import (
    assign_tariff,
    assignment_history,
    create_tariff,
    history,
    list_tariffs,
    parse_tariff,
    retire_tariff,
    revise_tariff,
    show_tariff,
    tariff_by_id,
    tariff_for,
)
from commonwatt.tariffs.errors import (
    NoTariff,
    TariffChanged,
    TariffInUse,
    TariffInvalid,
    TariffMissing,
    TariffNameTaken,
    TariffRetired,
)
from commonwatt.tariffs.lines import spans_of
from commonwatt.tariffs.store import read_version, versions

ADA = Actor("member/1", "Ada", Role.OPERATOR)


def draft(price, **more):
    component = {"kind": "ENERGY", "price": price}
    return parse_tariff({"name": "Yard", "asset": "EUR", "elements": [{"components": [component]}]} | more)


def price(tariff):
    return tariff.elements[0].components[0].price


async def test_a_new_version_leaves_the_old_one_and_the_past_as_they_were(database, clock):
    first = await database.write(create_tariff, draft("0.45"), actor=ADA)
    await database.write(assign_tariff, first.id)
    began = clock.now()
    clock.step(seconds=3600)
    second = await database.write(revise_tariff, first.id, draft("0.50"), actor=ADA)
    assert await database.read(tariff_by_id, first.version) == first
    assert price(await database.read(tariff_for, "CP-1", 1, began)) == 450_000
    assert price(await database.read(tariff_for, "CP-1", 1, clock.now())) == 500_000
    versions = await database.read(history, first.id)
    assert [(each.number, each.tariff, each.made_by) for each in versions] == [(2, second, "Ada"), (1, first, "Ada")]


async def test_no_two_tariffs_have_one_name_whatever_their_letters(database):
    first = await database.write(create_tariff, draft("0.45", name="Öko"))
    second = await database.write(create_tariff, draft("0.45", name="Day"))
    with pytest.raises(TariffNameTaken):
        await database.write(create_tariff, draft("0.45", name="öko"))
    with pytest.raises(TariffNameTaken):
        await database.write(revise_tariff, second.id, draft("0.50", name="ÖKO"))
    assert (await database.write(revise_tariff, first.id, draft("0.50", name="ÖKO"))).name == "ÖKO"
    await database.write(retire_tariff, first.id)
    await database.write(revise_tariff, second.id, draft("0.50", name="Öko"))


async def test_a_version_may_begin_later_and_end(database, clock):
    first = await database.write(create_tariff, draft("0.45"))
    await database.write(assign_tariff, first.id)
    summer, autumn = clock.now().plus(seconds=1000), clock.now().plus(seconds=2000)
    await database.write(revise_tariff, first.id, draft("0.30", valid_from=summer.iso(), valid_to=autumn.iso()))
    prices = [price(await database.read(tariff_for, "CP-1", 1, at)) for at in (clock.now(), summer, autumn)]
    assert prices == [450_000, 300_000, 450_000]


async def test_nothing_begins_in_the_past(database, clock):
    first = await database.write(create_tariff, draft("0.45"))
    past = clock.now().plus(seconds=-1)
    for refused in (
        database.write(create_tariff, draft("0.45", valid_from=past.iso())),
        database.write(revise_tariff, first.id, draft("0.45", valid_from=past.iso())),
        database.write(assign_tariff, first.id, since=past),
        database.write(create_tariff, draft("0.45", valid_to=past.iso())),
    ):
        with pytest.raises(TariffInvalid):
            await refused
    assert len(await database.read(history, first.id)) == 1


async def test_the_narrowest_place_wins(database, clock):
    prices = {}
    for name, place in (("0.10", ("", 0)), ("0.20", ("CP-1", 0)), ("0.30", ("CP-1", 2))):
        tariff = await database.write(create_tariff, draft(name, name=name))
        await database.write(assign_tariff, tariff.id, *place)
        prices[place] = tariff

    async def at(station, connector):
        return price(await database.read(tariff_for, station, connector, clock.now()))

    assert [await at("CP-1", 1), await at("CP-1", 2), await at("CP-2", 1)] == [200_000, 300_000, 100_000]
    clock.step(seconds=1)
    await database.write(assign_tariff, None, "CP-1", 2)
    assert await at("CP-1", 2) == 200_000
    assert price(await database.read(tariff_for, "CP-1", 2, clock.now().plus(seconds=-1))) == 300_000


async def test_without_a_tariff_nothing_is_sold(database, clock):
    with pytest.raises(NoTariff):
        await database.read(tariff_for, "CP-1", 1, clock.now())
    later = await database.write(create_tariff, draft("0.45", valid_from=clock.now().plus(seconds=60).iso()))
    await database.write(assign_tariff, later.id)
    with pytest.raises(NoTariff):
        await database.read(tariff_for, "CP-1", 1, clock.now())


async def test_the_same_assignment_again_is_a_no_op(database):
    tariff = await database.write(create_tariff, draft("0.45"))
    first = await database.write(assign_tariff, tariff.id, "CP-1")
    assert await database.write(assign_tariff, tariff.id, "CP-1") == first
    assert await database.read(assignment_history, tariff_id=tariff.id) == [first]


async def test_two_editors_do_not_undo_each_other(database):
    first = await database.write(create_tariff, draft("0.45"))
    await database.write(revise_tariff, first.id, draft("0.50"), expected=first.version)
    with pytest.raises(TariffChanged):
        await database.write(revise_tariff, first.id, draft("0.55"), expected=first.version)


async def test_a_tariff_retires_only_when_it_holds_nowhere(database, clock):
    tariff = await database.write(create_tariff, draft("0.45"))
    await database.write(assign_tariff, tariff.id, "CP-1", 1)
    with pytest.raises(TariffInUse, match="CP-1/1"):
        await database.write(retire_tariff, tariff.id)
    clock.step(seconds=1)
    await database.write(assign_tariff, None, "CP-1", 1)
    await database.write(retire_tariff, tariff.id)
    await database.write(retire_tariff, tariff.id)
    with pytest.raises(TariffRetired):
        await database.write(revise_tariff, tariff.id, draft("0.50"))
    with pytest.raises(TariffRetired):
        await database.write(assign_tariff, tariff.id)
    assert await database.read(list_tariffs, clock.now()) == []
    assert [row.id for row in await database.read(list_tariffs, clock.now(), retired=True)] == [tariff.id]
    assert await database.read(tariff_by_id, tariff.version) == tariff


async def test_lists_page_and_search(database, clock):
    for name in ("Yard", "Street", "yard at night"):
        component = {"kind": "ENERGY", "price": 1}
        each = parse_tariff({"name": name, "asset": "EUR", "elements": [{"components": [component]}]})
        clock.step(seconds=1)
        await database.write(create_tariff, each)
    found = await database.read(list_tariffs, clock.now(), limit=2)
    assert [row.name for row in found] == ["yard at night", "Street"]
    rest = await database.read(list_tariffs, clock.now(), after=found[-1].id)
    assert [row.name for row in rest] == ["Yard"]
    assert len(await database.read(list_tariffs, clock.now(), search="YARD")) == 2
    assert await database.read(list_tariffs, clock.now(), search="100%") == []


@pytest.mark.parametrize(("station", "connector"), [("", 1), ("CP-1", -1), ("CP-1", 1000), ("x" * 65, 0)])
async def test_places_that_cannot_be_are_refused(database, station, connector):
    tariff = await database.write(create_tariff, draft("0.45"))
    with pytest.raises(TariffInvalid):
        await database.write(assign_tariff, tariff.id, station, connector)


async def test_what_does_not_exist_is_missing(database, clock):
    for asked in (
        database.write(revise_tariff, "no", draft("1")),
        database.write(assign_tariff, "no"),
        database.write(retire_tariff, "no"),
        database.read(tariff_by_id, "no"),
        database.read(show_tariff, "no", clock.now()),
        database.read(history, "no"),
    ):
        with pytest.raises(TariffMissing):
            await asked


async def test_a_nameless_tariff_is_refused(database):
    nameless = parse_tariff({"asset": "EUR", "elements": [{"components": [{"kind": "FLAT", "price": 1}]}]})
    with pytest.raises(TariffInvalid):
        await database.write(create_tariff, nameless)
    assert await database.read(list_tariffs, Instant(0)) == []


async def test_a_history_tells_when_each_version_holds_as_prices_do(database, clock):
    """A summer price lies over the usual one, which then holds again; one that was replaced in time never held."""
    first = await database.write(create_tariff, draft("0.45"))
    await database.write(assign_tariff, first.id)
    began, summer, autumn = clock.now(), clock.now().plus(seconds=1000), clock.now().plus(seconds=2000)
    for cost in ("0.30", "0.25"):
        await database.write(revise_tariff, first.id, draft(cost, valid_from=summer.iso(), valid_to=autumn.iso()))
    spans = spans_of(await database.read(history, first.id))
    assert [(span.version.number, span.begins, span.ends) for span in spans] == [
        (1, autumn, None),
        (3, summer, autumn),
        (2, summer, summer),
        (1, began, summer),
    ]
    for span in spans:
        if span.begins != span.ends:
            held = await database.read(tariff_for, "CP-1", 1, span.begins)
            assert held.version == span.version.tariff.version


async def test_what_was_sold_in_money_that_is_gone_still_reads(database):
    made = await database.write(create_tariff, replace(draft("0.45"), asset=Asset.of("HRK")))
    row = await database.read(lambda sql: sql.execute(select(versions)).one())
    assert read_version(row).asset == Asset("HRK", 6)
    assert made.asset.code == "HRK"
    with pytest.raises(TariffInvalid, match="'HRK' is no currency"):
        draft("0.45", asset="HRK")
