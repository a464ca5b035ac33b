"""What must be true of a world, after every step and when it has healed."""

from __future__ import annotations

from functools import partial

from sim.audit import audit
from sim.world import World
from sqlalchemy import Connection, select

from commonwatt.adapters.station.virtual.faults import Fault
from commonwatt.books import check_books
from commonwatt.charging import store

KWH = 1000


async def check(world: World) -> None:
    """The laws that hold at any moment: books balance, money is conserved, no bill is above what was paid."""
    await world.database.read(check_books)
    assert await world.network.conserved(), f"seed {world.seed}: the sandbox lost or made money"
    await world.database.read(_sessions)


async def check_healed(world: World) -> None:
    """The laws of the end: all is over, and books, node and stations tell the same story to the msat and the Wh."""
    await check(world)
    truths = {name: station.truths for name, station in world.stations.items()}

    coarse = {name: KWH for name, one in world.stations.items() if Fault.KWH_AS_WH in one.charger.faults}

    def compare(node: Connection) -> partial[list[str]]:
        return partial(audit, node=node, truths=truths, steps=coarse)

    with world.network.database.engine.connect() as node:
        wrong = await world.database.read(compare(node))
    assert not wrong, f"seed {world.seed}: " + "; ".join(wrong)


def _sessions(sql: Connection) -> None:
    for row in sql.execute(select(store.sessions)).all():
        assert 0 <= row.billed_msat <= row.paid_msat, f"{row.id} is billed {row.billed_msat} of {row.paid_msat}"
        assert row.returned_msat <= row.paid_msat - row.billed_msat or row.status not in ("ended", "cancelled")
