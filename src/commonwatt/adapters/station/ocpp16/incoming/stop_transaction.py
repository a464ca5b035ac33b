"""StopTransaction (OCPP 1.6, 4.10): a station ended a transaction; it may be hours late, repeated, or strange."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from commonwatt import stations
from commonwatt.adapters.station.dialect import Caller, Received
from commonwatt.adapters.station.ocpp16.incoming.handler import Handler, frame_of
from commonwatt.adapters.station.ocpp16.samples import read_samples
from commonwatt.adapters.station.ocpp16.times import read_time
from commonwatt.charging.reports import Authorisation, StopReport
from commonwatt.kit.database import Database, Work
from commonwatt.stations import WH_MEANS_KWH, FrameRow

NO_TAG = frozenset({"", "undefined", "null", "none"})
"""What some stations write when nobody showed a tag."""


def stop_transaction(database: Database, stop: Callable[[Work, StopReport], Authorisation | None]) -> Handler:
    """Hand it to charging, with the meter values that it carries."""

    def store(work: Work, row: FrameRow, report: StopReport) -> Authorisation | None:
        stations.record_frames(work, [row])
        return stop(work, report)

    async def answer(caller: Caller, received: Received, request: dict[str, Any]) -> dict[str, Any]:
        now = caller.clock.now()
        factor = 1000 if WH_MEANS_KWH in caller.waivers else 1
        id_tag = request.get("idTag")
        report = StopReport(
            caller.identity,
            request["transactionId"],
            request["meterStop"] * factor,
            read_time(caller, request["timestamp"], now),
            request.get("reason", "Local"),
            None if id_tag is None or id_tag.lower() in NO_TAG else id_tag,
            read_samples(caller, request.get("transactionData", []), now, lenient=True),
        )
        verdict = await database.write(store, frame_of(caller, received), report)
        return {} if verdict is None else {"idTagInfo": {"status": verdict.value}}

    return answer
