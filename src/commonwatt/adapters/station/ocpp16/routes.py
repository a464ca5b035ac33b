"""Action to handler: the whole of what a station may say to us in OCPP 1.6."""

from __future__ import annotations

from commonwatt.adapters.station.ocpp16.incoming.authorize import authorize
from commonwatt.adapters.station.ocpp16.incoming.boot_notification import boot_notification
from commonwatt.adapters.station.ocpp16.incoming.data_transfer import data_transfer
from commonwatt.adapters.station.ocpp16.incoming.diagnostics_status_notification import diagnostics_status_notification
from commonwatt.adapters.station.ocpp16.incoming.firmware_status_notification import firmware_status_notification
from commonwatt.adapters.station.ocpp16.incoming.handler import Handler, Instantly
from commonwatt.adapters.station.ocpp16.incoming.heartbeat import heartbeat
from commonwatt.adapters.station.ocpp16.incoming.meter_values import meter_values
from commonwatt.adapters.station.ocpp16.incoming.start_transaction import start_transaction
from commonwatt.adapters.station.ocpp16.incoming.status_notification import status_notification
from commonwatt.adapters.station.ocpp16.incoming.stop_transaction import stop_transaction
from commonwatt.adapters.station.ports import Ports
from commonwatt.kit.database import Database


def stored(database: Database, ports: Ports, heartbeat_s: int) -> dict[str, Handler]:
    """Return the handlers that wait for the database, each with just the ports that it needs."""
    return {
        "Authorize": authorize(database, ports.authorise),
        "BootNotification": boot_notification(database, ports.note_boot, heartbeat_s),
        "MeterValues": meter_values(database, ports.record_samples),
        "StartTransaction": start_transaction(database, ports.start_transaction),
        "StatusNotification": status_notification(database, ports.note_status),
        "StopTransaction": stop_transaction(database, ports.stop_transaction),
    }


def instant() -> dict[str, Instantly]:
    """Return the handlers that answer from memory; their frames are the record of what was said."""
    return {
        "DataTransfer": data_transfer,
        "DiagnosticsStatusNotification": diagnostics_status_notification,
        "FirmwareStatusNotification": firmware_status_notification,
        "Heartbeat": heartbeat,
    }


DURABLE = frozenset({"BootNotification", "MeterValues", "StartTransaction", "StatusNotification", "StopTransaction"})
"""Actions whose frame is stored in the transaction of their effect."""

ASKED_OF_STATIONS = frozenset({
    "CancelReservation", "CertificateSigned", "ChangeAvailability", "ChangeConfiguration", "ClearCache",
    "ClearChargingProfile", "DataTransfer", "DeleteCertificate", "ExtendedTriggerMessage", "GetCompositeSchedule",
    "GetConfiguration", "GetDiagnostics", "GetInstalledCertificateIds", "GetLocalListVersion", "GetLog",
    "InstallCertificate", "RemoteStartTransaction", "RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList",
    "SetChargingProfile", "SignedUpdateFirmware", "TriggerMessage", "UnlockConnector", "UpdateFirmware",
})  # fmt: skip
"""Actions that a central system may send."""
