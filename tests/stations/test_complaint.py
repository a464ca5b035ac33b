"""What a schema says against a command, in plain words; each is asked of the real schemas."""

import pytest

from commonwatt.adapters.station.dialect import Refusal
from commonwatt.adapters.station.ocpp16.check import check_own
from commonwatt.stations.complaint import complaint_of

LIMIT = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1.05}]},
    },
}
LIST = {"listVersion": 1, "updateType": "Full"}
WRONG = [
    ("Reset", {"type": "X"}, "type", 'type is "X". It must be one of: Hard, Soft.'),
    ("Reset", {"type": 4}, "type", "type is 4. It must be a text in quotes."),
    ("Reset", {}, "type", "The field type is missing."),
    ("Reset", {"type": "Hard", "a": 1}, "", "The standard has no field a here. Take it out."),
    ("TriggerMessage", {"requestedMessage": "F"}, "requestedMessage", "DiagnosticsStatusNotification, …."),
    ("ChangeAvailability", {"connectorId": "1", "type": "Operative"}, "connectorId", "It must be a whole number."),
    ("ChangeAvailability", {"connectorId": 2**40, "type": "Operative"}, "connectorId", "at most 2147483647."),
    ("ChangeAvailability", {"connectorId": -(2**40), "type": "Operative"}, "connectorId", "at least -2147483648."),
    ("ChangeConfiguration", {"key": "k" * 60, "value": ""}, "key", "key has more than 50 characters."),
    ("RemoteStartTransaction", {"idTag": "x" * 30}, "idTag", "idTag is too long."),
    ("RemoteStartTransaction", {"idTag": 7}, "idTag", "idTag is of the wrong kind."),
    (
        "SendLocalList",
        LIST | {"localAuthorizationList": [{}]},
        "localAuthorizationList/0/idTag",
        "The field localAuthorizationList/0/idTag is missing.",
    ),
    (
        "SendLocalList",
        LIST | {"localAuthorizationList": [{"idTag": "A", "odd": 1}]},
        "localAuthorizationList/0",
        "no field odd in localAuthorizationList/0. Take it out.",
    ),
    (
        "SetChargingProfile",
        LIMIT,
        "csChargingProfiles/chargingSchedule/chargingSchedulePeriod/0/limit",
        "must be a multiple of 0.1.",
    ),
    ("Dance", {}, "", "OCPP 1.6 has no command Dance to a station."),
]


@pytest.mark.parametrize(("action", "payload", "field", "words"), WRONG)
def test_the_field_is_named_in_plain_words(action, payload, field, words):
    with pytest.raises(Refusal) as refused:
        check_own(action, payload)
    told = complaint_of(f"{refused.value.code}: {refused.value.description}")
    assert told.field == field
    assert told.words.endswith(words)
    assert "Violation" not in told.words


def test_what_follows_no_form_is_quoted_with_a_full_stop():
    assert complaint_of("PropertyConstraintViolation: type").words == "The content is against the standard: type."
    assert complaint_of("key: odd. ").words == "key is against the standard: odd."
