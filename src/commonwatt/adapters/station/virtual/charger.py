"""The station without its network: connectors, what it owes the server, and what really happened.

Synchronous and driven from outside: whoever owns it tells it the time and what happens, takes the next message that
is due and reports the server's answer. `station` puts it on a connection and a timeline.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from commonwatt.adapters.station.virtual.configuration import Configuration
from commonwatt.adapters.station.virtual.faults import Fault, Faults
from commonwatt.adapters.station.virtual.frames import Frames
from commonwatt.adapters.station.virtual.memory import Memory, Truth
from commonwatt.adapters.station.virtual.model import (
    Began,
    Connector,
    Effect,
    Ended,
    Event,
    Numbered,
    Passed,
    RegisterReset,
    StatusChanged,
    StopAsked,
    step,
)
from commonwatt.adapters.station.virtual.queue import Due, MessageQueue
from commonwatt.kernel import Instant

Payload = dict[str, Any]
NO_TRANSACTION_ID: Final = -1
"""What a station sends that never learned the number (EVerest/libocpp#495)."""
TRUTHS_KEPT: Final = 1000
"""Charges that a station remembers at least; older ones are forgotten once the server has answered all of them."""
_DURABLE: Final = frozenset({"StartTransaction", "StopTransaction"})


class Charger:
    """One station's connectors, queue, configuration, faults and truth."""

    def __init__(
        self,
        identity: str,
        connectors: int,
        faults: Faults,
        now: Instant,
        memory: Memory | None,
        *,
        had_power: bool = False,
    ) -> None:
        """Build it new, or wake it up with what it remembers.

        A charge that was on then ended with the power, unless the station `had_power` and only nobody looked.
        """
        self.faults = faults
        self.identity = identity
        self.frames = Frames(identity, faults)
        self.memory = memory or Memory(
            identity=identity,
            connectors=[Connector(number, now) for number in range(1, connectors + 1)],
            queue=[],
            truths=[],
            settings={},
            allowed={},
            messages=0,
        )
        self.settings = Configuration(len(self.memory.connectors), self.memory.settings)
        self.queue = MessageQueue(self.memory.queue)
        self.connectors = {connector.number: connector for connector in self.memory.connectors}
        self.truths = {truth.key: truth for truth in self.memory.truths}
        self.online = False
        """Whether status changes are worth telling; set by whoever owns the connection."""
        self.changed: Callable[[Effect], None] = lambda _effect: None
        """Hears of every effect, for logs and drivers."""
        self._samples: dict[int, Instant] = {}
        self._played: set[tuple[str, Fault]] = set()
        for number, connector in () if had_power else self.connectors.items():
            self.connectors[number] = replace(connector, permit=None)
            self.happen(number, StopAsked("PowerLoss"), connector.at)

    def remember(self) -> Memory:
        """Return all that has to outlive the process."""
        self.memory.connectors = list(self.connectors.values())
        self.memory.queue = list(self.queue)
        self.memory.truths = list(self.truths.values())
        self.memory.settings = self.settings.changed
        return self.memory

    def happen(self, number: int, event: Event, at: Instant) -> None:
        """Let something happen to a connector, after the samples that were due before it."""
        self._sample_until(number, at)
        self._step(number, event, at)

    def _sample_until(self, number: int, now: Instant) -> None:
        interval_s = self._interval_s()
        if interval_s == 0:
            self._samples.pop(number, None)
        elif self.connectors[number].transaction is not None:
            self._samples.setdefault(number, now.plus(seconds=interval_s))
        while number in self._samples and self._samples[number] <= now:
            self.sample(number, self._samples[number])
            self._samples[number] = self._samples[number].plus(seconds=interval_s)

    def _step(self, number: int, event: Event, at: Instant) -> None:
        self.connectors[number], effects = step(self.connectors[number], event, at)
        for effect in effects:
            self._owe(effect)
            self.changed(effect)

    def tick(self, now: Instant) -> list[Fault]:
        """Let time pass everywhere, sample what is due, and return the faults whose time has come."""
        due: list[Fault] = []
        for number in self.connectors:
            self._sample_until(number, now)
            due += self._play(number, now)
            self.happen(number, Passed(), now)
        return due

    def next_event(self) -> Instant | None:
        """Return when the next sample is due or the next permission runs out, if any."""
        permits = [connector.permit.until for connector in self.connectors.values() if connector.permit]
        return min([*self._samples.values(), *permits], default=None)

    def sample(self, number: int, at: Instant, context: str = "Sample.Periodic") -> None:
        """Read a connector's meter and owe the server its values."""
        self._step(number, Passed(), at)
        connector = self.connectors[number]
        payload = self.frames.meter_values(connector, self.settings.measurands("MeterValuesSampledData"), context)
        if payload["meterValue"][0]["sampledValue"]:
            self.queue.append(Due(action="MeterValues", payload=payload, key=self._key(connector)))

    def filled(self, due: Due) -> Payload:
        """Return a message as it is sent now: with its transaction's number, once that is known."""
        if due.key is None or due.action == "StartTransaction":
            return due.payload
        number = self.truths[due.key].transaction_id
        if Fault.UNKNOWN_ID in self.faults:
            number = NO_TRANSACTION_ID
        return {**due.payload, "transactionId": NO_TRANSACTION_ID if number is None else number}

    def answered(self, due: Due, answer: Payload, now: Instant) -> None:
        """Take a message off the queue and learn from its answer."""
        truth = self.truths.get(due.key or "")
        number = int(answer["transactionId"]) if due.action == "StartTransaction" else None
        self.queue.answered(due)
        if truth is None:
            return
        if due.action == "StopTransaction":
            truth.stop_answered = True
        if number is None or truth.start_answered:
            return
        truth.start_answered = True
        truth.transaction_id = number
        truth.authorisation = str(answer.get("idTagInfo", {}).get("status", "Accepted"))
        self.happen(truth.connector, Numbered(truth.key, number), now)
        transaction = self.connectors[truth.connector].transaction
        ours = transaction is not None and transaction.key == truth.key
        if ours and truth.authorisation != "Accepted" and self.settings.is_on("StopTransactionOnInvalidId"):
            self.happen(truth.connector, StopAsked("DeAuthorized"), now)

    def refused(self, due: Due, reason: str, now: Instant) -> None:
        """Try a message again later that got a CALLERROR, and give it up in the end (OCPP 1.6, 3.7.1)."""
        due.attempts += 1
        attempts = self.settings.seconds("TransactionMessageAttempts")
        if due.action in _DURABLE and due.attempts < attempts:
            interval_s = self.settings.seconds("TransactionMessageRetryInterval")
            due.not_before_ms = now.plus(seconds=due.attempts * interval_s).ms
            return
        due.repeats = 0
        self.queue.answered(due)
        if due.key in self.truths:
            self.truths[due.key].refused = reason

    def _owe(self, effect: Effect) -> None:
        match effect:
            case StatusChanged(connector=number, status=status, at=at):
                if self.online:
                    payload = self.frames.status(number, status, at)
                    self.queue.append(Due(action="StatusNotification", payload=payload))
            case Began(connector=number, transaction=transaction):
                self._forget_old()
                self.truths[transaction.key] = Truth(
                    key=transaction.key,
                    connector=number,
                    id_tag=transaction.id_tag,
                    started_ms=transaction.started.ms,
                )
                self._samples[number] = transaction.started.plus(seconds=self._interval_s())
                self.queue.append(
                    Due(
                        action="StartTransaction",
                        payload=self.frames.start(number, transaction),
                        key=transaction.key,
                        repeats=int(Fault.REPEAT_START in self.faults),
                    )
                )
            case Ended():
                self._owe_stop(effect)

    def _forget_old(self) -> None:
        for key in [key for key, truth in self.truths.items() if truth.settled][:-TRUTHS_KEPT]:
            del self.truths[key]

    def _owe_stop(self, ended: Ended) -> None:
        self._samples.pop(ended.connector, None)
        key = ended.transaction.key
        truth = self.truths[key]
        truth.energy_wh, truth.stopped_ms, truth.reason = ended.energy_wh, ended.at.ms, ended.reason
        measurands = self.settings.measurands("StopTxnSampledData")
        connector = self.connectors[ended.connector]
        data = [self.frames.meter_value(connector, measurands, "Transaction.End")] if measurands else []
        late_s = self.faults.amount(Fault.STOP_LATE)
        self.queue.append(
            Due(
                action="StopTransaction",
                payload=self.frames.stop(ended, data),
                key=key,
                not_before_ms=0 if late_s is None else ended.at.plus(seconds=late_s).ms,
                repeats=int(Fault.REPEAT_STOP in self.faults),
            )
        )
        if Fault.VALUES_AFTER_STOP in self.faults:
            payload = self.frames.meter_values(
                connector, self.settings.measurands("MeterValuesSampledData"), "Sample.Periodic"
            )
            self.queue.append(Due(action="MeterValues", payload=payload, key=key))

    def _play(self, number: int, now: Instant) -> list[Fault]:
        """Return the faults that strike a charge now, each once in it; the register's is done here."""
        due: list[Fault] = []
        transaction = self.connectors[number].transaction
        for fault in (Fault.RESET_REGISTER, Fault.DROP_LINK, Fault.REBOOT) if transaction else ():
            after_s = self.faults.amount(fault)
            if after_s is None or transaction is None or (transaction.key, fault) in self._played:
                continue
            if transaction.started.plus(seconds=after_s) <= now:
                self._played.add((transaction.key, fault))
                due.append(fault)
        if Fault.RESET_REGISTER in due:
            self.happen(number, RegisterReset(), now)
        return due

    def _interval_s(self) -> int:
        return self.settings.seconds("MeterValueSampleInterval")

    def _key(self, connector: Connector) -> str | None:
        return connector.transaction.key if connector.transaction else None
