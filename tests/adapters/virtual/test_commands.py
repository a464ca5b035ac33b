"""What the station answers to the server's calls; every answer fits the published schemas."""

from __future__ import annotations

import asyncio
import json

import pytest

from commonwatt.adapters.station.virtual import Car, Status

CAR = Car(battery_wh=50_000, stored_wh=0, power_w_max=11_000, knee=1.0)


@pytest.fixture
async def station(csms, station_of):
    """A station with two connectors, online, all its states told."""
    station = station_of(connectors=2)
    await station.start()
    await csms.until(lambda csms: len(csms.of("StatusNotification")) == 3)
    return station


async def charging(csms, station, connector=1):
    await station.plug(connector, CAR)
    await station.scan(connector, "TAG")
    await station.until(lambda station: station.connector(connector).transaction.transaction_id)


async def test_get_configuration_names_all_or_some_or_unknown_keys(csms, station):
    everything = await csms.call("GetConfiguration", {})
    values = {key["key"]: key["value"] for key in everything["configurationKey"]}
    assert values["NumberOfConnectors"] == "2"
    assert values["SupportedFeatureProfiles"] == "Core,RemoteTrigger"
    some = await csms.call("GetConfiguration", {"key": ["HeartbeatInterval", "Foo"]})
    assert some == {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "3600"}],
        "unknownKey": ["Foo"],
    }


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("MeterValueSampleInterval", "10", "Accepted"),
        ("MeterValueSampleInterval", "-1", "Rejected"),
        ("MeterValueSampleInterval", "99999999999999", "Rejected"),
        ("MeterValueSampleInterval", "ten", "Rejected"),
        ("MeterValuesSampledData", "Voltage, SoC", "Accepted"),
        ("MeterValuesSampledData", "Temperature", "Rejected"),
        ("LocalAuthorizeOffline", "TRUE", "Accepted"),
        ("LocalAuthorizeOffline", "yes", "Rejected"),
        ("NumberOfConnectors", "4", "Rejected"),
        ("Foo", "1", "NotSupported"),
    ],
)
async def test_change_configuration(csms, station, key, value, status):
    assert await csms.call("ChangeConfiguration", {"key": key, "value": value}) == {"status": status}


async def test_the_sample_interval_may_change_during_a_charge(csms, station):
    await csms.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "0"})
    await charging(csms, station)
    await asyncio.sleep(600)
    assert csms.of("MeterValues") == []
    await csms.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "10"})
    await asyncio.sleep(101)
    assert 9 <= len(csms.of("MeterValues")) <= 11


async def test_change_availability_is_scheduled_while_charging(csms, station):
    await charging(csms, station)
    change = {"connectorId": 0, "type": "Inoperative"}
    assert await csms.call("ChangeAvailability", change) == {"status": "Scheduled"}
    await csms.until(lambda csms: csms.statuses(2)[-1] == "Unavailable")
    assert await csms.call("RemoteStartTransaction", {"connectorId": 2, "idTag": "X"}) == {"status": "Rejected"}
    await station.unplug(1)
    await csms.until(lambda csms: csms.statuses(1)[-1] == "Unavailable")
    assert await csms.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"}) == {"status": "Accepted"}
    await csms.until(lambda csms: csms.statuses(1)[-1] == "Available")
    assert await csms.call("ChangeAvailability", {"connectorId": 9, "type": "Operative"}) == {"status": "Rejected"}


async def test_unlock_ends_the_charge(csms, station):
    await charging(csms, station)
    assert await csms.call("UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
    await station.until(lambda station: station.truths[0].settled)
    assert csms.of("StopTransaction")[0]["reason"] == "UnlockCommand"
    assert await csms.call("UnlockConnector", {"connectorId": 7}) == {"status": "NotSupported"}


@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
async def test_reset_ends_charges_and_boots_again(csms, station, kind, reason):
    await charging(csms, station)
    assert await csms.call("Reset", {"type": kind}) == {"status": "Accepted"}
    await csms.until(lambda csms: csms.of("StopTransaction"))
    assert len(csms.of("BootNotification")) == 2
    assert csms.of("StopTransaction")[0]["reason"] == reason


@pytest.mark.parametrize("message", ["BootNotification", "Heartbeat", "MeterValues", "StatusNotification"])
async def test_trigger_message(csms, station, message):
    before = len(csms.of(message))
    assert await csms.call("TriggerMessage", {"requestedMessage": message}) == {"status": "Accepted"}
    await csms.until(lambda csms: len(csms.of(message)) > before)


async def test_trigger_message_for_what_is_not_there(csms, station):
    firmware = {"requestedMessage": "FirmwareStatusNotification"}
    assert await csms.call("TriggerMessage", firmware) == {"status": "NotImplemented"}
    nowhere = {"requestedMessage": "StatusNotification", "connectorId": 9}
    assert await csms.call("TriggerMessage", nowhere) == {"status": "Rejected"}


async def test_clear_cache_and_data_transfer(csms, station):
    await station.scan(1, "TAG")
    assert await csms.call("ClearCache", {}) == {"status": "Accepted"}
    assert station.charger.memory.allowed == {}
    assert await csms.call("DataTransfer", {"vendorId": "x"}) == {"status": "UnknownVendorId"}


async def test_what_it_does_not_offer_is_said_by_its_code(csms, station):
    assert (await csms.call("GetLocalListVersion", {}))[0] == "NotSupported"


async def test_remote_start_without_a_connector_prefers_the_one_with_a_car(csms, station):
    await station.plug(2, CAR)
    assert await csms.call("RemoteStartTransaction", {"idTag": "ONCE"}) == {"status": "Accepted"}
    await station.until(lambda station: station.connector(2).transaction)
    assert station.connector(1).status is Status.AVAILABLE


async def test_remote_start_may_have_to_ask_about_the_tag_first(csms, station):
    await csms.call("ChangeConfiguration", {"key": "AuthorizeRemoteTxRequests", "value": "true"})
    csms.answers["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    await station.plug(1, CAR)
    assert await csms.call("RemoteStartTransaction", {"connectorId": 1, "idTag": "X"}) == {"status": "Accepted"}
    await csms.until(lambda csms: csms.of("Authorize"))
    await asyncio.sleep(1)
    assert station.truths == []


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ([2, "a", "RemoteStopTransaction", {}], "ProtocolError"),
        ([2, "a", "ChangeConfiguration", {"key": "LocalAuthorizeOffline", "value": 7}], "TypeConstraintViolation"),
        ([2, "a", "FlyToTheMoon", {}], "NotImplemented"),
        ([2, "a", "Reset", []], "ProtocolError"),
        ([2, "a"], "ProtocolError"),
    ],
)
async def test_calls_that_make_no_sense_get_a_callerror(csms, station, frame, code):
    answer = csms._asked["a"] = asyncio.get_running_loop().create_future()
    await csms.end.send(json.dumps(frame))
    got = await asyncio.wait_for(answer, 5)
    assert got[0] == 4
    assert got[2] == code


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '[3,"nobody asked",{}]', '[4,"x"]', "[9,1,2]", "\x00" * 10])
async def test_noise_is_passed_over(csms, station, text):
    await csms.end.send(text)
    await charging(csms, station)
    assert station.online
