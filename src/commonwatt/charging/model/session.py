"""The session, from the scan to the refund, as a pure machine: `step(session, happening, terms, now)`.

It knows money and status, nothing of tariffs, rails or OCPP: whoever calls it says what was metered and what that
costs. The law of it: money that came is never lost (`paid = billed + change`), nothing is billed that was not
delivered, nobody is billed more than was paid, and a session that began always ends, whatever the station does.

    OFFERED ──paid or held──> STARTING ──began──> STARTED ──energy──> CHARGING ──stop──> STOPPING ──finished──> ENDED
       │                         │                   │
       └──────── expired ────────┴─── no energy ─────┴──────────────> CANCELLED (all money goes back, unasked)

The table that the documentation prints is `RULES`, at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from commonwatt.charging.model.happenings import (
    Began,
    Expired,
    Finished,
    Happening,
    Held,
    HoldLost,
    Metered,
    OfferWithdrawn,
    Paid,
    StartAnswered,
    StopAnswered,
    StopAsked,
    Vanished,
)
from commonwatt.kernel import Instant


class Status(StrEnum):
    """Where a session stands."""

    OFFERED = "offered"
    """An invoice is out; nothing is paid."""
    STARTING = "starting"
    """Money is locked or paid; the station was asked; nothing is plugged in yet."""
    STARTED = "started"
    """The station began a transaction; no energy has flowed."""
    CHARGING = "charging"
    """Energy flows; what was locked becomes ours."""
    STOPPING = "stopping"
    """The station was asked to end; its last reading is awaited."""
    ENDED = "ended"
    """The bill stands; what is left is the driver's."""
    CANCELLED = "cancelled"
    """Nothing was delivered; all money is the driver's."""


ACTIVE = frozenset({Status.STARTING, Status.STARTED, Status.CHARGING, Status.STOPPING})
"""The states in which a session occupies its connector."""


UNREPORTED = "the station did not report the end; its last reading counts"
"""The reason, or the end of the reason, of a session that was billed without the station's last word."""


UNPAID = "the invoice was not paid in time"
"""The reason of an offer that lapsed; a payment of which we hear only afterwards goes back."""


class Wish(StrEnum):
    """What the machine asks of the world; the action turns each into work."""

    ASK_START = "ask the station to start"
    ASK_STOP = "ask the station to stop"
    CAPTURE = "take what is locked"
    GIVE_BACK = "give back what is locked"
    BILL = "post the bill"
    RETURN_CHANGE = "return the change"


@dataclass(frozen=True, slots=True)
class Terms:
    """How long the machine waits, in seconds."""

    start_s: int = 90
    """From the payment to the plug."""
    hold_s: int = 120
    """From the payment to the first energy, as long as it is only locked."""
    stop_s: int = 90
    """From asking the station to stop to billing by the last known reading."""
    vanish_s: int = 60
    """From the station denying the transaction to billing by the last known reading."""


class Session(Struct, frozen=True, omit_defaults=True):
    """Money and status of one charge. Amounts in msat, energy in Wh; `deadline_ms` is when waiting ends."""

    status: Status
    prepaid: bool = True
    paid_msat: int = 0
    held_msat: int = 0
    cost_msat: int = 0
    billed_msat: int = 0
    energy_wh: int = 0
    billed: bool = False
    taking: bool = False
    """Locked money was asked to become ours; it is never given back after that."""
    giving: bool = False
    """Locked money was asked to go back; it is never taken after that."""
    transaction_id: int | None = None
    reason: str = ""
    deadline_ms: int | None = None

    @property
    def credit_msat(self) -> int:
        """What the driver may charge for: ours and locked money."""
        return self.paid_msat + self.held_msat

    @property
    def change_msat(self) -> int:
        """What is the driver's once the session is over (before any of it was returned)."""
        return self.paid_msat - self.billed_msat

    @property
    def uncollected_msat(self) -> int:
        """What was delivered and not paid: the owner's loss, never the driver's debt."""
        return self.cost_msat - self.billed_msat if self.billed and self.prepaid else 0

    @property
    def over(self) -> bool:
        """Whether nothing will be delivered any more."""
        return self.status in (Status.ENDED, Status.CANCELLED)


