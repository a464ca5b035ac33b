"""A person says how a doubtful payout ended, who looked where we cannot: at the payee's, or on the node's channels."""

from __future__ import annotations

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.members import Actor, record_act
from commonwatt.payments.actions.pay_out import close_as_done, close_as_failed
from commonwatt.payments.errors import NotDoubtful
from commonwatt.payments.queries import payout_of
from commonwatt.payments.reports import Payout, PayoutState


def confirm_payout(work: Work, payout_id: str, *, actor: Actor) -> Payout:
    """Book a doubtful payout as arrived, without a fee, which nobody knows. Raises NoSuchPayout and NotDoubtful."""
    payout = _doubtful(work, payout_id)
    _record(work, actor, "confirm payout", payout)
    return close_as_done(work, payout, 0, reason="the site's owner saw that it arrived")


def give_payout_back(work: Work, payout_id: str, *, actor: Actor) -> Payout:
    """Let a doubtful payout's amount be owed again, as it did not arrive. Raises NoSuchPayout and NotDoubtful."""
    payout = _doubtful(work, payout_id)
    _record(work, actor, "give payout back", payout)
    return close_as_failed(work, payout, "the site's owner saw that it did not arrive")


def _doubtful(work: Work, payout_id: str) -> Payout:
    payout = payout_of(work.sql, payout_id)
    if payout.state is not PayoutState.DOUBTFUL:
        raise NotDoubtful(
            said("How this payment ended is known, or is being found out. Nothing was changed."), payout=payout.id
        )
    return payout


def _record(work: Work, actor: Actor, act: str, payout: Payout) -> None:
    record_act(work, actor, act, f"payout/{payout.id}", {"amount_msat": payout.amount_msat, "for": payout.subject})
