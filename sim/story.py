"""One story per seed: stations, drivers and troubles in some order; then the world heals and must be whole."""

from __future__ import annotations

import asyncio
import hashlib
import random
from dataclasses import dataclass, replace

from sim import laws
from sim.drivers import charge_on_account, visit
from sim.troubles import cause_trouble, draw_faults
from sim.world import World, run
from sqlalchemy import Connection

from commonwatt import charging
from commonwatt.adapters.payment.sandbox.ledger import Fees
from commonwatt.charging import Rules

STEPS = 14
TAG = "NEIGHBOUR"
RULES = replace(Rules(), invoice_s=120, silence_s=3_600, reboot_s=60)
"""Shorter waits than a site's, so that a story is quickly told."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a story."""

    seed: int
    digest: str
    """The SHA-256 of everything that is stored in the end: the same seed gives the same."""
    sessions: int
    cuts: int
    lines: tuple[str, ...]
    """What happened, with its time."""


def tell(seed: int) -> Told:
    """Tell a seed's story; raises AssertionError, with the seed in it, when a law is broken."""
    return run(lambda: _tell(seed))


async def _tell(seed: int) -> Told:
    chance = random.Random(f"story {seed}")
    lines: list[str] = []
    async with World(seed, rules=RULES, hold=chance.random() < 0.7) as world:
        world.network.fees = chance.choice([Fees(), Fees(1_000, 100)])
        await world.database.write(charging.add_tag, TAG, "A neighbour")
        for number in range(1, chance.choice([1, 1, 2, 2, 3, 4]) + 1):
            connectors, faults = chance.choice([1, 1, 2]), draw_faults(chance)
            await world.add_station(f"CP-{number}", connectors=connectors, faults=faults, patiently=False)
            lines.append(f"CP-{number} with {connectors} connectors {dict(faults.amounts)}")
        people: list[asyncio.Task[None]] = []
        for step in range(STEPS):
            did = await _step(world, chance, people)
            lines.append(f"{world.clock.now().iso()} {did}")
            await asyncio.sleep(chance.choice([0, 1, 10, 60]))
            await _hold(world, lines, step)
        for person in people:
            person.cancel()
        ends = await asyncio.gather(*people, return_exceptions=True)
        despair = [repr(end) for end in ends if isinstance(end, Exception)]
        assert not despair, "\n".join([*despair, *lines])
        lines.append(f"{world.clock.now().iso()} the world heals")
        try:
            await world.heal(within_s=6 * 3600)
            await laws.check_healed(world)
        except AssertionError as broken:
            raise AssertionError("\n".join([str(broken), *lines])) from broken
        digest, sessions = await world.database.read(_digest)
        return Told(seed, digest, sessions, world.cuts, tuple(lines))


async def _hold(world: World, lines: list[str], step: int) -> None:
    """Check the laws that hold always."""
    if not world.power.on:
        return
    try:
        await laws.check(world)
    except AssertionError as broken:
        raise AssertionError("\n".join([f"after step {step}: {broken}", *lines])) from broken


async def _step(world: World, chance: random.Random, people: list[asyncio.Task[None]]) -> str:
    drawn = chance.random()
    if drawn < 0.5:
        return await cause_trouble(world, chance)
    station = world.stations[chance.choice(sorted(world.stations))]
    number = chance.choice(sorted(station.charger.connectors))
    name = f"driver{len(people)}"
    own = random.Random(chance.random())
    if drawn < 0.6:
        people.append(asyncio.create_task(charge_on_account(station, number, TAG, own.choice([30, 200]))))
        return f"a neighbour comes to {station.identity}/{number}"
    people.append(asyncio.create_task(visit(world, name, station, number, own)))
    if drawn < 0.7:
        other = random.Random(chance.random())
        people.append(asyncio.create_task(visit(world, f"{name}b", station, number, other)))
    return f"{name} comes to {station.identity}/{number}"


def _digest(sql: Connection) -> tuple[str, int]:
    """Return the digest of what matters of all that is stored, and how many sessions there were."""
    hashed = hashlib.sha256()
    for query in (
        "SELECT * FROM session ORDER BY id",
        "SELECT * FROM books_entry",
        "SELECT * FROM payments_invoices ORDER BY payment_hash",
        "SELECT * FROM payments_payouts ORDER BY id",
        "SELECT * FROM station_transaction ORDER BY id",
        "SELECT * FROM outbox ORDER BY id",
    ):
        for row in sql.exec_driver_sql(query):
            hashed.update(repr(tuple(row)).encode())
    sessions = sql.exec_driver_sql("SELECT count(*) FROM session").scalar_one()
    return hashed.hexdigest(), int(sessions)