class Step(NamedTuple):
    """The session afterwards, and what the world is asked to do, in order."""

    session: Session
    wishes: tuple[Wish, ...] = ()


def step(session: Session, happening: Happening, terms: Terms, now: Instant) -> Step:
    """Take what happened; what means nothing in this state changes nothing."""
    rule = _TABLE.get((session.status, type(happening)))
    return Step(session) if rule is None else rule.answer(session, happening, terms, now)


def _wait(session: Session, seconds: int, now: Instant) -> Session:
    return replace(session, deadline_ms=now.ms + 1000 * seconds)


def _fund(session: Session, happening: Held | Paid) -> Session:
    if isinstance(happening, Held):
        return replace(session, held_msat=session.held_msat + happening.amount_msat)
    held = session.held_msat - happening.amount_msat if happening.was_held else session.held_msat
    return replace(session, paid_msat=session.paid_msat + happening.amount_msat, held_msat=max(0, held))


def _take(session: Session) -> Step:
    """Ask for locked money to become ours, once."""
    if not session.held_msat or session.taking or session.giving:
        return Step(session)
    return Step(replace(session, taking=True), (Wish.CAPTURE,))


def _give(session: Session) -> Step:
    """Ask for locked money to go back, unless it was asked to become ours before: then it comes back as change."""
    if not session.held_msat or session.taking:
        return Step(session)
    return Step(replace(session, giving=True), (Wish.GIVE_BACK,))


def _begin_paying(session: Session, happening: Any, terms: Terms, now: Instant) -> Step:
    """Ask for the start; but what is told after the offer lapsed, as when we were away, starts nothing.

    Its payer has waited long and may be gone; another car could come to charge on that money.
    """
    lapsed = session.deadline_ms is not None and now.ms > session.deadline_ms
    session = _fund(session, happening)
    if lapsed:
        return _cancel(session, UNPAID)
    if not happening.free:
        return _cancel(session, "the charge point was taken by somebody else first")
    return Step(_wait(replace(session, status=Status.STARTING), terms.start_s, now), (Wish.ASK_START,))


def _cancel(session: Session, reason: str) -> Step:
    session = replace(session, status=Status.CANCELLED, reason=reason, deadline_ms=None, cost_msat=0, billed=True)
    given = _give(session)
    return Step(given.session, (*given.wishes, Wish.RETURN_CHANGE) if session.paid_msat else given.wishes)


def _withdraw_offer(session: Session, happening: Any, _terms: Terms, _now: Instant) -> Step:
    reason = happening.reason if isinstance(happening, OfferWithdrawn) else UNPAID
    return _cancel(session, reason)


def _start_answered(session: Session, happening: Any, _terms: Terms, _now: Instant) -> Step:
    if happening.accepted is False:
        return _cancel(session, "the station declined to start")
    return Step(session)


def _add_money(session: Session, happening: Any, _terms: Terms, _now: Instant) -> Step:
    """Take a top-up; what is locked while energy already flows is taken at once."""
    session = _fund(session, happening)
    if isinstance(happening, Held) and session.energy_wh > 0:
        return _take(replace(session, taking=False))
    return Step(session)


def _lose_hold(session: Session, happening: Any, terms: Terms, now: Instant) -> Step:
    session = replace(session, held_msat=max(0, session.held_msat - happening.amount_msat))
    if session.credit_msat:
        return Step(session)
    if session.status is Status.STARTING:
        return _cancel(session, "the payment was taken back before the start")
    if session.status is Status.STOPPING:
        return Step(session)
    return _stop(session, "the payment was taken back", terms, now)


def _begin(session: Session, happening: Any, terms: Terms, _now: Instant) -> Step:
    """Wait for the first energy: as long as money may be locked, or, when it is paid already, as long as it takes."""
    deadline = None
    if session.held_msat and session.deadline_ms is not None:
        deadline = session.deadline_ms + 1000 * max(0, terms.hold_s - terms.start_s)
    return Step(replace(session, status=Status.STARTED, transaction_id=happening.transaction_id, deadline_ms=deadline))


def _never_began(session: Session, _happening: Any, _terms: Terms, _now: Instant) -> Step:
    return _cancel(session, "the car was not plugged in, or did not begin to charge, in time")


