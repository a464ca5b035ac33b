"""What a replay came to, per station and in total, and whether it is right to the last msat. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from commonwatt.main.replay.past import BadRow
from commonwatt.main.replay.plan import PlannedCharge

SHOWN_MAX: Final = 20
"""Faults and bad rows that a terminal shows; JSON has all."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One session as the house's database has it at the end. Amounts in msat, energy in Wh."""

    session: str
    station: str
    status: str
    energy_wh: int
    paid_msat: int
    change_msat: int
    billed_msat: int
    revenue_msat: int
    vat_msat: int
    rounding_msat: int
    left_msat: int = 0

    @property
    def cost_msat(self) -> int:
        """What the charge cost: revenue and VAT."""
        return self.revenue_msat + self.vat_msat

    @property
    def lapsed(self) -> bool:
        """Whether nothing came of it: no energy, and every msat went back."""
        return not (self.energy_wh or self.billed_msat or self.left_msat) and self.paid_msat == self.change_msat


@dataclass(frozen=True, slots=True)
class Sum:
    """Charges added up: `paid = cost + change + rounding` in a right one."""

    name: str
    charges: int = 0
    recorded_wh: int = 0
    energy_wh: int = 0
    paid_msat: int = 0
    cost_msat: int = 0
    vat_msat: int = 0
    change_msat: int = 0
    rounding_msat: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every msat is where it belongs."""
        return self.paid_msat == self.cost_msat + self.change_msat + self.rounding_msat

    def plus(self, recorded_wh: int, one: Replayed) -> Sum:
        """Return the sum with one more charge."""
        return Sum(
            self.name,
            self.charges + 1,
            self.recorded_wh + recorded_wh,
            self.energy_wh + one.energy_wh,
            self.paid_msat + one.paid_msat,
            self.cost_msat + one.cost_msat,
            self.vat_msat + one.vat_msat,
            self.change_msat + one.change_msat,
            self.rounding_msat + one.rounding_msat,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The whole account of a replay; `faults` is empty when it is right."""

    total: Sum
    stations: tuple[Sum, ...]
    bad: tuple[BadRow, ...]
    faults: tuple[str, ...]
    unpaid: int = 0
    """Charges without energy: their drivers' money was given back unused."""
    lapsed: int = 0
    """Sessions that a crash undid before they began, and that were offered anew."""
    rate: dict[str, float] = field(default_factory=dict)
    """How fast it went; empty when it was only read."""

    @property
    def balanced(self) -> bool:
        """Whether everything is right."""
        return not self.faults


def make_report(
    planned: Sequence[PlannedCharge],
    session_of: Mapping[int, str],
    replayed: Mapping[str, Replayed],
    books: Mapping[str, int],
    spent_msat: int,
    bad: Sequence[BadRow] = (),
    anomalies: Iterable[str] = (),
) -> Report:
    """Compare what was recorded with what the house did: each charge, each station, the books, the drivers' purse.

    `session_of` is line to session, `books` the balance of each kind of account, `spent_msat` what the drivers' wallet
    is poorer by: an account that the house does not keep.
    """
    faults = list(anomalies)
    sums: dict[str, Sum] = {}
    total = Sum("total")
    unpaid = 0
    used: set[str] = set()
    for one in planned:
        session = replayed.get(session_of.get(one.past.line, ""))
        if session is None:
            faults.append(f"line {one.past.line}: no session was made for it")
            continue
        used.add(session.session)
        faults += [f"line {one.past.line}: {fault}" for fault in _faults_of(one, session)]
        unpaid += session.paid_msat == 0
        sums[one.past.station] = sums.get(one.past.station, Sum(one.past.station)).plus(one.past.energy_wh, session)
        total = total.plus(one.past.energy_wh, session)
    unused = sorted(set(replayed) - used)
    lapsed = sum(replayed[session].lapsed for session in unused)
    faults += [f"session {session} belongs to no line" for session in unused if not replayed[session].lapsed]
    faults += _faults_of_totals(total, books, spent_msat)
    stations = tuple(sorted(sums.values(), key=lambda one: one.name))
    return Report(total, stations, tuple(bad), tuple(faults), unpaid, lapsed)


def _faults_of(one: PlannedCharge, session: Replayed) -> list[str]:
    """Return what is wrong with one charge."""
    faults = []
    if session.station != one.identity:
        faults.append(f"was replayed at {session.station}, not at {one.identity}")
    if session.energy_wh != one.past.energy_wh:
        faults.append(f"{one.past.energy_wh} Wh were recorded, {session.energy_wh} Wh were billed")
    if session.status != ("ended" if one.past.energy_wh else "cancelled"):
        faults.append(f"its session is {session.status}")
    if session.paid_msat != session.cost_msat + session.change_msat + session.rounding_msat:
        parts = f"{session.cost_msat} cost, {session.change_msat} change, {session.rounding_msat} rounding"
        faults.append(f"{session.paid_msat} msat came in, but {parts} came of it")
    if session.billed_msat != session.cost_msat + session.rounding_msat:
        faults.append(f"{session.billed_msat} msat were billed, {session.cost_msat} + {session.rounding_msat} booked")
    if session.left_msat:
        faults.append(f"{session.left_msat} msat are still locked or owed")
    return faults


def _faults_of_totals(total: Sum, books: Mapping[str, int], spent_msat: int) -> list[str]:
    """Return where the sum of all charges differs from the books, or from the drivers' purse."""
    booked = books.get("revenue", 0) + books.get("vat", 0)
    pairs = (
        ("cost", total.cost_msat, "revenue and VAT on the books", booked),
        ("rounding", total.rounding_msat, "rounding on the books", books.get("rounding", 0)),
        ("energy in Wh", total.energy_wh, "energy on the books", books.get("energy", 0)),
        ("cost and rounding", total.cost_msat + total.rounding_msat, "what the drivers' purse lost", spent_msat),
        ("money in", total.paid_msat, "cost, change and rounding", total.paid_msat if total.balanced else -1),
    )
    return [
        f"{name} of all charges: {ours}, but {theirs}: {other}" for name, ours, theirs, other in pairs if ours != other
    ]
