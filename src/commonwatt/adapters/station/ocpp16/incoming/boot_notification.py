"""BootNotification (OCPP 1.6, 4.2): a station introduces itself after a start.

A storm of boots costs one commit: all that wait are stored together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from commonwatt import stations
from commonwatt.adapters.station.dialect import Caller, Received
from commonwatt.adapters.station.ocpp16.incoming.handler import Handler, frame_of
from commonwatt.kernel import Instant
from commonwatt.kit.database import Database, Work
from commonwatt.stations import Boot, FrameRow


def boot_notification(database: Database, note_boot: Callable[[Work, str, Instant], None], heartbeat_s: int) -> Handler:
    """Store who it is and let charging know that its registers and transactions may have begun anew."""

    def store(work: Work, items: Sequence[tuple[FrameRow, Boot]]) -> list[None]:
        stations.record_frames(work, [row for row, _ in items])
        for _, boot in items:
            stations.note_boot(work, boot)
            note_boot(work, boot.station, work.now)
        return [None] * len(items)

    async def answer(caller: Caller, received: Received, request: dict[str, Any]) -> dict[str, Any]:
        boot = read_boot(caller.identity, request)
        await database.write_together(store, (frame_of(caller, received), boot))
        return {"status": "Accepted", "currentTime": caller.clock.now().iso(), "interval": heartbeat_s}

    return answer


def read_boot(identity: str, request: dict[str, Any]) -> Boot:
    """Return how a station introduces itself."""
    return Boot(
        identity,
        request["chargePointVendor"],
        request["chargePointModel"],
        request.get("chargePointSerialNumber") or request.get("chargeBoxSerialNumber") or "",
        request.get("firmwareVersion", ""),
    )
