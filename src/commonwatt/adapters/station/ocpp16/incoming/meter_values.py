"""MeterValues (OCPP 1.6, 4.7): what a meter shows, inside a transaction or outside of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from commonwatt import stations
from commonwatt.adapters.station.dialect import Caller, Received
from commonwatt.adapters.station.ocpp16.incoming.handler import Handler, frame_of
from commonwatt.adapters.station.ocpp16.samples import read_samples
from commonwatt.charging.reports import SampleReport
from commonwatt.kit.database import Database, Work
from commonwatt.stations import FrameRow


def meter_values(
    database: Database, record_samples: Callable[[Work, Sequence[SampleReport]], Sequence[None]]
) -> Handler:
    """Hand the samples to charging, together with all that wait at this moment; frame and price in one commit."""

    def store(work: Work, items: Sequence[tuple[FrameRow, SampleReport]]) -> Sequence[None]:
        stations.record_frames(work, [row for row, _ in items])
        return record_samples(work, [report for _, report in items])

    async def answer(caller: Caller, received: Received, request: dict[str, Any]) -> dict[str, Any]:
        now = caller.clock.now()
        samples = read_samples(caller, request["meterValue"], now)
        report = SampleReport(caller.identity, request["connectorId"], request.get("transactionId"), samples)
        await database.write_together(store, (frame_of(caller, received), report))
        return {}

    return answer
