"""What the station does when the server calls it (OCPP 1.6, section 5): core profile and remote trigger."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from commonwatt.adapters.station.virtual.link import Answer, Declined
from commonwatt.adapters.station.virtual.model import OperativeSet, Status
from commonwatt.protocols.ocppj import ErrorCode

if TYPE_CHECKING:
    from commonwatt.adapters.station.virtual.station import VirtualStation

Payload = dict[str, Any]
_STARTABLE: Final = frozenset({Status.AVAILABLE, Status.PREPARING, Status.FINISHING})
_NOT_OFFERED: Final = frozenset(
    {
        "CancelReservation",
        "ClearChargingProfile",
        "GetCompositeSchedule",
        "GetDiagnostics",
        "GetLocalListVersion",
        "ReserveNow",
        "SendLocalList",
        "SetChargingProfile",
        "UpdateFirmware",
    }
)
"""Actions of OCPP 1.6 that belong to profiles which this station does not have."""


def handle_call(station: VirtualStation, action: str, payload: Payload) -> Answer:
    """Answer one call of the server; raises Declined for what becomes a CALLERROR."""
    command = _COMMANDS.get(action)
    if command is None:
        code = ErrorCode.NOT_SUPPORTED if action in _NOT_OFFERED else ErrorCode.NOT_IMPLEMENTED
        raise Declined(code, f"{action} is not offered by this station")
    try:
        return command(station, payload)
    except KeyError as missing:
        raise Declined(ErrorCode.PROTOCOL_ERROR, f"{action} lacks {missing}") from missing
    except (TypeError, AttributeError) as wrong:
        raise Declined(ErrorCode.TYPE_CONSTRAINT_VIOLATION, f"{action}: {wrong}") from wrong


def _remote_start(station: VirtualStation, payload: Payload) -> Answer:
    id_tag = str(payload["idTag"])
    number: int = payload.get("connectorId") or station.free_connector() or 0
    connector = station.charger.connectors.get(number)
    if connector is None or not connector.operative or connector.status not in _STARTABLE:
        return Answer({"status": "Rejected"})

    async def start() -> None:
        await station.start_remotely(number, id_tag)

    return Answer({"status": "Accepted"}, start)


def _remote_stop(station: VirtualStation, payload: Payload) -> Answer:
    wanted = payload["transactionId"]
    for number, connector in station.charger.connectors.items():
        transaction = connector.transaction
        if transaction is not None and transaction.transaction_id == wanted:

            async def stop(number: int = number) -> None:
                await station.stop_charge(number, "Remote")

            return Answer({"status": "Accepted"}, stop)
    return Answer({"status": "Rejected"})


def _unlock(station: VirtualStation, payload: Payload) -> Answer:
    number = payload["connectorId"]
    if number not in station.charger.connectors:
        return Answer({"status": "NotSupported"})

    async def stop() -> None:
        await station.stop_charge(number, "UnlockCommand")

    return Answer({"status": "Unlocked"}, stop)


def _change_availability(station: VirtualStation, payload: Payload) -> Answer:
    number, operative = payload["connectorId"], payload["type"] == "Operative"
    numbers = list(station.charger.connectors) if number == 0 else [number]
    if not set(numbers) <= set(station.charger.connectors):
        return Answer({"status": "Rejected"})
    charging = any(station.charger.connectors[one].transaction for one in numbers)

    async def change() -> None:
        for one in numbers:
            station.happen(one, OperativeSet(operative))

    return Answer({"status": "Scheduled" if charging and not operative else "Accepted"}, change)


def _reset(station: VirtualStation, payload: Payload) -> Answer:
    kind = payload["type"]

    async def reset() -> None:
        await station.reboot("HardReset" if kind == "Hard" else "SoftReset")

    return Answer({"status": "Accepted"}, reset)


def _get_configuration(station: VirtualStation, payload: Payload) -> Answer:
    return Answer(station.charger.settings.read(list(payload.get("key") or [])))


def _change_configuration(station: VirtualStation, payload: Payload) -> Answer:
    status = station.charger.settings.change(payload["key"], payload["value"])

    async def wake() -> None:
        station.wake()

    return Answer({"status": status}, wake)


def _trigger(station: VirtualStation, payload: Payload) -> Answer:
    requested, number = payload["requestedMessage"], payload.get("connectorId")
    if number is not None and number not in station.charger.connectors:
        return Answer({"status": "Rejected"})
    numbers = list(station.charger.connectors) if number is None else [number]

    async def send() -> None:
        match requested:
            case "StatusNotification":
                station.tell_status(numbers)
            case "MeterValues":
                for one in numbers:
                    station.charger.sample(one, station.now(), "Trigger")
                station.wake()
            case "BootNotification":
                await station.boot_again()
            case _:
                await station.call("Heartbeat", {})

    if requested not in {"BootNotification", "Heartbeat", "MeterValues", "StatusNotification"}:
        return Answer({"status": "NotImplemented"})
    return Answer({"status": "Accepted"}, send)


def _clear_cache(station: VirtualStation, payload: Payload) -> Answer:  # noqa: ARG001 (one shape for all commands)
    station.charger.memory.allowed.clear()
    return Answer({"status": "Accepted"})


def _data_transfer(station: VirtualStation, payload: Payload) -> Answer:  # noqa: ARG001 (one shape for all commands)
    _ = payload["vendorId"]
    return Answer({"status": "UnknownVendorId"})


_COMMANDS: Final[dict[str, Callable[[VirtualStation, Payload], Answer]]] = {
    "ChangeAvailability": _change_availability,
    "ChangeConfiguration": _change_configuration,
    "ClearCache": _clear_cache,
    "DataTransfer": _data_transfer,
    "GetConfiguration": _get_configuration,
    "RemoteStartTransaction": _remote_start,
    "RemoteStopTransaction": _remote_stop,
    "Reset": _reset,
    "TriggerMessage": _trigger,
    "UnlockConnector": _unlock,
}
