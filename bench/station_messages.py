"""Messages of stations per CPU-second of the server; the pairs that make a ratio are measured in turn.

40 stations in one process, each with one call outstanding; the server in another, whose own CPU time counts, over all
its threads. Machines are noisy, so every pair is measured several times, one right after the other, and the ratio is
the median of the pairs' ratios.
"""

from __future__ import annotations

from bench.figures import Figure
from bench.ocpp_messages import measure, measure_idle

STATIONS = 40
IDLE_STATIONS = 1000


async def figures(rounds: int, seconds: float) -> list[Figure]:
    """Measure everything that the table has about stations."""

    async def rate(what: str, action: str) -> float:
        return (await measure(what, action, STATIONS, seconds, None))["per_cpu_s"]

    full, stored, heartbeats, statuses, changes, echoes, checked = ([] for _ in range(7))
    for _ in range(rounds):
        stored.append(await rate("stored", "MeterValues"))
        full.append(await rate("priced", "MeterValues"))
        echoes.append(await rate("echo", "MeterValues"))
        checked.append(await rate("validating-echo", "MeterValues"))
        heartbeats.append(await rate("stored", "Heartbeat"))
        statuses.append(await rate("stored", "StatusNotification"))
        changes.append(await rate("stored", "StatusChanges"))
    unit = "per CPU-second"
    idle = await measure_idle(IDLE_STATIONS)
    return [
        Figure("MeterValues, fully handled", unit, tuple(full), least=5000),
        Figure("MeterValues, validated and stored", unit, tuple(stored)),
        Figure("fully handled to validated and stored", "", _ratios(full, stored), least=0.5),
        Figure("Heartbeat", unit, tuple(heartbeats), least=15_000),
        Figure("StatusNotification, repeated", unit, tuple(statuses), least=6000),
        Figure("StatusNotification, changing", unit, tuple(changes), least=6000),
        Figure("raw echo", unit, tuple(echoes)),
        Figure("validating echo", unit, tuple(checked)),
        Figure("fully handled to raw echo", "", _ratios(full, echoes)),
        Figure("validating echo to raw echo", "", _ratios(checked, echoes), least=0.4),
        Figure("idle connection", "KiB", (idle,), most=20),
    ]


def _ratios(above: list[float], below: list[float]) -> tuple[float, ...]:
    return tuple(one / other for one, other in zip(above, below, strict=True))
