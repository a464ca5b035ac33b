"""Everything that goes wrong in a world, each drawn by name and repaired by `World.heal`."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from commonwatt.adapters.payment.sandbox.faults import Fault as RailFault
from commonwatt.adapters.station.virtual.faults import Fault, Faults
from commonwatt.payments.ports import InvoiceState

if TYPE_CHECKING:
    from sim.world import World

Trouble = Callable[["World", random.Random], Awaitable[str]]
METHODS = ("create_invoice", "look_up_invoice", "settle_invoice", "cancel_invoice", "pay", "look_up_payment")
STATION_FAULTS = tuple(fault for fault in Fault if fault is not Fault.NO_SUBPROTOCOL)
"""The subprotocol is a matter of real sockets."""
DAY_S = 86_400


def draw_faults(chance: random.Random) -> Faults:
    """Draw what is wrong with a station: mostly nothing, at times two things at once."""
    count = chance.choice([0, 0, 1, 1, 2])
    names = chance.sample([fault.value for fault in STATION_FAULTS], count)
    return Faults.of(*(f"{name}=600" if name == Fault.STOP_LATE else name for name in names))


async def fail_rail(world: World, chance: random.Random) -> str:
    """Let some calls to the node fail, or lose their requests or answers."""
    method, fault, times = chance.choice(METHODS), chance.choice(list(RailFault)), chance.randint(1, 4)
    if method == "pay" and fault is RailFault.FAIL:
        times = 1
    world.rail.faults.plan(method, fault, times)
    return f"{method}: {fault} x{times}"


async def down_rail(world: World, _chance: random.Random) -> str:
    """Let the node be out of reach, or bring it back."""
    world.rail.faults.down = not world.rail.faults.down
    return "down" if world.rail.faults.down else "back"


async def slow_rail(world: World, chance: random.Random) -> str:
    """Let the node be slow."""
    world.rail.faults.delay_ms = chance.choice([0, 900, 4_000])
    return f"{world.rail.faults.delay_ms} ms"


async def drop_news(world: World, chance: random.Random) -> str:
    """Let news of payments never arrive by the stream."""
    world.rail.faults.drop = set(chance.sample(list(InvoiceState), chance.randint(0, 2)))
    return " ".join(sorted(world.rail.faults.drop)) or "none"


async def down_rates(world: World, _chance: random.Random) -> str:
    """Let the rate source be out of reach, or bring it back."""
    world.rates.down = not world.rates.down
    return "down" if world.rates.down else "back"


async def part_network(world: World, chance: random.Random) -> str:
    """Cut a station off, or let it back."""
    identity = chance.choice(sorted(world.stations))
    if identity in world.partition:
        world.partition.discard(identity)
        return f"{identity} back"
    world.partition.add(identity)
    await world.stations[identity].drop_link()
    return f"{identity} cut off"


async def worsen_weather(world: World, chance: random.Random) -> str:
    """Let lines lose, double, delay and reorder frames."""
    weather = world.weather
    weather.lost, weather.doubled, weather.late = (chance.choice([0, 5, 20]) for _ in range(3))
    return f"{weather.lost}/{weather.doubled}/{weather.late}"


async def reboot_station(world: World, chance: random.Random) -> str:
    """Let a station lose power, and at times come back with a wrong clock."""
    station = world.stations[chance.choice(sorted(world.stations))]
    off_s = chance.choice([0, 0, -DAY_S, 3_600, -20 * 365 * DAY_S])
    amounts = {fault: amount for fault, amount in station.faults.amounts.items() if fault is not Fault.WRONG_CLOCK}
    if off_s:
        amounts[Fault.WRONG_CLOCK] = off_s
    faults = Faults(amounts)
    station.faults = station.charger.faults = station.charger.frames._faults = faults  # noqa: SLF001
    await station.reboot()
    return f"{station.identity} by {off_s} s"


async def cut_power(world: World, chance: random.Random) -> str:
    """Kill the house now."""
    away_s = chance.choice([0.5, 5, 60])
    if world.power.on:
        world.cut_power(away_s)
    return f"for {away_s} s"


async def light_fuse(world: World, chance: random.Random) -> str:
    """Kill the house after some more commits and words to the node: between a commit and its effect, or after it."""
    world.fuse.left = chance.choice([0, 1, 2, 3, 5, 8, 13, 40])
    return f"{world.fuse.left} moments"


async def set_clock(world: World, chance: random.Random) -> str:
    """Set the house's clock forwards or backwards: a little, as a time server does it, or by hours, as people do."""
    step_s = chance.choice([-7_200, -600, -60, -2, 30, 600, 7_200])
    world.house_clock.off_ms += 1000 * step_s
    return f"by {step_s} s"


async def pause_house(world: World, chance: random.Random) -> str:
    """Let nothing run for a while: a paused virtual machine, a laptop that was closed."""
    span_s = chance.choice([20, 300, 3_600, DAY_S])
    world.clock.skipped_ms += 1000 * span_s
    return f"for {span_s} s"


TROUBLES: tuple[tuple[int, Trouble], ...] = (
    (5, fail_rail),
    (2, down_rail),
    (1, slow_rail),
    (2, drop_news),
    (1, down_rates),
    (3, part_network),
    (2, worsen_weather),
    (2, reboot_station),
    (2, cut_power),
    (5, light_fuse),
    (1, set_clock),
    (1, pause_house),
)
"""Each with its weight."""


async def cause_trouble(world: World, chance: random.Random) -> str:
    """Draw one and cause it; return what it was, in words."""
    weights, troubles = zip(*TROUBLES, strict=True)
    trouble = chance.choices(troubles, weights)[0]
    return f"{trouble.__name__}: {await trouble(world, chance)}"
