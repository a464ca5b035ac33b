"""Let withheld change go: the owner has looked, and it was not paid before the backup was restored."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import tell_session
from commonwatt.charging.charge import Charge
from commonwatt.charging.effects import SendChange
from commonwatt.charging.errors import SessionRunning
from commonwatt.charging.finding import charge_named
from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.members import Actor, record_act


def release_change(work: Work, session_id: str, *, actor: Actor) -> Charge:
    """Let a session's change go to its driver, at once where an address was left; again, it changes nothing.

    Raises SessionRunning while it is not known how much that is: nobody can have looked for it.
    """
    charge = charge_named(work.sql, session_id)
    if charge.withheld is None:
        return charge
    if not charge.session.billed:
        hint = said("How much change this session owes is known after its end. Release it then.")
        raise SessionRunning(hint, session=session_id)
    record_act(work, actor, "release change", charge.subject, {"owed_msat": charge.owed_msat})
    withheld = charge.withholds
    store.save_withheld(work, [charge.id], None)
    charge = replace(charge, withheld=None)
    if withheld and charge.address:
        work.request(SendChange(charge.id, work.now.ms), key=f"change:{charge.id}", hasten=True)
    work.tell(charge.subject, "change", state="owed")
    tell_session(work, charge)
    return charge


def release_changes(work: Work, session_ids: Sequence[str], *, actor: Actor) -> list[Charge]:
    """Let the change of several sessions go; all of it, or nothing where one is refused."""
    return [release_change(work, session_id, actor=actor) for session_id in session_ids]
