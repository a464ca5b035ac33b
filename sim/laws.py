"""What must be true of a world, after every step and when it has healed."""

from __future__ import annotations

from sqlalchemy import Connection, select

from commonwatt.books import balance, check_books
from commonwatt.charging import store
from commonwatt.kernel import BTC
from sim.world import World


async def check(world: World) -> None:
    """The laws that hold at any moment: books balance, money is conserved, nothing is billed that was not delivered."""
    await world.database.read(check_books)
    assert await world.network.conserved(), f"seed {world.seed}: the sandbox lost or made money"
    await world.database.read(_sessions)


async def check_healed(world: World) -> None:
    """The laws of the end: every session is over, nothing is locked, every msat is where the books say."""
    await check(world)
    await world.database.read(_all_over)
    truths = {truth.transaction_id: truth for station in world.stations.values() for truth in station.truths}
    billed = await world.database.read(_energies)
    for transaction_id, energy_wh in billed.items():
        truth = truths.get(transaction_id)
        assert truth is not None, f"seed {world.seed}: transaction {transaction_id} was billed and never happened"
        assert energy_wh <= truth.energy_wh + 1, f"seed {world.seed}: {energy_wh} Wh billed, {truth.energy_wh} flowed"


def _sessions(sql: Connection) -> None:
    for row in sql.execute(select(store.sessions)).all():
        assert 0 <= row.billed_msat <= row.paid_msat, f"{row.id} is billed {row.billed_msat} of {row.paid_msat}"
        assert row.returned_msat <= row.paid_msat - row.billed_msat or row.status not in ("ended", "cancelled")
        if row.status in ("ended", "cancelled") and not row.held_msat:
            left = balance(sql, f"session:{row.id}", asset=BTC).units
            assert left >= 0


def _all_over(sql: Connection) -> None:
    for row in sql.execute(select(store.sessions)).all():
        assert row.status in ("ended", "cancelled"), f"{row.id} is still {row.status}"
        assert row.held_msat == 0, f"{row.id} still holds {row.held_msat} msat"


def _energies(sql: Connection) -> dict[int, int]:
    rows = sql.execute(
        select(store.sessions.c.transaction_id, store.sessions.c.energy_wh).where(
            store.sessions.c.status == "ended", store.sessions.c.transaction_id.is_not(None)
        )
    )
    return {row.transaction_id: row.energy_wh for row in rows}