def _give_up_waiting(session: Session, _happening: Any, terms: Terms, now: Instant) -> Step:
    """No energy in time after the start: the money goes back at once, and the station is asked to end."""
    given = _give(session)
    stopping, wishes = _stop(given.session, "the car took no energy in time", terms, now)
    return Step(stopping, given.wishes + wishes)


def _stop(session: Session, reason: str, terms: Terms, now: Instant) -> Step:
    stopping = replace(session, status=Status.STOPPING, reason=reason)
    return Step(_wait(stopping, terms.stop_s, now), (Wish.ASK_STOP,))


def _asked_to_stop(session: Session, happening: Any, terms: Terms, now: Instant) -> Step:
    if session.status is Status.STARTING:
        return _cancel(session, happening.reason)
    return _stop(session, happening.reason, terms, now)


def _cost(session: Session, happening: Metered | Finished) -> int:
    """Return what the charge costs by its newest count, which may be less than the one before.

    A tariff may take back what a block of time was rounded up by, once another component follows it. A count of less
    energy than is known comes of a meter that forgot, and lowers nothing.
    """
    if happening.energy_wh < session.energy_wh:
        return max(session.cost_msat, happening.cost_msat)
    return happening.cost_msat


def _meter(session: Session, happening: Any, terms: Terms, now: Instant) -> Step:
    """Take a reading: the first energy makes locked money ours, the last of the credit ends the charge."""
    session = replace(session, energy_wh=happening.energy_wh, cost_msat=_cost(session, happening))
    wishes: tuple[Wish, ...] = ()
    if session.status is Status.STARTED:
        if happening.energy_wh <= 0 and not happening.flowing:
            return Step(session)
        session, wishes = _take(replace(session, status=Status.CHARGING, deadline_ms=None))
    if session.status is Status.CHARGING:
        if session.deadline_ms is not None:
            session = replace(session, deadline_ms=None)
        if session.prepaid and not happening.enough:
            stopping, stops = _stop(session, "the credit is used up", terms, now)
            return Step(stopping, wishes + stops)
    return Step(session, wishes)


def _finish(session: Session, happening: Any, _terms: Terms, _now: Instant) -> Step:
    """End the charge. Without energy nothing is owed; locked money must be ours before the bill is posted."""
    if isinstance(happening, Finished):
        session = replace(
            session,
            energy_wh=max(session.energy_wh, happening.energy_wh),
            cost_msat=_cost(session, happening),
            reason=session.reason or happening.reason,
        )
    elif session.energy_wh > 0 or not session.reason:
        session = replace(session, reason=f"{session.reason}; {UNREPORTED}" if session.reason else UNREPORTED)
    if session.energy_wh <= 0:
        return _cancel(session, session.reason or "no energy flowed")
    session, taken = _take(replace(session, status=Status.ENDED, deadline_ms=None))
    session, billed = _bill(session)
    return Step(session, taken + billed)


def _bill(session: Session) -> Step:
    """Fix the bill once no locked money is on its way to us any more: never above what was paid."""
    if session.billed or session.held_msat:
        return Step(session)
    billed = min(session.cost_msat, session.paid_msat) if session.prepaid else session.cost_msat
    session = replace(session, billed=True, billed_msat=billed if session.prepaid else 0)
    return Step(session, (Wish.BILL, Wish.RETURN_CHANGE) if session.change_msat else (Wish.BILL,))


def _money_after_end(session: Session, happening: Any, _terms: Terms, _now: Instant) -> Step:
    """Money that comes after the end is the driver's: locked money goes back, paid money becomes change."""
    if isinstance(happening, Held):
        return _give(replace(_fund(session, happening), taking=False))
    if isinstance(happening, HoldLost):
        session = replace(session, held_msat=max(0, session.held_msat - happening.amount_msat))
        return _bill(session)
    session = _fund(session, happening)
    return Step(session, (Wish.RETURN_CHANGE,)) if session.billed else _bill(session)


def _refuse_late_start(session: Session, happening: Any, _terms: Terms, _now: Instant) -> Step:
    return Step(replace(session, transaction_id=happening.transaction_id), (Wish.ASK_STOP,))


