"""What can happen to a session: the machine's input, each a fact from a rail, a station, a person or the clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """A payer's money is locked for us. `free`: whether the connector may be taken by this session."""

    amount_msat: int
    free: bool = True


@dataclass(frozen=True, slots=True)
class Paid:
    """Money is ours. `was_held`: it was counted as locked before."""

    amount_msat: int
    was_held: bool = False
    free: bool = True


@dataclass(frozen=True, slots=True)
class HoldLost:
    """Locked money went back to its payer: we gave it, or the network did."""

    amount_msat: int


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """The unpaid offer stands no longer."""

    reason: str


@dataclass(frozen=True, slots=True)
class StartAnswered:
    """What the station said to the start; None when nobody knows."""

    accepted: bool | None


@dataclass(frozen=True, slots=True)
class StopAnswered:
    """What the station said to the stop; None when nobody knows."""

    accepted: bool | None


@dataclass(frozen=True, slots=True)
class Began:
    """The station began a transaction under this session's id tag."""

    transaction_id: int


@dataclass(frozen=True, slots=True)
class Metered:
    """Energy since the start in Wh and what it costs in msat; `enough`: the credit outlasts the next sample.

    `flowing` says that power was measured: a register of whole kWh shows the first energy only much later.
    """

    energy_wh: int
    cost_msat: int
    enough: bool = True
    flowing: bool = False


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants the charge to end; `reason` is for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The station ended the transaction, with the energy and cost by its last word."""

    energy_wh: int
    cost_msat: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Vanished:
    """The station acts as if there were no such transaction: it rebooted, or the connector is free.

    `patience_s` says how long a late report is awaited, where the usual time is not right.
    """

    patience_s: int | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """The session's deadline passed."""


Happening = (
    Held
    | Paid
    | HoldLost
    | OfferWithdrawn
    | StartAnswered
    | StopAnswered
    | Began
    | Metered
    | StopAsked
    | Finished
    | Vanished
    | Expired
)
