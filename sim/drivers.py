"""Drivers, as they are: they pay and plug, or do not; they stop, top up, claim twice, come back, and never despair.

Whatever the house refuses, and whenever it is dead, a driver does what a person would: tries again, or goes away.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commonwatt import charging
from commonwatt.adapters.station.virtual.car import Car
from commonwatt.adapters.station.virtual.station import VirtualStation
from commonwatt.charging import Charge
from commonwatt.charging.actions.claim_change import ChangeOffer
from commonwatt.kernel import Missing, Refused, Unavailable

if TYPE_CHECKING:
    from sim.world import World

GIVES_UP = (Refused, Missing, Unavailable)
"""What a page may say instead of doing it."""


@dataclass(frozen=True, slots=True)
class Character:
    """What a driver will do; waits in seconds."""

    amount_msat: int
    pays_after_s: float
    pays: bool
    plugs_after_s: float | None
    stays_s: float
    ends: str
    """How the charge ends: "unplug", "stop" on the page, or "claim", which stops it and takes the change."""
    tops_up: bool
    address: bool
    claims: int
    """How many times the change is asked for, with another invoice each."""


def draw_character(chance: random.Random) -> Character:
    """Draw a driver."""
    return Character(
        amount_msat=chance.choice([100_000, 400_000, 1_000_000, 2_500_000, 7_654_321]),
        pays_after_s=chance.choice([0, 0, 0, 2, 30, 95, 130]),
        pays=chance.random() < 0.9,
        plugs_after_s=None if chance.random() < 0.1 else chance.choice([0, 1, 5, 40, 110]),
        stays_s=chance.choice([5, 60, 200, 400]),
        ends=chance.choice(["unplug", "unplug", "stop", "claim"]),
        tops_up=chance.random() < 0.2,
        address=chance.random() < 0.25,
        claims=chance.choice([0, 1, 1, 2, 3]),
    )


async def visit(world: World, name: str, station: VirtualStation, number: int, chance: random.Random) -> None:
    """Live one driver's visit to a connector from the scan to the change."""
    who = draw_character(chance)
    await world.add_driver(name)
    try:
        charge, bolt11 = await world.scan(
            f"{station.identity.lower()}-{number}", who.amount_msat, address=f"{name}@wallet" if who.address else None
        )
    except GIVES_UP:
        return
    await asyncio.sleep(who.pays_after_s)
    if not who.pays:
        return
    paying = world.send(name, bolt11, who.amount_msat)
    if who.plugs_after_s is None:
        await _take_change(world, name, charge, who.claims)
        return
    await asyncio.sleep(who.plugs_after_s)
    if station.connector(number).car is None:
        await station.plug(number, _car(chance))
    if who.tops_up:
        await asyncio.sleep(30)
        await _top_up(world, name, charge)
    await asyncio.sleep(who.stays_s)
    if who.ends == "stop":
        await _stop(world, charge)
    if who.ends == "unplug":
        await station.unplug(number)
    await _take_change(world, name, charge, who.claims)
    await station.unplug(number)
    await paying


async def charge_on_account(station: VirtualStation, number: int, tag: str, stays_s: float) -> None:
    """Let a neighbour with a tag plug in, charge and leave."""
    if station.connector(number).car is not None:
        return
    await station.plug(number, Car(stored_wh=10_000))
    await station.scan(number, tag)
    await asyncio.sleep(stays_s)
    await station.unplug(number)


def _car(chance: random.Random) -> Car:
    return Car(
        battery_wh=60_000,
        stored_wh=chance.choice([6_000.0, 30_000.0, 59_900.0, 60_000.0]),
        power_w_max=chance.choice([3_700.0, 11_000.0, 50_000.0]),
    )


async def _top_up(world: World, name: str, charge: Charge) -> None:
    try:
        _, invoice = await world.ask(
            charging.offer_top_up,
            world.database,
            {"sandbox": world.rail},
            secret=charge.secret,
            amount_msat=300_000,
            rules=world.rules,
        )
    except GIVES_UP:
        return
    if invoice.bolt11:
        world.send(name, invoice.bolt11, 300_000)


async def _stop(world: World, charge: Charge) -> None:
    for _ in range(3):
        try:
            await world.ask(world.database.write, charging.ask_to_stop, charge.id, "the driver stopped it", world.rules)
        except Unavailable:
            await asyncio.sleep(10)
        except (Refused, Missing):
            return
        else:
            return


async def _take_change(world: World, name: str, charge: Charge, times: int) -> None:
    """Scan the withdraw code until the wallet has been told OK, and, greedily, once more with another invoice."""
    for _ in range(times):
        for _attempt in range(8):
            try:
                offer = await world.ask(world.database.read, charging.offer_change, charge.secret)
                bolt11 = await world.invoice(name, offer.max_msat)
                await _claim(world, charge, offer, bolt11)
                break
            except GIVES_UP:
                await asyncio.sleep(20)


async def _claim(world: World, charge: Charge, offer: ChangeOffer, bolt11: str) -> None:
    """Give the wallet's invoice to the house, again while no answer comes."""
    for attempt in range(3):
        try:
            await world.ask(
                world.database.write, charging.claim_change, charge.secret, offer.k1, bolt11, ("sandbox",), world.rules
            )
        except Unavailable:
            if attempt == 2:
                raise
            await asyncio.sleep(7)
        else:
            return
