"""Messages of stations per CPU-second of the server; the pairs that make a ratio are measured in turn.

40 stations in one process, each with one call outstanding; the server in another, whose own CPU time counts, over all
its threads. Machines are noisy, so every pair is measured several times, one right after the other, and the ratio is
the median of the pairs' ratios.

Machines are also unlike: one gives a quarter of what another gives, for the same code. The targets in messages per
CPU-second were set where the socket library alone echoed `ECHO_WHERE_SET` frames, so each of them has a second form
that holds on any machine, its share of the echo of the same round. What others reach stands beside it: the peer is the
package `ocpp`, which validates and answers, and keeps nothing.
"""

from __future__ import annotations

from bench.figures import Figure
from bench.ocpp_messages import measure, measure_idle

STATIONS = 40
IDLE_STATIONS = 1000
ECHO_WHERE_SET = 85_000
METER_VALUES, HEARTBEATS, STATUSES = 5000, 15_000, 6000


async def figures(rounds: int, seconds: float) -> list[Figure]:
    """Measure everything that the table has about stations."""

    async def rate(what: str, action: str) -> float:
        return (await measure(what, action, STATIONS, seconds, None))["per_cpu_s"]

    full, stored, heartbeats, statuses, changes, echoes, checked = ([] for _ in range(7))
    peer: dict[str, list[float]] = {"MeterValues": [], "Heartbeat": [], "StatusNotification": []}
    for _ in range(rounds):
        stored.append(await rate("stored", "MeterValues"))
        full.append(await rate("priced", "MeterValues"))
        echoes.append(await rate("echo", "MeterValues"))
        checked.append(await rate("validating-echo", "MeterValues"))
        heartbeats.append(await rate("stored", "Heartbeat"))
        statuses.append(await rate("stored", "StatusNotification"))
        changes.append(await rate("stored", "StatusChanges"))
        for action, rates in peer.items():
            rates.append(await rate("peer", action))
    unit = "per CPU-second"
    idle = await measure_idle(IDLE_STATIONS)
    return [
        Figure("MeterValues, fully handled", unit, tuple(full), least=METER_VALUES),
        Figure("MeterValues, validated and stored", unit, tuple(stored)),
        Figure("fully handled to validated and stored", "", _ratios(full, stored), least=0.5),
        Figure("Heartbeat", unit, tuple(heartbeats), least=HEARTBEATS),
        Figure("StatusNotification, repeated", unit, tuple(statuses), least=STATUSES),
        Figure("StatusNotification, changing", unit, tuple(changes), least=STATUSES),
        Figure("raw echo", unit, tuple(echoes)),
        Figure("validating echo", unit, tuple(checked)),
        Figure("validating echo to raw echo", "", _ratios(checked, echoes), least=0.4),
        *(
            Figure(f"{name}, to raw echo", "", _ratios(rates, echoes), least=target / ECHO_WHERE_SET)
            for name, rates, target in (
                ("MeterValues, fully handled", full, METER_VALUES),
                ("Heartbeat", heartbeats, HEARTBEATS),
                ("StatusNotification, repeated", statuses, STATUSES),
                ("StatusNotification, changing", changes, STATUSES),
            )
        ),
        *(Figure(f"{action} of the peer, kept nowhere", unit, tuple(rates)) for action, rates in peer.items()),
        Figure("MeterValues, fully handled, to the peer", "", _ratios(full, peer["MeterValues"])),
        Figure("Heartbeat to the peer", "", _ratios(heartbeats, peer["Heartbeat"])),
        Figure("StatusNotification, changing, to the peer", "", _ratios(changes, peer["StatusNotification"])),
        Figure("idle connection", "KiB", (idle,), most=20),
    ]


def _ratios(above: list[float], below: list[float]) -> tuple[float, ...]:
    return tuple(one / other for one, other in zip(above, below, strict=True))
