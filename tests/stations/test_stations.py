"""Stations: who may connect, what connectors say, what is kept of it."""

import pytest

from commonwatt import stations
from commonwatt.kit.database import outbox
from commonwatt.stations import Boot, ConnectorStatus, FrameRow, Presence, Setting
from commonwatt.stations.actions import admit_stations
from commonwatt.stations.errors import (
    ConnectorMissing,
    ConnectorNameTaken,
    IdentityInvalid,
    StationMissing,
    StationTaken,
    WaitingRoomFull,
)
from commonwatt.stations.secrets import hash_secret, secret_matches, spellings


def events(work):
    return [row.kind.removeprefix("stations.") for row in work.sql.execute(outbox.select())]


@pytest.fixture
def station(work):
    stations.add_station(work, "CP-1", with_password=False)
    return "CP-1"


def test_a_password_is_shown_once_and_stored_as_a_hash(work):
    secret = stations.add_station(work, "CP-1")
    hashed = stations.secret_hash_of(work.sql, "CP-1")
    assert len(secret) == 20
    assert secret not in hashed
    assert stations.secret_matches(secret, hashed)
    assert not stations.secret_matches(secret + "x", hashed)


def test_an_identity_belongs_to_one_station(work, station):
    with pytest.raises(StationTaken):
        stations.add_station(work, station)


@pytest.mark.parametrize("identity", ["", "a/b", "-x", "ä", "x" * 49, "a\nb", "<script>", "CP ", " CP"])
def test_what_cannot_end_an_address_is_no_identity(work, identity):
    with pytest.raises(IdentityInvalid):
        stations.add_station(work, identity)


def test_the_waiting_room_adopts_the_offered_password(work):
    offered = hash_secret("from-the-charger", b"salt")
    stations.await_admission(work, "NEW", offered)
    assert stations.find_station(work.sql, "NEW").state == stations.WAITING
    stations.admit_station(work, "NEW")
    stations.admit_station(work, "NEW")
    assert stations.secret_matches("from-the-charger", stations.secret_hash_of(work.sql, "NEW"))
    assert stations.offered_hash_of(work.sql, "NEW") is None


def test_waiting_twice_keeps_the_first_offer(work):
    stations.await_admission(work, "NEW", "first")
    stations.await_admission(work, "NEW", "second")
    assert stations.offered_hash_of(work.sql, "NEW") == "first"


def test_the_waiting_room_has_an_end(work, monkeypatch):
    monkeypatch.setattr(admit_stations, "WAITING_MAX", 2)
    for name in ("A", "B"):
        stations.await_admission(work, name)
    with pytest.raises(WaitingRoomFull):
        stations.await_admission(work, "C")


@pytest.mark.parametrize("action", ["admit_station", "reject_station", "set_password", "remove_station"])
def test_acts_on_nobody_are_refused(work, action):
    with pytest.raises(StationMissing):
        getattr(stations, action)(work, "NOBODY")


def test_removing_forgets_everything_of_a_station(work, station):
    stations.note_status(work, [ConnectorStatus(station, 1, "Available", "NoError")])
    stations.flag_quirk(work, station, "odd", "x")
    stations.record_frames(work, [FrameRow(station, 1, "in", "call", "Heartbeat", "1", "[]")])
    stations.remove_station(work, station)
    assert stations.find_station(work.sql, station) is None
    assert stations.list_frames(work.sql, masked=False) == []
    assert stations.list_connectors(work.sql) == []


def test_only_a_change_of_status_moves_its_time(work, station, clock):
    stations.note_status(work, [ConnectorStatus(station, 1, "Available", "NoError")])
    begun = work.now
    work.now = clock.step(seconds=60)
    stations.note_status(work, [ConnectorStatus(station, 1, "Available", "NoError")])
    view = stations.connector_at(work.sql, station, 1)
    assert (view.since_ms, view.reported_ms) == (begun.ms, work.now.ms)


def test_statuses_of_one_bundle_are_taken_in_order(work, station):
    words = ["Available", "Preparing", "Charging", "Finishing"]
    stations.note_status(work, [ConnectorStatus(station, 1, word, "NoError") for word in words])
    assert stations.connector_at(work.sql, station, 1).status == "Finishing"


def test_connector_names_never_meet(work):
    for identity in ("CP 1", "CP=1"):
        stations.add_station(work, identity, with_password=False)
        stations.ensure_connector(work, identity, 1)
    assert [row.name for row in stations.list_connectors(work.sql)] == ["cp-1-1", "cp-1-1.2"]


def test_a_connector_is_renamed_within_reason(work, station):
    stations.ensure_connector(work, station, 1)
    stations.ensure_connector(work, station, 2)
    stations.rename_connector(work, station, 1, name="garage", label="Garage, left")
    assert stations.find_connector(work.sql, "garage").label == "Garage, left"
    for name in ("cp-1-2", "Garage", "a/b", ""):
        with pytest.raises(ConnectorNameTaken):
            stations.rename_connector(work, station, 1, name=name)
    with pytest.raises(ConnectorMissing):
        stations.rename_connector(work, station, 9, name="x")
    with pytest.raises(ConnectorMissing):
        stations.ensure_connector(work, station, 0)


