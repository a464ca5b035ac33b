"""Who reacts to what: the whole answer, in one table. Each reaction runs once, in a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from commonwatt import charging
from commonwatt.charging import Rules
from commonwatt.kit.database import Event, Reaction
from commonwatt.payments.events import InvoiceAccepted, InvoiceCancelled, InvoiceSettled, PayoutDone, PayoutFailed
from commonwatt.stations.events import StationBooted, StationRemoved


def reactions(rules: Rules) -> Mapping[type[Event], Sequence[Reaction]]:
    """Return the table, with the site's rules where an action needs them."""
    return {
        InvoiceAccepted: (partial(charging.note_accepted, rules=rules),),
        InvoiceSettled: (partial(charging.note_settled, rules=rules),),
        InvoiceCancelled: (partial(charging.note_cancelled, rules=rules),),
        PayoutDone: (charging.note_paid_out,),
        PayoutFailed: (charging.note_payout_failed,),
        StationBooted: (charging.prepare_station,),
        StationRemoved: (partial(charging.note_removed, rules=rules),),
    }
