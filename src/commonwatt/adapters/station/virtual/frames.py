"""The payloads of the station's calls (OCPP 1.6, section 6), with the faults that garble what is true."""

from __future__ import annotations

from typing import Any, Final

from commonwatt.adapters.station.virtual.faults import Fault, Faults
from commonwatt.adapters.station.virtual.model import Connector, Ended, Status, Transaction
from commonwatt.kernel import Instant

_VOLTAGE: Final = 230.0
_ONE_PHASE_W_MAX: Final = 7_400.0
"""Above this a car charges on three phases."""
_WH_PER_KWH: Final = 1000
_HAIR: Final = 1e-6
"""What floating point may lack of a whole percent."""

Payload = dict[str, Any]


class Frames:
    """Writes payloads for one station."""

    def __init__(self, identity: str, faults: Faults) -> None:
        """Take the station's name and what it does wrong."""
        self._identity = identity
        self._faults = faults

    def time(self, at: Instant) -> str:
        """Write an instant as this station would, with its clock's error."""
        text = at.plus(seconds=self._faults.amount(Fault.WRONG_CLOCK) or 0).iso()
        return text.removesuffix("Z") if Fault.TIME_WITHOUT_ZONE in self._faults else text

    def boot(self) -> Payload:
        """Write BootNotification.req."""
        return {
            "chargePointVendor": "Commonwatt",
            "chargePointModel": "Virtual",
            "chargePointSerialNumber": self._identity[:25],
            "firmwareVersion": "1",
        }

    def status(self, connector: int, status: Status, at: Instant) -> Payload:
        """Write StatusNotification.req."""
        return {
            "connectorId": connector,
            "status": status.value,
            "errorCode": "NoError",
            "timestamp": self.time(at),
        }

    def start(self, connector: int, transaction: Transaction) -> Payload:
        """Write StartTransaction.req."""
        return {
            "connectorId": connector,
            "idTag": transaction.id_tag,
            "meterStart": self._register(transaction.meter_start_wh),
            "timestamp": self.time(transaction.started),
        }

    def meter_values(self, connector: Connector, measurands: tuple[str, ...], context: str) -> Payload:
        """Write MeterValues.req, its transactionId left to be filled in."""
        return {"connectorId": connector.number, "meterValue": [self.meter_value(connector, measurands, context)]}

    def stop(self, ended: Ended, data: list[Payload]) -> Payload:
        """Write StopTransaction.req, its transactionId left to be filled in."""
        payload: Payload = {
            "meterStop": self._last_register(ended),
            "timestamp": self.time(ended.at),
            "reason": ended.reason,
        }
        if ended.id_tag is not None:
            payload["idTag"] = ended.id_tag
        if data:
            payload["transactionData"] = data
        return payload

    def meter_value(self, connector: Connector, measurands: tuple[str, ...], context: str) -> Payload:
        """Write one moment's readings (OCPP 1.6, 7.33)."""
        values = (self._sampled(connector, measurand, context) for measurand in measurands)
        return {"timestamp": self.time(connector.at), "sampledValue": [value for value in values if value]}

    def _last_register(self, ended: Ended) -> int:
        if Fault.METER_STOP_ZERO in self._faults:
            return 0
        if Fault.SESSION_ENERGY in self._faults:
            return ended.meter_stop_wh - ended.transaction.meter_start_wh
        return self._register(ended.meter_stop_wh)

    def _register(self, wh: int) -> int:
        return wh // _WH_PER_KWH if Fault.KWH_AS_WH in self._faults else wh

    def _sampled(self, connector: Connector, measurand: str, context: str) -> Payload | None:
        power_w = connector.power_w
        match measurand:
            case "Energy.Active.Import.Register":
                wh = connector.meter_wh
                value, unit = (f"{wh / _WH_PER_KWH:.3f}" if Fault.KWH_AS_WH in self._faults else str(wh)), "Wh"
            case "Power.Active.Import" if Fault.NO_POWER in self._faults:
                return None
            case "Power.Active.Import":
                value, unit = f"{power_w:.1f}", "W"
            case "Current.Import":
                phases = 1 if power_w <= _ONE_PHASE_W_MAX else 3
                value, unit = f"{power_w / phases / _VOLTAGE:.2f}", "A"
            case "Voltage":
                value, unit = f"{_VOLTAGE:.1f}", "V"
            case "SoC":
                if connector.car is None:
                    return None
                value, unit = str(int(100 * connector.car.state_of_charge + _HAIR)), "Percent"
            case _:
                return None
        sampled = {"value": value, "context": context, "measurand": measurand, "unit": unit}
        if measurand == "SoC":
            sampled["location"] = "EV"
        return sampled
