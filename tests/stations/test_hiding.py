"""Passwords are in no log, and id tags only before those who may see them."""

import json

import pytest
from sqlalchemy import select, text

from commonwatt import stations
from commonwatt.members import TERMINAL, lists
from commonwatt.stations import FrameRow, Setting
from commonwatt.stations.hiding import hide_secrets, hide_secrets_in
from commonwatt.stations.store import frame

PASSWORD = "hunter2-hunter2"
CALL = '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter2-hunter2"}]'
FRAMES = (
    CALL,
    '[2, "1", "ChangeConfiguration", {"value" : "hunter2-hunter2", "key" : "AUTHORIZATIONKEY"}]',
    '[3,"1",{"configurationKey":[{"key":"A","value":"1"},{"key":"AuthorizationKey","value":"hunter2-hunter2"}]}]',
    '[2,"1","ChangeConfiguration",{"key":"\\u0041uthorizationKey","value":"hunter2-hunter2"}]',
    '[2,"1","DataTransfer",{"data":"{\\"key\\":\\"AuthorizationKey\\",\\"value\\":\\"hunter2-hunter2\\"}"}]',
    '[2,"1","DataTransfer",{"data":{"AuthorizationKey":"hunter2-hunter2"}}]',
    '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter2-hunter2',
    '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":hunter2-hunter2}]',
    '[2,"1","ChangeConfiguration",{"key":"\\u0041uthorizationKey","value":"hunter2-hunter2',
)


@pytest.fixture
def station(work):
    stations.add_station(work, "CP-1", "Garage", with_password=False)
    stations.ensure_connector(work, "CP-1", 1)
    return "CP-1"


def row(text, at=1):
    return FrameRow("CP-1", at, "out", "call", "ChangeConfiguration", str(at), text)


@pytest.mark.parametrize("said", FRAMES)
def test_no_stored_frame_holds_a_password(work, station, said):
    stations.record_frames(work, [row(said)])
    (kept,) = work.sql.execute(select(frame.c.text)).scalars()
    assert PASSWORD not in kept
    assert "uthorization" in kept.lower() or "u0041" in kept
    assert kept.startswith("[")


@pytest.mark.parametrize("masked", [True, False])
def test_a_frame_is_shown_as_it_was_stored(work, station, masked):
    stations.record_frames(work, [row(CALL)])
    (kept,) = work.sql.execute(select(frame.c.text)).scalars()
    (shown,) = stations.list_frames(work.sql, masked=masked)
    assert PASSWORD not in kept
    assert shown.text == kept


@pytest.mark.parametrize(
    "said",
    [
        '[2, "1", "Heartbeat", {}]',
        '[2,"1","DataTransfer",{"data":"caf\\u00e9"}]',
        "\\u no JSON",
        "[" * 100_000 + "\\u",
    ],
)
def test_other_frames_stay_as_they_were(said):
    assert hide_secrets_in(said) == said


def test_what_a_station_tells_of_its_password_is_not_kept(work, station):
    stations.remember_configuration(work, station, [Setting("authorizationkey", PASSWORD, readonly=False)])
    (setting,) = stations.list_configuration(work.sql, station)
    assert (setting.key, setting.value) == ("authorizationkey", "•••"), "that it is set is told, what it is never"
    assert PASSWORD not in str(work.sql.execute(text("SELECT * FROM configuration")).all())


def test_the_audit_log_holds_neither_password_nor_tag_of_a_command(work, station):
    stations.note_command(work, TERMINAL, station, "ChangeConfiguration", json.loads(CALL)[3])
    tags = {"localAuthorizationList": [{"idTag": "04A2B3C4", "idTagInfo": {"parentIdTag": "FAMILY"}}], "listVersion": 3}
    stations.note_command(work, TERMINAL, station, "SendLocalList", tags)
    stations.note_command(work, TERMINAL, station, "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"})
    kept = str(work.sql.execute(text("SELECT detail FROM audit")).all())
    for secret in (PASSWORD, "04A2B3C4", "FAMILY"):
        assert secret not in kept
    details = [act.detail["payload"] for act in lists.list_acts(work.sql, lists.Paging(10))]
    assert details[0] == {"key": "HeartbeatInterval", "value": "60"}
    assert details[1]["listVersion"] == 3
    assert details[2]["key"] == "AuthorizationKey"


def test_id_tags_are_hidden_in_whatever_form_a_frame_has():
    for said in (
        '{"idTag":"04A2"}',
        '{"idTag" : 4711}',
        '{"parentIdTag":"04\\"A2"}',
        '[2,"1","Authorize",{"idTag":"04A2',
    ):
        hidden = stations.mask_id_tags(said)
        assert not any(tag in hidden for tag in ("04A2", "4711", "A2")), hidden
    assert stations.mask_id_tags('{"parentIdTag":null}') == '{"parentIdTag":null}'


def test_an_empty_value_and_a_value_alone_are_no_password():
    said = {"key": "AuthorizationKey", "value": None, "list": [{"value": "x"}], "n": 1}
    assert hide_secrets(said) == said


def test_the_audit_log_tells_old_and_new(work, station):
    from commonwatt.stations.actions.note_status import rename_connector

    def done(act, action, *args, **kwargs):
        stations.administer(work, TERMINAL, act, station, action, *args, **kwargs)
        return lists.list_acts(work.sql, lists.Paging(1))[0].detail

    assert done("rename station", stations.rename_station, "Yard") == {"old_name": "Garage", "name": "Yard"}
    assert done("set waivers", stations.set_waivers, ["slow-start"]) == {"old_waivers": [], "waivers": ["slow-start"]}
    assert done("change connector", rename_connector, 1, name="left", label="Left") == {
        "connector": 1, "old_name": "cp-1-1", "name": "left", "old_label": "", "label": "Left",
    }  # fmt: skip
    assert done("reject station", stations.reject_station) == {"old_state": "admitted", "state": "rejected"}
    assert done("set password", stations.set_password) == {}
    assert done("remove station", stations.remove_station) == {"name": "Yard"}
    assert done("add station", stations.add_station, "New", with_password=False) == {"name": "New"}