def test_connected_booted_gone(work, station):
    stations.note_connected(work, station, "10.0.0.7", "ocpp1.6")
    stations.note_boot(work, Boot(station, "Acme", "One", "123", "1.0"))
    stations.note_heartbeat(
        work, [Presence(station, work.now.ms, 1500, 12), Presence(station, work.now.ms, None, None)]
    )
    view = stations.find_station(work.sql, station)
    assert (view.connected, view.drift_ms, view.ping_ms, view.vendor) == (True, 1500, 12, "Acme")
    assert stations.count_stations(work.sql) == {"admitted": 1, "connected": 1}
    assert stations.forget_connections(work) == [station]
    assert not stations.find_station(work.sql, station).connected
    assert stations.forget_connections(work) == []


def test_quirks_are_counted(work, station, clock):
    first = work.now
    stations.flag_quirk(work, station, "odd-unit", "Hz")
    work.now = clock.step(seconds=5)
    stations.flag_quirk(work, station, "odd-unit", "HZ", 41)
    stations.flag_quirk(work, "NOBODY", "odd-unit", "Hz")
    [quirk] = stations.list_quirks(work.sql, station)
    assert (quirk.count, quirk.first_ms, quirk.last_ms, quirk.detail) == (42, first.ms, work.now.ms, "HZ")


def test_configuration_is_the_latest(work, station):
    stations.remember_configuration(
        work, station, [Setting("A", "1", readonly=False), Setting("B", None, readonly=True)]
    )
    stations.remember_configuration(work, station, [Setting("A", "2", readonly=False)])
    found = stations.list_configuration(work.sql, station)
    assert [(item.key, item.value, item.readonly) for item in found] == [("A", "2", False), ("B", None, True)]


START = '[2,"1","StartTransaction",{"idTag":"04A2\\"B","parentIdTag": "FAMILY","meterStart":0}]'


def test_id_tags_are_hidden_from_who_may_not_see_them(work):
    stations.record_frames(work, [FrameRow("CP-1", 1, "in", "call", "StartTransaction", "1", START)])
    [masked] = stations.list_frames(work.sql, masked=True)
    assert "04A2" not in masked.text
    assert "FAMILY" not in masked.text
    assert '"meterStart":0' in masked.text
    assert stations.list_frames(work.sql, search="04A2", masked=True) == []
    assert len(stations.list_frames(work.sql, search="04A2", masked=False)) == 1
    assert len(stations.list_frames(work.sql, search="Start%", masked=False)) == 0


def test_frames_are_filtered_and_paged(work):
    rows = [FrameRow(f"CP-{n % 2}", n, "in" if n % 3 else "out", "call", "Heartbeat", str(n), "[]") for n in range(10)]
    stations.record_frames(work, rows)
    page = stations.list_frames(work.sql, identity="CP-1", limit=2, masked=False)
    rest = stations.list_frames(work.sql, identity="CP-1", before=page[-1].id, masked=False)
    assert [row.message_id for row in [*page, *rest]] == ["9", "7", "5", "3", "1"]
    assert [row.at_ms for row in stations.list_frames(work.sql, from_ms=3, to_ms=6, masked=False)] == [5, 4, 3]


def test_search_finds_by_any_of_the_names(work):
    stations.add_station(work, "CP-1", "Garage 100%", with_password=False)
    stations.add_station(work, "CP-2", "Yard", with_password=False)
    assert [row.identity for row in stations.list_stations(work.sql, search="100%")] == ["CP-1"]
    assert [row.identity for row in stations.list_stations(work.sql, search="CP-")] == ["CP-1", "CP-2"]
    assert [row.identity for row in stations.list_stations(work.sql, after="CP-1")] == ["CP-2"]
    assert stations.list_stations(work.sql, search="_") == []


def test_passwords_in_the_hex_that_some_stations_send():
    hashed = hash_secret("secret-of-16chars", b"salt")
    as_hex = b"secret-of-16chars".hex()
    assert any(secret_matches(meant, hashed) for meant in spellings(as_hex.encode()))
    raw = bytes.fromhex("00ff10203040506070")
    assert any(secret_matches(meant, hash_secret(raw.hex(), b"s")) for meant in spellings(raw))
    assert not any(secret_matches(meant, hashed) for meant in spellings(b"wrong"))


@pytest.mark.parametrize("hashed", ["", "plain", "md5$1$00$AA==", "scrypt$x$00$AA==", "scrypt$4096$zz$AA=="])
def test_a_broken_hash_matches_nothing(hashed):
    assert not secret_matches("x", hashed)


def test_a_place_exists_when_its_station_is_known_even_waiting(work):
    stations.await_admission(work, "Garage-1")
    stations.check_place(work.sql, "", 0)
    stations.check_place(work.sql, "Garage-1", 7)
    with pytest.raises(StationMissing, match=r"Did you mean Garage-1\?"):
        stations.check_place(work.sql, "GARAGE-2", 0)
    with pytest.raises(StationMissing, match="Look at the list"):
        stations.check_place(work.sql, "nothing alike", 0)
