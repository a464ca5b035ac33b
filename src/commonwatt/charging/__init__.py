"""Charging: the session from the scan to the refund. This is the front door.

Stations come in by `authorise`, `start_transaction`, `record_samples`, `stop_transaction`, `note_status`, `note_boot`
and `note_offline`; money by the reactions to payments' events; drivers by `offer_session`, `ask_to_stop`,
`claim_change`.
"""

from commonwatt.charging.actions.claim_change import ChangeOffer, claim_change, leave_address, offer_change
from commonwatt.charging.actions.keep_tags import add_tag, block_tag, remove_tag
from commonwatt.charging.actions.note_payment import (
    note_accepted,
    note_cancelled,
    note_paid_out,
    note_payout_failed,
    note_settled,
)
from commonwatt.charging.actions.note_station import (
    note_boot,
    note_offline,
    note_removed,
    note_status,
    prepare_station,
)
from commonwatt.charging.actions.offer_session import offer_session, offer_top_up, pick_rail
from commonwatt.charging.actions.record_samples import record_samples
from commonwatt.charging.actions.release_change import release_change
from commonwatt.charging.actions.skip_numbers import skip_numbers
from commonwatt.charging.actions.start_session import authorise
from commonwatt.charging.actions.start_session import start_session as start_transaction
from commonwatt.charging.actions.stop_session import ask_to_stop
from commonwatt.charging.actions.stop_session import stop_session as stop_transaction
from commonwatt.charging.actions.wait_anew import wait_anew, wait_no_longer
from commonwatt.charging.actions.withhold_change import withhold_change
from commonwatt.charging.charge import Charge, Kind, whole_sats_up
from commonwatt.charging.driver_view import worth_of
from commonwatt.charging.jobs import Charger
from commonwatt.charging.model.session import Status, Terms
from commonwatt.charging.queries import holders_of
from commonwatt.charging.rules import Rules
from commonwatt.charging.store import charge_by_id, charge_by_secret

__all__ = [
    "ChangeOffer",
    "Charge",
    "Charger",
    "Kind",
    "Rules",
    "Status",
    "Terms",
    "add_tag",
    "ask_to_stop",
    "authorise",
    "block_tag",
    "charge_by_id",
    "charge_by_secret",
    "claim_change",
    "holders_of",
    "leave_address",
    "note_accepted",
    "note_boot",
    "note_cancelled",
    "note_offline",
    "note_paid_out",
    "note_payout_failed",
    "note_removed",
    "note_settled",
    "note_status",
    "offer_change",
    "offer_session",
    "offer_top_up",
    "pick_rail",
    "prepare_station",
    "record_samples",
    "release_change",
    "remove_tag",
    "skip_numbers",
    "start_transaction",
    "stop_transaction",
    "wait_anew",
    "wait_no_longer",
    "whole_sats_up",
    "withhold_change",
    "worth_of",
]
