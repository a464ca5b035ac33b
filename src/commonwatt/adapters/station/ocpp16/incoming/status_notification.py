"""StatusNotification (OCPP 1.6, 4.9): the state of a connector, or of the whole station."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from commonwatt import stations
from commonwatt.adapters.station.dialect import Caller, Received, Refusal
from commonwatt.adapters.station.ocpp16.incoming.handler import Handler, frame_of
from commonwatt.adapters.station.ocpp16.times import read_time
from commonwatt.charging.reports import StatusReport
from commonwatt.kernel import CONNECTORS_MAX
from commonwatt.kit.database import Database, Work
from commonwatt.protocols.ocppj import ErrorCode
from commonwatt.stations import ConnectorStatus, FrameRow


def status_notification(database: Database, note_status: Callable[[Work, StatusReport], None]) -> Handler:
    """Store it with the station, and let charging know."""

    def store(work: Work, items: Sequence[tuple[FrameRow, StatusReport]]) -> list[None]:
        stations.record_frames(work, [row for row, _ in items])
        stations.note_status(work, [_stored(report) for _, report in items])
        for _, report in items:
            note_status(work, report)
        return [None] * len(items)

    async def answer(caller: Caller, received: Received, request: dict[str, Any]) -> dict[str, Any]:
        number = request["connectorId"]
        if not 0 <= number <= CONNECTORS_MAX:
            raise Refusal(
                ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"connectorId {number} is not in 0..{CONNECTORS_MAX}."
            )
        now = caller.clock.now()
        said = request.get("timestamp")
        report = StatusReport(
            caller.identity,
            number,
            request["status"],
            request["errorCode"],
            read_time(caller, said, now) if said else now,
            request.get("info", ""),
            request.get("vendorErrorCode", ""),
        )
        await database.write_together(store, (frame_of(caller, received), report))
        return {}

    return answer


def _stored(report: StatusReport) -> ConnectorStatus:
    return ConnectorStatus(
        report.station, report.connector, report.status, report.error_code, report.info, report.vendor_error
    )
