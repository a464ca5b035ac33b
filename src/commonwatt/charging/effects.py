"""What charging asks of the world, stored with the decision and repeated until it is known or no longer wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from commonwatt.kit.database import Effect


@dataclass(frozen=True, slots=True)
class AskStart(Effect):
    """Ask a station to start charging under a session's one-time id tag."""

    kind: ClassVar[str] = "charging.AskStart"
    session_id: str


@dataclass(frozen=True, slots=True)
class AskStop(Effect):
    """Ask a station to end a transaction; `session_id` is empty for one that nobody may charge on."""

    kind: ClassVar[str] = "charging.AskStop"
    session_id: str
    station: str
    transaction_id: int


@dataclass(frozen=True, slots=True)
class SetRhythm(Effect):
    """Ask a station to send its readings as often as the limit of a prepaid charge needs."""

    kind: ClassVar[str] = "charging.SetRhythm"
    station: str


@dataclass(frozen=True, slots=True)
class AskReading(Effect):
    """Ask a station for a reading of a connector now (OCPP 1.6, 5.17 TriggerMessage)."""

    kind: ClassVar[str] = "charging.AskReading"
    station: str
    connector: int


@dataclass(frozen=True, slots=True)
class SendChange(Effect):
    """Send a session's change to the Lightning address that its driver left; `asked_ms` is when that was wished."""

    kind: ClassVar[str] = "charging.SendChange"
    session_id: str
    asked_ms: int = 0
