"""What the features ask of a charge point, in words that every OCPP version can translate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from commonwatt.kernel import Failed, Outcome


@dataclass(frozen=True, slots=True)
class AnswerInvalid(Failed):
    """The station answered, and its answer is against the standard: what it did stands perhaps in the `payload`."""

    code: str = "answer-invalid"
    payload: dict[str, Any] = field(default_factory=dict)


PATIENCE_S = 5.0
"""How long a person's command waits for its turn before he hears what the station has not answered."""


class StationLine(Protocol):
    """The line to all connected stations. Nothing raises: no connection, a timeout or a CALLERROR is an outcome.

    `Done(True)` means that the station accepted, `Done(False)` that it declined; `Failed(code="offline")` that the
    command was never sent; `Failed(code="callerror", reason="NotSupported: ...")` that the station could not;
    `AnswerInvalid` that it answered against the standard; `Unknown` that it was sent and no answer came in time.
    """

    def is_connected(self, identity: str) -> bool:
        """Whether the station has a live connection that answered lately."""
        ...

    async def remote_start(self, identity: str, connector: int, id_tag: str) -> Outcome[bool]:
        """Ask to start charging with an id tag (1.6 RemoteStartTransaction)."""
        ...

    async def remote_stop(self, identity: str, transaction_id: int) -> Outcome[bool]:
        """Ask to end a transaction (1.6 RemoteStopTransaction)."""
        ...

    async def set_rhythm(self, identity: str, seconds: int) -> Outcome[bool]:
        """Ask for a reading every so many seconds while it charges (1.6 ChangeConfiguration)."""
        ...

    async def ask_reading(self, identity: str, connector: int) -> Outcome[bool]:
        """Ask for a reading of a connector now (1.6 TriggerMessage)."""
        ...

    async def send(
        self, identity: str, action: str, payload: dict[str, Any], *, patience_s: float | None = None
    ) -> Outcome[dict[str, Any]]:
        """Send a raw OCPP call and return the station's payload; validated in both directions.

        A station has one call at a time (OCPP-J 1.6, 4.1.1). `Failed(code="busy")` when too many wait already, or when
        the turn does not come within `patience_s`; the command was never sent then.
        """
        ...

    async def disconnect(self, identity: str, reason: str) -> None:
        """Close the station's connection, when there is one."""
        ...
