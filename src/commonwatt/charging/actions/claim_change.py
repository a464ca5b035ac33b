"""Return change: who has the session's secret names an invoice, once; it is reserved and paid after the commit.

A claim is atomic and single-use: `k1` names the session's next claim, the first invoice under it wins, the same invoice
again gets the same answer, another one is refused. A payment that fails for good frees the amount for the next claim.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from sqlalchemy import Connection, select

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import tell_session
from commonwatt.charging.charge import SAT_MSAT, Charge
from commonwatt.charging.effects import SendChange
from commonwatt.charging.errors import AmountOutOfRange, ChangeClaimed, ChangeWithheld, NoChange, SessionRunning
from commonwatt.charging.finding import charge_behind
from commonwatt.charging.model.session import Status
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.charging.secrets import claim_secret
from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.payments import pay_out, rail_of
from commonwatt.protocols import bolt11 as invoices


@dataclass(frozen=True, slots=True)
class ChangeOffer:
    """What may be claimed now: any whole amount in [min, max]; what stays below a satoshi stays owed."""

    session_id: str
    k1: str
    min_msat: int
    max_msat: int


def offer_change(sql: Connection, secret: str) -> ChangeOffer:
    """Return what a session's secret may claim.

    Raises SessionRunning before the end, NoChange when nothing is left, ChangeWithheld until the owner lets it go.
    """
    charge = charge_behind(sql, secret)
    if charge.withholds or not charge.session.billed:
        _refuse_withheld(charge)
    if charge.session.status is Status.ENDED and not charge.session.billed:
        raise SessionRunning(said("The charge has ended; its payment is still being settled. Scan again in a minute."))
    if not charge.session.billed:
        raise SessionRunning(said("The charge has not ended; its change is known after the last reading."))
    owed = charge.owed_msat
    if owed < SAT_MSAT:
        raise NoChange(said("Nothing is left of this payment: it was used up, or the change was paid out."))
    return ChangeOffer(charge.id, claim_secret(secret, _count(sql, charge.id)), owed - owed % SAT_MSAT, owed)


def claim_change(work: Work, secret: str, k1: str, bolt11: str, rails: Sequence[str], rules: Rules = DEFAULT) -> Charge:
    """Reserve the change for an invoice and ask for its payment. `rails` are the site's, in order of preference.

    Raises ChangeClaimed for a used `k1`, AmountOutOfRange for an invoice of another amount, and what the invoice itself
    is refused for.
    """
    charge = charge_behind(work.sql, secret)
    invoice = invoices.decode(bolt11)
    payment_hash = invoice.payment_hash.hex()
    number = _count(work.sql, charge.id)
    if not _same(k1, claim_secret(secret, number)):
        return _repeated(work, charge, k1, payment_hash, number)
    offer = offer_change(work.sql, secret)
    amount = invoice.amount_msat
    if amount is None or not offer.min_msat <= amount <= offer.max_msat:
        raise AmountOutOfRange(
            f"The invoice must be of {offer.min_msat} to {offer.max_msat} msat; make a new one of that amount.",
            min_msat=offer.min_msat,
            max_msat=offer.max_msat,
        )
    return reserve_change(work, charge, bolt11, payment_hash, amount, rails, rules)


def reserve_change(
    work: Work, charge: Charge, bolt11: str, payment_hash: str, amount: int, rails: Sequence[str], rules: Rules
) -> Charge:
    """Store the next claim and its payout; the amount leaves what is owed at once. Raises ChangeWithheld.

    Change goes back over the rail that took the payment, as long as the site has it.
    """
    _refuse_withheld(charge)
    number = _count(work.sql, charge.id)
    work.sql.execute(
        store.claims.insert().values(
            session_id=charge.id,
            number=number,
            state="paying",
            payment_hash=payment_hash,
            bolt11=bolt11,
            amount_msat=amount,
            made_ms=work.now.ms,
        )
    )
    pay_out(
        work,
        key=f"change:{charge.id}:{number}",
        bolt11=bolt11,
        amount_msat=amount,
        account=charge.account,
        subject=charge.subject,
        rail_name=home_rail(work.sql, charge, rails),
        fee_limit_msat=rules.fee_limit(amount, charge.session.billed_msat),
    )
    charge = replace(charge, returned_msat=charge.returned_msat + amount)
    store.save_charges(work, [charge])
    work.tell(charge.subject, "change", state="paying", amount_msat=amount)
    tell_session(work, charge)
    return charge


def home_rail(sql: Connection, charge: Charge, rails: Sequence[str]) -> str:
    """Return the rail of a session: the one over which it was paid, else the first of the site's."""
    own = rail_of(sql, charge.subject)
    return own if own is not None and own in rails else rails[0]


def leave_address(work: Work, secret: str, address: str) -> Charge:
    """Note where the change shall go when the charge ends; after its end it goes there at once."""
    charge = replace(charge_behind(work.sql, secret), address=address)
    store.save_charges(work, [charge])
    work.tell(charge.subject, "address")
    if charge.session.billed and charge.owed_msat and charge.withheld is None:
        work.request(SendChange(charge.id, work.now.ms), key=f"change:{charge.id}", hasten=True)
    return charge


def _refuse_withheld(charge: Charge) -> None:
    if charge.withheld is not None:
        raise ChangeWithheld(
            said(
                "This site was restored from a backup. Its owner first checks whether your change was paid already. "
                "It stays yours: keep this session's link and look again later."
            ),
            session=charge.id,
        )


def _repeated(work: Work, charge: Charge, k1: str, payment_hash: str, number: int) -> Charge:
    """Answer a `k1` that was used: the same invoice is on its way, another one is refused."""
    for earlier in range(number):
        if _same(k1, claim_secret(charge.secret, earlier)):
            claims = store.claims.c
            same = (claims.session_id == charge.id, claims.number == earlier)
            known = work.sql.execute(select(claims.payment_hash, claims.state).where(*same)).one()
            if known.payment_hash == payment_hash and known.state == "failed":
                raise ChangeClaimed(said("This payment failed. Your change is safe; scan the code again."))
            if known.payment_hash == payment_hash:
                return charge
            raise ChangeClaimed(
                said("This change was claimed with another invoice. Open the session's page to see how.")
            )
    raise ChangeClaimed(said("This claim is not the session's own. Scan the code on the session's page again."))


def _same(told: str, secret: str) -> bool:
    """Compare in constant time whatever was told, text beyond ASCII too."""
    return hmac.compare_digest(told.encode(errors="replace"), secret.encode())


def _count(sql: Connection, session_id: str) -> int:
    claims = store.claims.c
    return len(sql.execute(select(claims.number).where(claims.session_id == session_id)).all())
