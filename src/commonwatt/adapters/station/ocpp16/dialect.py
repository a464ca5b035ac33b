"""OCPP 1.6J, as the link and the hub use it."""

from __future__ import annotations

from typing import Any

from commonwatt import stations
from commonwatt.adapters.station.dialect import Caller, Received, Refusal
from commonwatt.adapters.station.ocpp16 import routes
from commonwatt.adapters.station.ocpp16.check import actions, check_own, checked
from commonwatt.adapters.station.ocpp16.incoming.boot_notification import read_boot
from commonwatt.adapters.station.ocpp16.outgoing import (
    change_configuration,
    get_configuration,
    remote_start_transaction,
    remote_stop_transaction,
    trigger_message,
)
from commonwatt.adapters.station.ports import Ports
from commonwatt.kit.database import Database
from commonwatt.protocols.ocppj import Call, ErrorCode, compose_result

HEARTBEAT_S = 300
"""Asked for at boot; pings tell more, and cost less, than heartbeats."""
WAITING_S = 60
"""How soon a station in the waiting room may introduce itself again."""
_WHILE_WAITING = frozenset({"BootNotification", "Heartbeat", "StatusNotification"})


class Ocpp16:
    """The dialect; one object serves all links."""

    subprotocol = "ocpp1.6"
    durable = routes.DURABLE

    def __init__(self, database: Database, ports: Ports, *, heartbeat_s: int = HEARTBEAT_S) -> None:
        """Build the routing table."""
        self._database = database
        self._stored = routes.stored(database, ports, heartbeat_s)
        self._instant = routes.instant()
        self.from_memory = frozenset(self._instant)

    def answer_now(self, caller: Caller, call: Call) -> str:
        """Answer from memory; raises Refusal."""
        request = checked(caller, call.action, call.payload)
        if not caller.admitted:
            _only_introductions(call.action)
        return _composed(call, self._instant[call.action](caller, request))

    async def answer(self, caller: Caller, received: Received) -> str:
        """Answer a call once what it caused is stored; raises Refusal."""
        call = received.call
        if call.action in self._instant:
            return self.answer_now(caller, call)
        handler = self._stored.get(call.action)
        if handler is None:
            if call.action in actions():
                raise Refusal(ErrorCode.NOT_SUPPORTED, f"{call.action} is not offered here.")
            raise Refusal(ErrorCode.NOT_IMPLEMENTED, f"{call.action[:50]!r} is no action of OCPP 1.6.")
        request = checked(caller, call.action, call.payload)
        if not caller.admitted:
            _only_introductions(call.action)
            if call.action == "BootNotification":
                await self._database.write(stations.note_introduction, read_boot(caller.identity, request))
            return _composed(call, _while_waiting(caller, call.action))
        return _composed(call, await handler(caller, received, request))

    def check_request(self, action: str, payload: dict[str, Any]) -> None:
        """Raise Refusal when a central system cannot send this."""
        if action not in routes.ASKED_OF_STATIONS:
            raise Refusal(ErrorCode.NOT_IMPLEMENTED, f"{action[:50]!r} is no command of OCPP 1.6 to a station.")
        check_own(action, payload)

    def read_answer(self, caller: Caller, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Return a station's answer, repaired where that is certain; raises Refusal."""
        return checked(caller, f"{action}Response", payload)

    async def learn(self, caller: Caller, action: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Remember the configuration that a station told, or took over."""
        if action == "GetConfiguration":
            settings = get_configuration.settings(answer)
        elif action == "ChangeConfiguration":
            settings = change_configuration.settings(request, answer)
        else:
            return
        if settings:
            await self._database.write(get_configuration.remember, caller.identity, settings)

    def remote_start(self, connector: int, id_tag: str) -> tuple[str, dict[str, Any]]:
        """Return RemoteStartTransaction."""
        return remote_start_transaction.request(connector, id_tag)

    def remote_stop(self, transaction_id: int) -> tuple[str, dict[str, Any]]:
        """Return RemoteStopTransaction."""
        return remote_stop_transaction.request(transaction_id)

    def set_rhythm(self, seconds: int) -> tuple[str, dict[str, Any]]:
        """Return the ChangeConfiguration of the sampling interval (OCPP 1.6, 9.1)."""
        return change_configuration.request("MeterValueSampleInterval", str(seconds))

    def ask_reading(self, connector: int) -> tuple[str, dict[str, Any]]:
        """Return the TriggerMessage that asks for MeterValues."""
        return trigger_message.request("MeterValues", connector)

    def announce_again(self) -> tuple[str, dict[str, Any]]:
        """Return the TriggerMessage that asks for a BootNotification."""
        return trigger_message.request("BootNotification")

    def accepted(self, answer: dict[str, Any]) -> bool:
        """Whether the answer's status is Accepted."""
        return answer.get("status") == "Accepted"


def _only_introductions(action: str) -> None:
    if action not in _WHILE_WAITING:
        raise Refusal(ErrorCode.SECURITY_ERROR, "This station waits to be admitted by its operator; try again later.")


def _while_waiting(caller: Caller, action: str) -> dict[str, Any]:
    """Answer a station in the waiting room: it may introduce itself, no more (OCPP 1.6, 4.2)."""
    if action == "BootNotification":
        return {"status": "Pending", "currentTime": caller.clock.now().iso(), "interval": WAITING_S}
    return {}


def _composed(call: Call, answer: dict[str, Any]) -> str:
    if answer:
        check_own(f"{call.action}Response", answer)
    return compose_result(call.id, answer)