def _hurry(session: Session, happening: Any, terms: Terms, now: Instant) -> Step:
    """Shorten the wait: the station denies the transaction, a late report may still come, but not for long."""
    if isinstance(happening, StopAnswered) and happening.accepted is not False:
        return Step(session)
    patience = happening.patience_s if isinstance(happening, Vanished) else None
    soon = now.ms + 1000 * (terms.vanish_s if patience is None else patience)
    if session.deadline_ms is not None and session.deadline_ms <= soon:
        return Step(session)
    return Step(replace(session, deadline_ms=soon))


class Rule(NamedTuple):
    """One row of the table: in these states, on this happening, so it goes on."""

    states: tuple[Status, ...]
    on: type[Any]
    answer: Callable[[Session, Any, Terms, Instant], Step]
    leads_to: tuple[Status, ...]
    words: str


_S = Status
RULES: tuple[Rule, ...] = (
    Rule((_S.OFFERED,), Held, _begin_paying, (_S.STARTING, _S.CANCELLED), "money is locked; ask the station to start"),
    Rule((_S.OFFERED,), Paid, _begin_paying, (_S.STARTING, _S.CANCELLED), "money is paid; ask the station to start"),
    Rule((_S.OFFERED,), OfferWithdrawn, _withdraw_offer, (_S.CANCELLED,), "the charge point is no longer free"),
    Rule((_S.OFFERED,), Expired, _withdraw_offer, (_S.CANCELLED,), "nobody paid in time"),
    Rule((_S.STARTING,), StartAnswered, _start_answered, (_S.STARTING, _S.CANCELLED), "a decline gives all back"),
    Rule((_S.STARTING,), Began, _begin, (_S.STARTED,), "the car is plugged in, the transaction begins"),
    Rule((_S.STARTING,), Expired, _never_began, (_S.CANCELLED,), "never plugged in: all money goes back"),
    Rule((_S.STARTED,), Expired, _give_up_waiting, (_S.STOPPING,), "no energy in time: all money goes back"),
    Rule(
        (_S.STARTED, _S.CHARGING, _S.STOPPING),
        Metered,
        _meter,
        (_S.STARTED, _S.CHARGING, _S.STOPPING),
        "first energy takes the locked money; the end of the credit stops the charge",
    ),
    Rule(
        (_S.STARTING, _S.STARTED, _S.CHARGING),
        StopAsked,
        _asked_to_stop,
        (_S.CANCELLED, _S.STOPPING),
        "driver, owner or change asked for the end",
    ),
    Rule(
        (_S.STARTED, _S.CHARGING, _S.STOPPING),
        Finished,
        _finish,
        (_S.ENDED, _S.CANCELLED),
        "the station reported the end",
    ),
    Rule((_S.STARTED, _S.CHARGING, _S.STOPPING), Vanished, _hurry, (), "the station denies it: wait a little"),
    Rule((_S.STOPPING,), StopAnswered, _hurry, (), "a declined stop means that it is over already"),
    Rule((_S.CHARGING, _S.STOPPING), Expired, _finish, (_S.ENDED, _S.CANCELLED), "no report: the last reading counts"),
    Rule((_S.STARTING, _S.STARTED, _S.CHARGING, _S.STOPPING), Held, _add_money, (), "a top-up is locked"),
    Rule((_S.STARTING, _S.STARTED, _S.CHARGING, _S.STOPPING), Paid, _add_money, (), "a top-up, or the locked money"),
    Rule(
        (_S.STARTING, _S.STARTED, _S.CHARGING, _S.STOPPING),
        HoldLost,
        _lose_hold,
        (_S.CANCELLED, _S.STOPPING),
        "locked money went back to the payer",
    ),
    Rule((_S.ENDED, _S.CANCELLED), Held, _money_after_end, (), "too late: give it back"),
    Rule((_S.ENDED, _S.CANCELLED), Paid, _money_after_end, (), "too late, or the captured money: bill, then change"),
    Rule((_S.ENDED, _S.CANCELLED), HoldLost, _money_after_end, (), "bill what was paid"),
    Rule((_S.CANCELLED,), Began, _refuse_late_start, (), "a late start is ended at once"),
)
_TABLE = {(state, rule.on): rule for rule in RULES for state in rule.states}
