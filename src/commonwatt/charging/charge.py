"""A charge: one session as it is stored, with its meter, its running tally and everything that names it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from commonwatt.charging.model.session import Session, Status
from commonwatt.kernel import Instant, Rounding, divide
from commonwatt.metering import Register
from commonwatt.tariffs import Tally

SAT_MSAT = 1000
"""The least that a wallet can take."""


def whole_sats_up(msat: int) -> int:
    """Return msat rounded up to whole satoshi, still in msat."""
    return -(-msat // SAT_MSAT) * SAT_MSAT


class Kind(StrEnum):
    """Who pays."""

    PREPAID = "prepaid"
    """A passer-by, before it begins."""
    LOCAL = "local"
    """A tag of the owner's, on account."""


class Progress(Struct, frozen=True, omit_defaults=True):
    """What changes with every sample: the machine, the meter, the tally.

    `offset_ms` corrects the station's clock for this charge; `heard_ms` is our time of the station's last word.
    """

    session: Session
    register: Register | None = None
    tally: Tally | None = None
    offset_ms: int = 0
    power_w: int = 0
    gap_ms: int = 0
    """How long the station was silent before its last sample: how far the next one may be away."""
    pace_w: int = 0
    """Power by the register over that time, of a station that sends no power: what may flow until the next sample."""
    moved_ms: int = 0
    """When the register of such a station last moved, by this charge's time."""
    heard_ms: int = 0
    asked: bool = False
    """The station was asked to start; a second asking could be declined because the first was heard."""
    plugged: bool = False
    """A car was plugged in while the start was awaited."""
    flowing: bool = False
    """The connector says that it charges (OCPP 1.6, 4.9), which readings may show later, or only now and then."""


def account_of_tag(tag_id: str) -> str:
    """Return the account of what a local tag charges, by the id of its record."""
    return f"member:{tag_id}"


class Charge(Struct, frozen=True):
    """One stored session. `secret` opens the driver's page; `gross_units` is the bill so far in the tariff's asset."""

    id: str
    secret: str
    kind: Kind
    station: str
    connector: int
    id_tag: str
    tariff_version: str
    rate_id: str | None
    made: Instant
    progress: Progress
    began: Instant | None = None
    ended: Instant | None = None
    gross_units: int = 0
    asset: str = "EUR"
    returned_msat: int = 0
    address: str | None = None
    tag_id: str | None = None
    """The record of the local tag that a session on account was opened by; it may be removed since."""
    withheld: Instant | None = None
    """Since when no change leaves: a backup was restored then, and the change may have been paid after it was made."""

    @property
    def session(self) -> Session:
        """The machine's state."""
        return self.progress.session

    @property
    def account(self) -> str:
        """The account of the books that holds the driver's credit, and after the end the change."""
        return f"session:{self.id}"

    @property
    def debtor(self) -> str:
        """The account of the books that owes for a session on account: it names no person and no card."""
        assert self.tag_id is not None  # noqa: S101 (a session on account is opened by a tag)
        return account_of_tag(self.tag_id)

    @property
    def subject(self) -> str:
        """How payments and live pages name this session."""
        return f"session/{self.id}"

    @property
    def owed_msat(self) -> int:
        """Change that is the driver's and was not paid out yet; 0 while the session runs."""
        return self.session.change_msat - self.returned_msat if self.session.billed else 0

    @property
    def withholds(self) -> bool:
        """Whether it owes change that waits for the owner's word."""
        return self.withheld is not None and self.owed_msat >= SAT_MSAT

    @property
    def earned_units(self) -> int:
        """The part of the bill that is paid for, rounded down: all of it on account, up to the credit if prepaid."""
        session = self.session
        if session.status is Status.CANCELLED:
            return 0
        covered = session.billed_msat if session.billed else session.credit_msat
        if self.kind is Kind.LOCAL or session.cost_msat <= covered:
            return self.gross_units
        return divide(self.gross_units * covered, session.cost_msat, Rounding.DOWN).quotient

    @property
    def flags(self) -> tuple[str, ...]:
        """What was strange about the meter."""
        return self.progress.register.flags if self.progress.register else ()
