"""StartTransaction (OCPP 1.6, 4.8): a station began a transaction, now or while it was offline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from commonwatt import stations
from commonwatt.adapters.station.dialect import Caller, Received, Refusal
from commonwatt.adapters.station.ocpp16.incoming.handler import Handler, frame_of
from commonwatt.adapters.station.ocpp16.times import read_time
from commonwatt.charging.reports import StartAnswer, StartReport
from commonwatt.kernel import CONNECTORS_MAX
from commonwatt.kit.database import Database, Work
from commonwatt.protocols.ocppj import ErrorCode
from commonwatt.stations import SLOW_START, WH_MEANS_KWH, FrameRow

SLOW_START_S = 1.0
"""How long stations with that waiver wait; some drop the link after a faster answer (lbbrhzn/ocpp#2080)."""


def start_transaction(database: Database, start: Callable[[Work, StartReport], StartAnswer]) -> Handler:
    """Hand it to charging, which numbers it."""

    def store(work: Work, row: FrameRow, report: StartReport) -> StartAnswer:
        stations.record_frames(work, [row])
        stations.ensure_connector(work, report.station, report.connector)
        return start(work, report)

    async def answer(caller: Caller, received: Received, request: dict[str, Any]) -> dict[str, Any]:
        number = request["connectorId"]
        if not 1 <= number <= CONNECTORS_MAX:
            raise Refusal(
                ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"connectorId {number} is not in 1..{CONNECTORS_MAX}."
            )
        factor = 1000 if WH_MEANS_KWH in caller.waivers else 1
        report = StartReport(
            caller.identity,
            number,
            request["idTag"],
            request["meterStart"] * factor,
            read_time(caller, request["timestamp"], caller.clock.now()),
        )
        started = await database.write(store, frame_of(caller, received), report)
        if SLOW_START in caller.waivers:
            await asyncio.sleep(SLOW_START_S)
        return {"transactionId": started.transaction_id, "idTagInfo": {"status": started.authorisation.value}}

    return answer
