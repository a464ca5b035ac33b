"""What a virtual station does wrong on request; each fault has a name, a default amount and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from commonwatt.kernel import Refused


class Fault(StrEnum):
    """Names of the faults, as the command line spells them."""

    NEVER_PLUGS_IN = "never-plugs-in"
    DROP_LINK = "drop-link"
    REPEAT_START = "repeat-start"
    REPEAT_STOP = "repeat-stop"
    WRONG_CLOCK = "wrong-clock"
    OFFLINE_START = "offline-start"
    UNKNOWN_ID = "unknown-id"
    RESET_REGISTER = "reset-register"
    REBOOT = "reboot"
    STOP_LATE = "stop-late"
    KWH_AS_WH = "kwh-as-wh"
    SESSION_ENERGY = "session-energy"
    NO_POWER = "no-power"
    METER_STOP_ZERO = "meter-stop-zero"
    VALUES_AFTER_STOP = "values-after-stop"
    NO_SUBPROTOCOL = "no-subprotocol"
    TIME_WITHOUT_ZONE = "time-without-zone"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a fault does; `amount` is in seconds of the station's time where the fault has one."""

    text: str
    amount: int = 0


EXPLANATIONS: Mapping[Fault, Explanation] = {
    Fault.NEVER_PLUGS_IN: Explanation("accepts a remote start, but nobody ever plugs in"),
    Fault.DROP_LINK: Explanation("drops the connection so long into a charge and dials again", 30),
    Fault.REPEAT_START: Explanation("repeats each StartTransaction with a new message id"),
    Fault.REPEAT_STOP: Explanation("repeats each StopTransaction with a new message id"),
    Fault.WRONG_CLOCK: Explanation("its clock is off by so many seconds", -86_400),
    Fault.OFFLINE_START: Explanation("is offline when a charge starts and for so long after it", 60),
    Fault.UNKNOWN_ID: Explanation("starts offline and then sends transaction id -1 (EVerest/libocpp#495)", 60),
    Fault.RESET_REGISTER: Explanation("its register falls to 0 so long into a charge", 60),
    Fault.REBOOT: Explanation("loses power for a moment so long into a charge", 60),
    Fault.STOP_LATE: Explanation("delivers each StopTransaction so late", 7_200),
    Fault.KWH_AS_WH: Explanation("sends kWh and calls them Wh (OpenEVSE/openevse_esp32_firmware#703)"),
    Fault.SESSION_ENERGY: Explanation("sends the energy of the charge as meterStop, not the register"),
    Fault.NO_POWER: Explanation("sends the register alone, no power"),
    Fault.METER_STOP_ZERO: Explanation("sends meterStop 0"),
    Fault.VALUES_AFTER_STOP: Explanation("sends one more MeterValues after each StopTransaction"),
    Fault.NO_SUBPROTOCOL: Explanation("asks for no WebSocket subprotocol (lbbrhzn/ocpp#442)"),
    Fault.TIME_WITHOUT_ZONE: Explanation("writes its UTC times without a zone"),
}


class UnknownFault(Refused):
    """A fault was asked for that no station knows."""

    slug = "unknown-fault"
    title = "No such fault"
    status = 422


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one station, each with its amount."""

    amounts: Mapping[Fault, int] = field(default_factory=dict)

    @classmethod
    def of(cls, *names: str) -> Self:
        """Read names such as `repeat-stop` or `wrong-clock=-3600`; raises UnknownFault."""
        amounts: dict[Fault, int] = {}
        for text in names:
            name, _, amount = text.partition("=")
            try:
                fault = Fault(name.strip())
                amounts[fault] = int(amount) if amount else EXPLANATIONS[fault].amount
            except ValueError:
                known = ", ".join(Fault)
                raise UnknownFault(f"{text!r} is no fault. Known: {known}.", fault=text) from None
        return cls(amounts)

    def __contains__(self, fault: object) -> bool:
        return fault in self.amounts

    def amount(self, fault: Fault) -> int | None:
        """Return a fault's amount, or None where the station does not have the fault."""
        return self.amounts.get(fault)
